/**
 * What a session with a host says under the policies of the domain and of the host, by itself and
 * as part of an attempt.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tlsa, type Zone } from '../../../support/dns.ts';
import type { HostScript } from '../../../support/fake-hosts.ts';
import {
  answering,
  sentAlone,
  THERE,
  TWO,
  twoHosts,
  type RemoteOptions,
} from '../../../support/remote-world.ts';
import type { TlsResult } from '#domain/report/events';
import type { RemotePorts } from '#protocols/smtp/attempt';
import type { StsOutcome } from '#protocols/trust/sts-policies';
import {
  tlsResultsOf,
  unreachedResult,
  type TlsContext,
  type TlsSession,
} from '#protocols/trust/tls-rpt';

const CONTEXT: TlsContext = {
  recipientDomain: 'remote.example',
  sts: { type: 'none' },
  isMxMismatch: false,
  host: 'mx.remote.example',
  tlsa: [],
  dane: 'none',
  report: undefined,
};

const FINE: TlsSession = {
  state: 'established',
  sendingIp: '198.51.100.1',
  receivingIp: '192.0.2.1',
  receivingHelo: 'mx.remote.example',
};

const MISMATCH = {
  resultType: 'certificate-host-mismatch',
  reasonCode: 'ERR_TLS_CERT_ALTNAME_INVALID',
} as const;

const TEXT = 'version: STSv1\r\nmode: enforce\r\nmx: *.remote.example\r\nmax_age: 86400\r\n';
const ENFORCED: StsOutcome = {
  type: 'policy',
  policy: { mode: 'enforce', mx: ['*.remote.example'], maxAgeSeconds: 86_400 },
  text: TEXT,
};

/** `h` in front of results of hosts: policy, successes and failures, and details. */
function short(results: readonly TlsResult[]): readonly string[] {
  return results.map(({ isHost, policyDomain, policy, successes, failures, details }) => {
    const wrong = details.map(({ sessions, resultType, reasonCode }) =>
      `${sessions} ${resultType} ${reasonCode}`.trim(),
    );
    const whose = `${isHost ? 'h ' : ''}${policyDomain}`;
    return [`${whose} ${policy.type} ${successes}/${failures}`, ...wrong].join('; ');
  });
}

function told(context: Partial<TlsContext>, session: Partial<TlsSession> = {}): readonly string[] {
  return short(tlsResultsOf({ ...CONTEXT, ...context }, { ...FINE, ...session }));
}

describe('a session', () => {
  it('34: counts for the domain and for the host', () => {
    assert.deepEqual(told({}), [
      'remote.example no-policy-found 1/0',
      'h mx.remote.example no-policy-found 1/0',
    ]);
  });

  it('34: of a domain that is its own host counts once under each policy', () => {
    const host = 'remote.example';
    const records = [tlsa(3)];
    assert.deepEqual(told({ host }), ['remote.example no-policy-found 1/0']);
    assert.deepEqual(told({ host, tlsa: records, dane: 'proven' }), ['h remote.example tlsa 1/0']);
    assert.deepEqual(told({ host, sts: ENFORCED }), ['remote.example sts 1/0']);
    assert.deepEqual(told({ host, sts: ENFORCED, tlsa: records, dane: 'proven' }), [
      'remote.example sts 1/0',
      'h remote.example tlsa 1/0',
    ]);
  });

  it('35: shows the policy of the domain as it was served', () => {
    const [result] = tlsResultsOf({ ...CONTEXT, sts: ENFORCED }, FINE);
    const strings = ['version: STSv1', 'mode: enforce', 'mx: *.remote.example', 'max_age: 86400'];
    assert.deepEqual(result?.policy, { type: 'sts', strings, mxHosts: ['*.remote.example'] });
  });

  it('does not show a policy that protects nothing', () => {
    const policy = { mode: 'none', mx: [], maxAgeSeconds: 1 } as const;
    const sts = { type: 'policy', policy, text: TEXT } as const;
    assert.deepEqual(told({ sts })[0], 'remote.example no-policy-found 1/0');
  });

  it('36: shows the records of the host', () => {
    const context = { ...CONTEXT, tlsa: [tlsa(3), tlsa(2, 0)], dane: 'proven' } as const;
    const [, result] = tlsResultsOf(context, FINE);
    const digest = '07'.repeat(32);
    const strings = [`3 1 1 ${digest}`, `2 0 1 ${digest}`];
    assert.deepEqual(result?.policy, { type: 'tlsa', strings, mxHosts: [] });
    assert.deepEqual(told(context), [
      'remote.example no-policy-found 1/0',
      'h mx.remote.example tlsa 1/0',
    ]);
  });
});

