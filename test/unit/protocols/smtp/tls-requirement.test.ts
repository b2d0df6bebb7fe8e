/**
 * Whether a host that shows its certificates is believed, and what becomes of mail for one that is
 * not.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { before, describe, it } from 'node:test';
import { createServer } from 'node:tls';
import { newChain, type Chain } from '../../../support/chains.ts';
import { tlsa, type Zone } from '../../../support/dns.ts';
import type { HostScript } from '../../../support/fake-hosts.ts';
import {
  answering,
  sentAlone,
  THERE,
  twoHosts,
  type RemoteOptions,
} from '../../../support/remote-world.ts';
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

const TLS: HostScript = { words: ['PIPELINING', 'STARTTLS', 'REQUIRETLS', 'SMTPUTF8'] };

describe('TLS', () => {
  it('smtp 111: is used where it is offered, whoever the host is', async () => {
    const shown = { chain: [], problem: 'SELF_SIGNED_CERT_IN_CHAIN' };
    const { world } = await sentAlone({ hosts: { '192.0.2.1': { ...TLS, shown } } });
    assert.equal(world.hosts.mail[0]?.isSecure, true);
    assert.deepEqual(world.metrics.counted, [
      'queue_destinations_total',
      'queue_destinations_authentic_total',
      'queue_connection_total ok',
    ]);
    assert.partialDeepStrictEqual(world.metrics.observed, [
      { attempt: '1', transport: '', tlsmode: 'opportunistic', result: 'ok' },
    ]);
  });

  it('queue 21, smtp 111, 116: that breaks is done without, except for DMARC reports', async () => {
    const hosts = { '192.0.2.1': { ...TLS, shown: false } } as const;
    const { outcome, world } = await sentAlone({ hosts });
    assert.equal(outcome.type, 'delivered');
    assert.deepEqual(world.hosts.dialed, ['192.0.2.1', '192.0.2.1']);
    assert.equal(world.hosts.mail[0]?.isSecure, false);
    const without = (counted: readonly string[]): number =>
      counted.filter((name) => name === 'queue_plaintext_fallback_total').length;
    assert.equal(without(world.metrics.counted), 1);
    const report = await sentAlone({ hosts }, { report: 'dmarc' });
    assert.partialDeepStrictEqual(report.outcome, { type: 'failed', permanent: false });
    assert.deepEqual(report.world.hosts.dialed, ['192.0.2.1']);
    assert.equal(without(report.world.metrics.counted), 0);
  });

  it('smtp 111: that is refused behind STARTTLS is done without', async () => {
    const refusing = answering({ STARTTLS: '454 4.7.0 no' }, TLS);
    const { outcome, world } = await sentAlone({ hosts: { '192.0.2.1': refusing } });
    assert.equal(outcome.type, 'delivered');
    assert.equal(world.hosts.mail[0]?.isSecure, false);
  });
});

const ENFORCED: RemoteOptions['ports'] = {
  stsPolicyFor: () =>
    Promise.resolve({
      type: 'policy',
      policy: { mode: 'enforce', mx: ['mx.there.example'], maxAgeSeconds: 86400 },
      text: '',
    }),
};

describe('MTA-STS', () => {
  it('smtp 112: lets no mail go to a host that does not prove its name', async () => {
    const shown = { chain: [], problem: 'ERR_TLS_CERT_ALTNAME_INVALID' };
    const { outcome, world } = await sentAlone({
      hosts: { '192.0.2.1': { ...TLS, shown } },
      ports: ENFORCED,
    });
    assert.partialDeepStrictEqual(outcome, { type: 'failed', permanent: false });
    assert.deepEqual(world.hosts.mail, []);
    assert.deepEqual(world.hosts.dialed, ['192.0.2.1']);
    const plain = await sentAlone({ ports: ENFORCED });
    assert.partialDeepStrictEqual(plain.outcome, { type: 'failed', permanent: false });
    const proven = await sentAlone({ hosts: { '192.0.2.1': TLS }, ports: ENFORCED });
    assert.equal(proven.outcome.type, 'delivered');
    assert.partialDeepStrictEqual(proven.world.metrics.observed, [
      { tlsmode: 'requiredstarttls+mtasts' },
    ]);
  });

  it('smtp 112: passes over hosts that the policy does not name', async () => {
    const { outcome, world } = await sentAlone({ ...twoHosts(TLS, TLS), ports: ENFORCED });
    assert.partialDeepStrictEqual(outcome, { permanent: false, reply: { enhancedCode: '4.7.0' } });
    assert.deepEqual(world.hosts.dialed, []);
  });
});

describe('DANE', () => {
  const zonesWith = (record: ReturnType<typeof tlsa>): Readonly<Record<string, Zone>> => ({
    'there.example': THERE['there.example'] as Zone,
    'mx.there.example': { A: ['192.0.2.1'] },
    '_25._tcp.mx.there.example': { TLSA: [record] },
  });

  it('smtp 113, 114: fails a host that does not match, unless nothing is required', async () => {
    const options = { zones: zonesWith(tlsa(3)), hosts: { '192.0.2.1': TLS } };
    const { outcome, world } = await sentAlone(options);
    assert.partialDeepStrictEqual(outcome, { type: 'failed', permanent: false });
    assert.deepEqual(world.hosts.mail, []);
    assert.ok(world.metrics.counted.includes('queue_destination_dane_required_total'));
    const free = await sentAlone(options, { requireTls: false });
    assert.equal(free.outcome.type, 'delivered');
  });

  it('smtp 113: with records that nobody can use still needs TLS', async () => {
    const zones = zonesWith(tlsa(1));
    const { outcome } = await sentAlone({ zones, hosts: { '192.0.2.1': TLS } });
    assert.equal(outcome.type, 'delivered');
    const plain = await sentAlone({ zones });
    assert.partialDeepStrictEqual(plain.outcome, { type: 'failed', permanent: false });
  });

  it('smtp 113: that cannot be looked up waits', async () => {
    const zones = {
      ...zonesWith(tlsa(3)),
      '_25._tcp.mx.there.example': { fails: ['TLSA'] },
    } as const;
    const { outcome, world } = await sentAlone({ zones, hosts: { '192.0.2.1': TLS } });
    assert.partialDeepStrictEqual(outcome, { permanent: false, reply: { enhancedCode: '4.4.3' } });
    assert.ok(world.metrics.counted.includes('queue_destination_dane_gathertlsa_errors_total'));
  });
});

describe('REQUIRETLS', () => {
  const REQUIRED = { requireTls: true };

  it('smtp 115: needs a policy, and a host that announces it', async () => {
    const nothing = await sentAlone({ hosts: { '192.0.2.1': TLS } }, REQUIRED);
    const reply = { enhancedCode: '5.7.30' };
    assert.partialDeepStrictEqual(nothing.outcome, { permanent: true, reply });
    const unable = { words: ['STARTTLS'] };
    const options = { hosts: { '192.0.2.1': unable }, ports: ENFORCED };
    const { outcome, world } = await sentAlone(options, REQUIRED);
    assert.partialDeepStrictEqual(outcome, { permanent: true, reply: { code: 554, ...reply } });
    const counted = 'queue_requiretls_unsupported_total norequiretls';
    assert.ok(world.metrics.counted.includes(counted));
  });

  it('smtp 115: fails for good also at a host with both families', async () => {
    const both = { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] };
    const unable = { words: ['STARTTLS'] };
    const { outcome } = await sentAlone(
      {
        zones: { ...THERE, 'mx.there.example': both },
        hosts: { '192.0.2.1': unable, '2001:db8::1': unable },
        ports: ENFORCED,
      },
      REQUIRED,
    );
    assert.partialDeepStrictEqual(outcome, { permanent: true, reply: { code: 554 } });
  });

  it('smtp 115: is said with MAIL', async () => {
    const options = { hosts: { '192.0.2.1': TLS }, ports: ENFORCED };
    const { outcome, world } = await sentAlone(options, REQUIRED);
    assert.equal(outcome.type, 'delivered');
    const mail = world.hosts.heard[0]?.commands.find((line) => line.startsWith('MAIL'));
    assert.equal(mail, 'MAIL FROM:<alice@example.org> REQUIRETLS');
  });
});
