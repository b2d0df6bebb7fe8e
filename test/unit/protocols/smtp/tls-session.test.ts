/**
 * What is told of the TLS of a connection: with hosts that say what the test writes, and with real
 * handshakes on loopback.
 */

import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { before, describe, it } from 'node:test';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';
import { newChain, type Chain } from '../../../support/chains.ts';
import { fakeRandom } from '../../../support/clock.ts';
import { PlayedServer } from '../../../support/imap-client.ts';
import { silentLog } from '../../../support/silent-log.ts';
import { ehlo, play, smtpOptions, type MoreOptions } from '../../../support/smtp-client.ts';
import { notedTlsResults } from '../../../support/tls-results.ts';
import type { TlsResult } from '#domain/report/events';
import { systemClock } from '#infra/clock';
import { openDialer } from '#infra/dialer';
import type { ServerCertificates } from '#protocols/ports';
import type { SmtpClientOptions } from '#protocols/smtp/client';
import { SmtpClientError } from '#protocols/smtp/client-error';
import type { SmtpClient } from '#protocols/smtp/client-session';
import type { Destination } from '#protocols/smtp/destinations';
import type { RemoteHost } from '#protocols/smtp/remote-host';
import { decideTls, tlsTrustFor, type TlsGrounds } from '#protocols/smtp/tls-requirement';
import { openReported, type ReportedAim } from '#protocols/smtp/tls-session';

const NAME = 'mx.example';

const DESTINATION: Destination = {
  type: 'hosts',
  domain: 'a.example',
  expandedDomain: 'a.example',
  hosts: [NAME],
  hasMx: true,
  authentic: true,
  sts: { type: 'none' },
};

const AIM: ReportedAim = { destination: DESTINATION, report: undefined, viaProxy: false };

function hostWith(grounds: Partial<TlsGrounds> = {}): RemoteHost {
  const decision = decideTls({
    requireTls: undefined,
    host: NAME,
    sts: 'none',
    stsAllows: true,
    dane: { type: 'none' },
    ...grounds,
  });
  assert.ok(decision.type === 'requirement');
  const tls = decision.requirement;
  return { type: 'host', name: NAME, addresses: [], dualStack: false, tls, tlsa: [] };
}

/** Of the domain and of the host: successes and failures, and details. */
function short(results: readonly TlsResult[]): readonly string[] {
  return results.map(({ successes, failures, details }) => {
    const wrong = details.map(({ sessions, resultType, reasonCode }) =>
      `${sessions} ${resultType} ${reasonCode}`.trim(),
    );
    return [`${successes}/${failures}`, ...wrong].join('; ');
  });
}

interface Told {
  readonly results: readonly TlsResult[];
  readonly client?: SmtpClient;
}

async function opened(
  options: SmtpClientOptions,
  host: RemoteHost,
  aim: ReportedAim = AIM,
): Promise<Told> {
  const { noted, ...results } = notedTlsResults();
  try {
    const client = await openReported(options, host, aim, results);
    client.close();
    return { results: noted, client };
  } catch (error) {
    if (!(error instanceof SmtpClientError)) throw error;
    return { results: noted };
  }
}

type Script = (server: PlayedServer) => Promise<void>;

/** A host of which each word is written here. */
function played(
  script: Script,
  more: MoreOptions = {},
  shown: ServerCertificates = { chain: [], problem: undefined },
  host: RemoteHost = hostWith(),
): Promise<Told> {
  const server = new PlayedServer();
  server.say('220 helo.example ESMTP');
  const { mode } = host.tls;
  const tls = mode === 'required' ? 'starttls' : 'opportunistic';
  const trust = tlsTrustFor(host.tls, () => server.clock.now());
  const options = smtpOptions(server, { tls, trust, host: '192.0.2.1', ...more }, shown);
  void script(server);
  return opened(options, host);
}