describe('a certificate', () => {
  const detail = 'certificate-host-mismatch ERR_TLS_CERT_ALTNAME_INVALID';

  it('37: that is wrong where nobody insists is told, and no failure', () => {
    assert.deepEqual(told({}, { problem: MISMATCH }), [
      `remote.example no-policy-found 1/0; 0 ${detail}`,
      `h mx.remote.example no-policy-found 1/0; 0 ${detail}`,
    ]);
    const [result] = tlsResultsOf(CONTEXT, { ...FINE, problem: MISMATCH });
    const { state: _, ...where } = FINE;
    const receivingMx = 'mx.remote.example';
    assert.deepEqual(result?.details, [{ ...MISMATCH, ...where, receivingMx, sessions: 0 }]);
  });

  it('37: that is wrong under an enforced policy is a failure', () => {
    assert.deepEqual(told({ sts: ENFORCED }, { state: 'failed', problem: MISMATCH }), [
      `remote.example sts 0/1; 1 ${detail}`,
      `h mx.remote.example no-policy-found 0/1; 1 ${detail}`,
    ]);
  });

  it('that DANE has proven needs nobody else, except for the policy of the domain', () => {
    const proven = { tlsa: [tlsa(3)], dane: 'proven' } as const;
    assert.deepEqual(told(proven, { problem: MISMATCH }), [
      'remote.example no-policy-found 1/0',
      'h mx.remote.example tlsa 1/0',
    ]);
    const [ofDomain] = told({ ...proven, sts: ENFORCED }, { problem: MISMATCH });
    assert.equal(ofDomain, `remote.example sts 1/0; 0 ${detail}`);
  });

  it('40: that matches no record is a failure', () => {
    const problem = { resultType: 'validation-failure', reasonCode: 'dane-no-match' } as const;
    const context = { tlsa: [tlsa(3)], dane: 'proven' } as const;
    assert.deepEqual(told(context, { state: 'failed', problem }), [
      'remote.example no-policy-found 0/1; 1 validation-failure dane-no-match',
      'h mx.remote.example tlsa 0/1; 1 validation-failure dane-no-match',
    ]);
  });

  it('40: need not match records of which none can be used', () => {
    assert.deepEqual(told({ tlsa: [tlsa(0)], dane: 'unusable' }), [
      'remote.example no-policy-found 1/0',
      'h mx.remote.example tlsa 1/0; 0 tlsa-invalid all-unusable-records+ignored',
    ]);
  });
});

describe('STARTTLS', () => {
  it('38: that is missing where it may be is told, and no failure', () => {
    const problem = { resultType: 'starttls-not-supported', reasonCode: '' } as const;
    assert.deepEqual(told({}, { state: 'plain', problem }), [
      'remote.example no-policy-found 0/0; 0 starttls-not-supported',
      'h mx.remote.example no-policy-found 0/0; 0 starttls-not-supported',
    ]);
  });
});

describe('a policy of the domain', () => {
  const failure = { resultType: 'sts-policy-fetch-error', reason: 'no-policy-served' } as const;

  it('41: that cannot be fetched is told, and no failure of a session', () => {
    assert.deepEqual(told({ sts: { type: 'none', failure } }), [
      'remote.example no-policy-found 1/0; 0 sts-policy-fetch-error no-policy-served',
      'h mx.remote.example no-policy-found 1/0',
    ]);
    const reason = `${failure.reason}+fallback-to-cached-policy`;
    assert.deepEqual(
      told({ sts: { ...ENFORCED, failure: { ...failure, reason } } })[0],
      `remote.example sts 1/0; 0 sts-policy-fetch-error ${reason}`,
    );
  });

  it('39: that does not name the host is a failure, without a session', () => {
    const host = 'other.example';
    const problem = {
      resultType: 'validation-failure',
      reasonCode: 'mtasts-policy-mx-mismatch',
    } as const;
    const about = { recipientDomain: 'remote.example', sts: ENFORCED, report: undefined };
    const result = unreachedResult(about, { host, of: 'domain', ...problem });
    const detail = `validation-failure ${problem.reasonCode}`;
    assert.deepEqual(short([result]), [`remote.example sts 0/1; 1 ${detail}`]);
    assert.equal(result.details[0]?.receivingMx, host);
    // Where it is only tested, or the sender does not care, mail goes all the same.
    assert.deepEqual(
      told({ sts: ENFORCED, isMxMismatch: true })[0],
      `remote.example sts 1/0; 0 ${detail}`,
    );
  });

  it('has nothing to do with records that cannot be looked up', () => {
    const about = { recipientDomain: 'remote.example', sts: ENFORCED, report: undefined };
    const problem = { resultType: 'dnssec-invalid', reasonCode: 'extended-dns-error-6' } as const;
    const result = unreachedResult(about, { host: 'mx.example', of: 'host', ...problem });
    assert.deepEqual(short([result]), [
      'h mx.example no-policy-found 0/1; 1 dnssec-invalid extended-dns-error-6',
    ]);
  });
});

