/**
 * What a session with a host says under the policies of the domain and of the host.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tlsa } from '../../../support/dns.ts';
import type { TlsResult } from '#domain/report/events';
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