const secured: Script = async (server) => {
  await play(server, ehlo('STARTTLS'), ['STARTTLS', '220 go']);
  await play(server.secured, ehlo());
};
const WRONG_NAME: ServerCertificates = {
  chain: [],
  problem: 'ERR_TLS_CERT_ALTNAME_INVALID',
};
const WRONG_DETAIL = 'certificate-host-mismatch ERR_TLS_CERT_ALTNAME_INVALID';

describe('a connection', () => {
  it('37, smtp 111: with a certificate for another name is a success with a detail', async () => {
    const { results, client } = await played(secured, {}, WRONG_NAME);
    assert.ok(client?.tls !== undefined);
    assert.deepEqual(short(results), [`1/0; 0 ${WRONG_DETAIL}`, `1/0; 0 ${WRONG_DETAIL}`]);
    const [detail] = results[0]?.details ?? [];
    assert.equal(detail?.receivingMx, NAME);
    assert.equal(detail?.receivingHelo, 'helo.example');
    assert.equal(detail?.receivingIp, '192.0.2.1');
    assert.notEqual(detail?.sendingIp, '');
  });

  it('does not tell an address of ours that the host does not see', async () => {
    const server = new PlayedServer();
    server.say('220 helo.example ESMTP');
    void play(server, ehlo());
    const options = smtpOptions(server, { tls: 'opportunistic' });
    const { results } = await opened(options, hostWith(), { ...AIM, viaProxy: true });
    assert.equal(results[0]?.details[0]?.sendingIp, '');
  });

  it('38: without STARTTLS is a failure where it is required only', async () => {
    const without: Script = (server) => play(server, ehlo());
    const detail = 'starttls-not-supported';
    const may = await played(without);
    assert.deepEqual(short(may.results), [`0/0; 0 ${detail}`, `0/0; 0 ${detail}`]);
    const must = await played(without, {}, undefined, hostWith({ sts: 'enforce' }));
    assert.deepEqual(short(must.results), [`0/1; 1 ${detail}`, `0/1; 1 ${detail}`]);
  });

  it('is a failure when somebody speaks before the handshake', async () => {
    const speaks: Script = (server) =>
      play(server, ehlo('STARTTLS'), ['STARTTLS', '220 go', '250 x']);
    const { results } = await played(speaks);
    assert.deepEqual(short(results), ['0/1; 1 validation-failure', '0/1; 1 validation-failure']);
  });

  it('43: that goes on without TLS is no session of its own', async () => {
    const without: Script = (server) => play(server, ehlo('STARTTLS'));
    assert.deepEqual((await played(without, { tls: 'none' })).results, []);
  });

  it('that came to nothing before TLS says nothing about it', async () => {
    const refuses: Script = (server) => play(server, ['EHLO mail.example.com', '550 not you']);
    assert.deepEqual((await played(refuses)).results, []);
    const signal = AbortSignal.abort();
    assert.deepEqual((await played(async () => undefined, { signal })).results, []);
  });

  it('that came to nothing behind TLS is a success', async () => {
    const refuses: Script = async (server) => {
      await play(server, ehlo('STARTTLS'), ['STARTTLS', '220 go']);
      await play(server.secured, ['EHLO mail.example.com', '421 not now']);
    };
    assert.deepEqual(short((await played(refuses)).results), ['1/0', '1/0']);
  });
});