describe('a report of ours', () => {
  it('45: is no reason for a report, unless it is about DMARC and fails', () => {
    const asks = (report: TlsContext['report'], state: TlsSession['state']): readonly boolean[] =>
      tlsResultsOf({ ...CONTEXT, report }, { ...FINE, state }).map(({ sendReport }) => sendReport);
    assert.deepEqual(asks(undefined, 'established'), [true, true]);
    assert.deepEqual(asks('tls', 'established'), [false, false]);
    assert.deepEqual(asks('tls', 'failed'), [false, false]);
    assert.deepEqual(asks('dmarc', 'established'), [false, false]);
    assert.deepEqual(asks('dmarc', 'failed'), [true, true]);
  });
});

const NAME_DETAIL = 'certificate-host-mismatch ERR_TLS_CERT_ALTNAME_INVALID';
const STARTTLS = { words: ['STARTTLS'] };
const WRONG_NAME: HostScript = {
  ...STARTTLS,
  shown: { chain: [], problem: 'ERR_TLS_CERT_ALTNAME_INVALID' },
};

const PROVEN: Readonly<Record<string, Zone>> = {
  ...THERE,
  'mx.there.example': { A: ['192.0.2.1'] },
  '_25._tcp.mx.there.example': { TLSA: [tlsa(3)] },
};

function policy(...mx: readonly string[]): Partial<RemotePorts> {
  const outcome: StsOutcome = {
    type: 'policy',
    policy: { mode: 'enforce', mx, maxAgeSeconds: 1 },
    text: 'version: STSv1\nmode: enforce\n',
  };
  return { stsPolicyFor: () => Promise.resolve(outcome) };
}

/** What is told of one message to bob@there.example. */
async function attempted(
  script: HostScript,
  options: RemoteOptions = {},
  more: Parameters<typeof sentAlone>[1] = {},
): Promise<readonly string[]> {
  const { world } = await sentAlone({ hosts: { '192.0.2.1': script }, ...options }, more);
  return short(world.tlsResults.noted);
}

