/**
 * Whether a host that shows its certificates is believed.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { before, describe, it } from 'node:test';
import { createServer } from 'node:tls';
import { newChain, type Chain } from '../../../support/chains.ts';
import { silentLog } from '../../../support/silent-log.ts';
import { systemClock } from '#infra/clock';
import { openDialer } from '#infra/dialer';
import type { TlsaRecord } from '#protocols/ports-remote';
import { decideTls, tlsTrustFor, type TlsRequirement } from '#protocols/smtp/tls-requirement';

const OTHER_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID';

function requirement(more: Partial<TlsRequirement>): TlsRequirement {
  const decision = decideTls({
    requireTls: undefined,
    host: 'mx.example',
    sts: 'none',
    stsAllows: true,
    dane: { type: 'none' },
  });
  assert.ok(decision.type === 'requirement');
  return { ...decision.requirement, ...more };
}

describe('a host that shows its certificates', () => {
  let chain: Chain;
  let ders: readonly Buffer[];
  let ofHost: TlsaRecord;
  let ofRoot: TlsaRecord;
  before(async () => {
    chain = await newChain();
    ders = [chain.host.der, chain.between.der, chain.root.der];
    const exact = { selector: 1, matchingType: 0 } as const;
    ofHost = { usage: 3, ...exact, data: chain.host.spki };
    ofRoot = { usage: 2, ...exact, data: chain.root.spki };
  });

  function judged(more: Partial<TlsRequirement>, problem?: string): string | undefined {
    const trust = tlsTrustFor(requirement(more), () => Date.now());
    return trust.judge?.({ chain: ders, problem });
  }

  it('is believed whoever it is when nothing must be proven', () => {
    assert.equal(judged({}, 'CERT_HAS_EXPIRED'), undefined);
  });

  it('must pass the usual check for the name of an enforced policy', () => {
    const pkixName = 'mx.example';
    assert.equal(judged({ pkixName }), undefined);
    assert.equal(judged({ pkixName }, 'CERT_HAS_EXPIRED'), 'CERT_HAS_EXPIRED');
    assert.equal(judged({ pkixName }, OTHER_NAME), OTHER_NAME);
  });

  it('must have that name too when it was asked for by another', () => {
    const asked = { serverName: 'alias.example' };
    assert.equal(judged({ ...asked, pkixName: 'mx.example' }, OTHER_NAME), undefined);
    assert.equal(judged({ ...asked, pkixName: 'mx.example' }), undefined);
    assert.equal(judged({ ...asked, pkixName: 'b.example' }), OTHER_NAME);
    assert.equal(judged({ ...asked, pkixName: 'mx.example' }, 'CERT_REVOKED'), 'CERT_REVOKED');
  });

  it('must match the records, whatever the usual check says', () => {
    const names = ['mx.example'];
    assert.equal(judged({ dane: { records: [ofHost], names } }, 'SELF_SIGNED'), undefined);
    assert.equal(judged({ dane: { records: [], names } }), 'dane-no-match');
  });

  it('must do both where both are asked for', () => {
    const dane = { records: [ofHost], names: ['mx.example'] };
    const pkixName = 'mx.example';
    assert.equal(judged({ dane, pkixName }), undefined);
    assert.equal(judged({ dane, pkixName }, 'CERT_HAS_EXPIRED'), 'CERT_HAS_EXPIRED');
    const none = { records: [], names: ['mx.example'] };
    assert.equal(judged({ dane: none, pkixName }), 'dane-no-match');
  });

  it('shows the dialer all that it needs', async () => {
    const server = createServer({
      key: chain.host.key,
      cert: chain.host.cert + chain.between.cert,
    });
    server.on('tlsClientError', () => {});
    server.on('secureConnection', (socket) => socket.on('error', () => socket.destroy()));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const dialer = openDialer({ clock: systemClock, log: silentLog });
    const dial = async (records: readonly TlsaRecord[]): Promise<string> => {
      const dane = { records, names: ['a.example', 'mx.example'] };
      const trust = tlsTrustFor(requirement({ dane }), () => Date.now());
      const target = { host: '127.0.0.1', port, tls: 'implicit', trust, timeoutMs: 5000 } as const;
      try {
        (await dialer.dial(target)).destroy();
        return 'believed';
      } catch (error) {
        return error instanceof Error ? error.message : '';
      }
    };
    const ofBetween = { ...ofRoot, data: chain.between.spki };
    for (const record of [ofHost, ofBetween, ofRoot]) {
      assert.equal(await dial([record]), 'believed');
    }
    assert.match(await dial([{ ...ofHost, data: chain.between.spki }]), /dane-no-match/);
    server.close();
    await once(server, 'close');
  });
});