describe('a handshake', () => {
  let chain: Chain;
  before(async () => {
    chain = await newChain();
  });

  /** Speaks SMTP up to STARTTLS, then does with the socket what the test says. */
  async function told(
    onSocket: (socket: Socket) => void,
    host: RemoteHost = hostWith(),
    timeoutMs = 5000,
  ): Promise<readonly string[]> {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.write('220 helo.example ESMTP\r\n');
      socket.once('data', () => {
        socket.write('250-helo.example\r\n250 STARTTLS\r\n');
        socket.once('data', () => {
          socket.write('220 go\r\n');
          onSocket(socket);
        });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const options: SmtpClientOptions = {
        dialer: openDialer({ clock: systemClock, log: silentLog }),
        clock: systemClock,
        random: fakeRandom(),
        log: silentLog,
        host: '127.0.0.1',
        port: (server.address() as AddressInfo).port,
        hostName: 'mail.example.com',
        tls: host.tls.mode === 'required' ? 'starttls' : 'opportunistic',
        trust: tlsTrustFor(host.tls, () => systemClock.now()),
        timeouts: { connectMs: timeoutMs },
      };
      return short((await opened(options, host)).results);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  }

  function speaksTls(more: TLSSocketOptions = {}): (socket: Socket) => void {
    return (socket) => {
      const { key, cert } = chain.host;
      const secure = new TLSSocket(socket, { isServer: true, key, cert, ...more });
      secure.on('error', () => secure.destroy());
      secure.on('data', () => secure.write('250 helo.example\r\n'));
    };
  }

  it('with a host that nobody vouches for', async () => {
    const detail = 'certificate-not-trusted UNABLE_TO_VERIFY_LEAF_SIGNATURE';
    assert.deepEqual(await told(speaksTls()), [`1/0; 0 ${detail}`, `1/0; 0 ${detail}`]);
    const enforced = hostWith({ sts: 'enforce' });
    assert.deepEqual(await told(speaksTls(), enforced), [`0/1; 1 ${detail}`, `0/1; 1 ${detail}`]);
  });

  it('40: with a host that DANE believes, or does not', async () => {
    const dane = (data: Buffer): RemoteHost => {
      const record = { usage: 3, selector: 1, matchingType: 0, data };
      const requirement = { records: [record], names: [NAME] };
      const host = hostWith({ dane: { type: 'records', requirement, base: NAME } });
      return { ...host, tlsa: [record] };
    };
    assert.deepEqual(await told(speaksTls(), dane(chain.host.spki)), ['1/0', '1/0']);
    const detail = '1 validation-failure dane-no-match';
    const other = dane(chain.root.spki);
    assert.deepEqual(await told(speaksTls(), other), [`0/1; ${detail}`, `0/1; ${detail}`]);
  });

  for (const [what, onSocket, reason] of [
    ['that breaks off', (socket: Socket) => socket.destroy(), 'connection-closed-during-handshake'],
    [
      'with a host that goes on in the clear',
      (socket: Socket) => void socket.write('250 helo.example, who are you?\r\n'),
      'tls-record-header-error',
    ],
    [
      'with a host that sends an alert',
      (socket: Socket) => void socket.write(Buffer.from('15030300020228', 'hex')),
      'tls-remote-alert-40-handshake-failure',
    ],
  ] as const) {
    it(`43: ${what}`, async () => {
      const detail = `1 validation-failure ${reason}`;
      assert.deepEqual(await told(onSocket), [`0/1; ${detail}`, `0/1; ${detail}`]);
    });
  }

  it('with a host that says nothing more', async () => {
    const detail = '1 validation-failure io-timeout-during-handshake';
    const silent = await told(() => undefined, hostWith(), 50);
    assert.deepEqual(silent, [`0/1; ${detail}`, `0/1; ${detail}`]);
  });

  it('with a host that knows old TLS only', async () => {
    const old = speaksTls({
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: 'ALL@SECLEVEL=0',
    });
    const [first = ''] = await told(old);
    assert.match(first, /^0\/1; 1 validation-failure tls-(remote-alert-70-|local-)/);
  });

  it('42: after which the host does not want us counts as failed', async () => {
    const wantsCertificate = speaksTls({ requestCert: true, rejectUnauthorized: true });
    const detail = '1 validation-failure tls-remote-alert-116-certificate-required';
    assert.deepEqual(await told(wantsCertificate), [`0/1; ${detail}`, `0/1; ${detail}`]);
  });
});