describe('an attempt', () => {
  it('34: tells of the domain and of the host', async () => {
    const { world } = await sentAlone({ hosts: { '192.0.2.1': STARTTLS } });
    assert.deepEqual(short(world.tlsResults.noted), [
      'there.example no-policy-found 1/0',
      'h mx.there.example no-policy-found 1/0',
    ]);
    assert.deepEqual(
      world.tlsResults.noted.map(({ recipientDomain, isHost }) => [recipientDomain, isHost]),
      [
        ['there.example', false],
        ['there.example', true],
      ],
    );
  });

  it('34: at a domain that is its own host tells of the records only', async () => {
    const zones = {
      'there.example': { A: ['192.0.2.1'] },
      '_25._tcp.there.example': { TLSA: [tlsa(0)] },
    };
    const detail = '0 tlsa-invalid all-unusable-records+ignored';
    assert.deepEqual(await attempted(STARTTLS, { zones }), [`h there.example tlsa 1/0; ${detail}`]);
  });

  it('35: tells under which policy', async () => {
    assert.deepEqual(await attempted(STARTTLS, { ports: policy('mx.there.example') }), [
      'there.example sts 1/0',
      'h mx.there.example no-policy-found 1/0',
    ]);
  });

  it('37, smtp 111: delivers with a certificate for another name, and tells of it', async () => {
    const { world, outcome } = await sentAlone({ hosts: { '192.0.2.1': WRONG_NAME } });
    assert.equal(outcome.type, 'delivered');
    assert.ok(world.hosts.mail[0]?.isSecure);
    assert.deepEqual(short(world.tlsResults.noted), [
      `there.example no-policy-found 1/0; 0 ${NAME_DETAIL}`,
      `h mx.there.example no-policy-found 1/0; 0 ${NAME_DETAIL}`,
    ]);
    const [detail] = world.tlsResults.noted[0]?.details ?? [];
    assert.deepEqual([detail?.sendingIp, detail?.receivingIp], ['198.51.100.1', '192.0.2.1']);
  });

  it('37: tells of a failure where a policy insists', async () => {
    assert.deepEqual(await attempted(WRONG_NAME, { ports: policy('mx.there.example') }), [
      `there.example sts 0/1; 1 ${NAME_DETAIL}`,
      `h mx.there.example no-policy-found 0/1; 1 ${NAME_DETAIL}`,
    ]);
  });

  it('38: tells that STARTTLS is missing, or refused', async () => {
    const [missing] = await attempted({});
    assert.equal(missing, 'there.example no-policy-found 0/0; 0 starttls-not-supported');
    const [refused] = await attempted(answering({ STARTTLS: '454 4.7.0 no' }, STARTTLS));
    const detail = '1 starttls-not-supported smtp-starttls-reply-code-454';
    assert.equal(refused, `there.example no-policy-found 0/1; ${detail}`);
  });

  it('39: tells of a host that the policy does not name, and does not ask it', async () => {
    const { world } = await sentAlone({ ports: policy('other.example') });
    assert.deepEqual(world.hosts.dialed, []);
    assert.deepEqual(short(world.tlsResults.noted), [
      'there.example sts 0/1; 1 validation-failure mtasts-policy-mx-mismatch',
    ]);
    assert.equal(world.tlsResults.noted[0]?.details[0]?.receivingMx, 'mx.there.example');
  });

  it('40: tells that no record matches', async () => {
    const detail = '1 validation-failure dane-no-certificate';
    assert.deepEqual(await attempted(STARTTLS, { zones: PROVEN }), [
      `there.example no-policy-found 0/1; ${detail}`,
      `h mx.there.example tlsa 0/1; ${detail}`,
    ]);
  });

  it('40: tells of records that cannot be looked up', async () => {
    const failing = { fails: ['TLSA'], why: 'bogus' } as const;
    const zones = { ...PROVEN, '_25._tcp.mx.there.example': failing };
    assert.deepEqual(await attempted(STARTTLS, { zones }), [
      'h mx.there.example no-policy-found 0/1; 1 dnssec-invalid dns-bogus',
    ]);
  });

  it('43, smtp 111: that goes on without TLS is one failure', async () => {
    const { world, outcome } = await sentAlone({
      hosts: { '192.0.2.1': { ...STARTTLS, shown: false } },
    });
    assert.equal(outcome.type, 'delivered');
    assert.equal(world.hosts.heard.length, 2);
    const [ofDomain, ...others] = short(world.tlsResults.noted);
    assert.match(ofDomain ?? '', /^there\.example no-policy-found 0\/1; 1 validation-failure/);
    assert.equal(others.length, 1);
  });

  it('tells of every host that it has asked', async () => {
    const busy = answering({ MAIL: '451 4.3.0 later' }, STARTTLS);
    const { world } = await sentAlone({ ...twoHosts(busy, STARTTLS), zones: TWO });
    assert.deepEqual(short(world.tlsResults.noted), [
      'there.example no-policy-found 1/0',
      'h a.there.example no-policy-found 1/0',
      'there.example no-policy-found 1/0',
      'h b.there.example no-policy-found 1/0',
    ]);
  });

  it('44: at an address literal tells nothing', async () => {
    const recipient = 'bob@[192.0.2.1]';
    assert.deepEqual(await attempted(STARTTLS, {}, { recipient }), []);
  });

  it('45: with a report of ours is no reason for a report', async () => {
    const asks = async (report: 'dmarc' | 'tls', script: HostScript): Promise<unknown> => {
      const { world } = await sentAlone({ hosts: { '192.0.2.1': script } }, { report });
      return world.tlsResults.noted[0]?.sendReport;
    };
    const broken = { ...STARTTLS, shown: false } as const;
    assert.equal(await asks('tls', STARTTLS), false);
    assert.equal(await asks('tls', broken), false);
    assert.equal(await asks('dmarc', STARTTLS), false);
    assert.equal(await asks('dmarc', broken), true);
  });
});
