/**
 * How results of TLS are put together, and how much of what others say is recorded.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MISMATCH, WENT_WELL, WENT_WRONG } from '../../../support/tls-results.ts';
import { EVENT_BYTES_MAX } from '#domain/log/event-log';
import {
  decideReport,
  recordableResult,
  TLS_DETAILS_MAX,
  tlsResultKey,
  together,
  type GatheredTlsResult,
} from '#domain/report/decide';
import type { TlsDetail, TlsResult } from '#domain/report/events';

const DAY = '2026-01-01';

function gathered(...results: readonly TlsResult[]): GatheredTlsResult | undefined {
  return results
    .map((result) => recordableResult(result, DAY))
    .reduce<GatheredTlsResult | undefined>(together, undefined);
}

describe('results under one policy', () => {
  it('46: add up, and equal details are one', () => {
    const sum = gathered(WENT_WELL, WENT_WRONG, WENT_WRONG, WENT_WRONG);
    assert.deepEqual(sum, {
      ...WENT_WELL,
      day: DAY,
      successes: 1,
      failures: 3,
      details: [{ ...MISMATCH, sessions: 3 }],
    });
  });

  it('keep details apart that differ in anything', () => {
    const others = [
      { receivingIp: '192.0.2.2' },
      { sendingIp: '::1' },
      { receivingMx: 'mx2.example.org' },
      { receivingHelo: 'x' },
      { reasonCode: 'y' },
      { resultType: 'certificate-expired' },
    ] as const satisfies readonly Partial<TlsDetail>[];
    const details = [MISMATCH, ...others.map((other) => ({ ...MISMATCH, ...other }))];
    assert.deepEqual(gathered(WENT_WRONG, { ...WENT_WRONG, details })?.details, [
      { ...MISMATCH, sessions: 2 },
      ...details.slice(1),
    ]);
  });

  it('45: are a reason to report when one of them is', () => {
    const ofReport = { ...WENT_WELL, sendReport: false };
    assert.equal(gathered(ofReport, ofReport)?.sendReport, false);
    assert.equal(gathered(ofReport, WENT_WELL, ofReport)?.sendReport, true);
  });

  it('are other ones on another day, for another domain or under another policy', () => {
    const one = recordableResult(WENT_WELL, DAY);
    const others: readonly GatheredTlsResult[] = [
      { ...one, day: '2026-01-02' },
      { ...one, recipientDomain: 'example.com' },
      { ...one, policyDomain: 'mx.example.org' },
      { ...one, isHost: true },
      { ...one, policy: { ...one.policy, type: 'tlsa' } },
      { ...one, policy: { ...one.policy, strings: [] } },
      { ...one, policy: { ...one.policy, mxHosts: [] } },
    ];
    assert.equal(new Set([one, ...others].map(tlsResultKey)).size, others.length + 1);
    assert.equal(tlsResultKey({ ...one, sendReport: false, successes: 7 }), tlsResultKey(one));
  });
});

describe('what others say', () => {
  it('is recorded as it was served', () => {
    const text = 'version: STSv1\tmode: “enforce”';
    const policy = { ...WENT_WELL.policy, strings: ['a', text] };
    const recorded = recordableResult({ ...WENT_WELL, policy }, DAY);
    assert.deepEqual(recorded.policy.strings, ['a', 'version: STSv1 mode: “enforce”']);
  });

  it('fits into a fact whatever it is', () => {
    const long = '\u2028"\\\ud800€'.repeat(100_000);
    const texts = [...Array.from({ length: 500 }, () => '€"'.repeat(100)), long];
    const detail = { ...MISMATCH, receivingMx: long, receivingHelo: long, reasonCode: long };
    let sum: GatheredTlsResult | undefined;
    for (let i = 0; i < 200; i++) {
      const details = [{ ...detail, receivingIp: `2001:db8:1:2:3:4:5:${i}` }];
      const policy = { type: 'sts', strings: texts, mxHosts: texts } as const;
      sum = together(sum, recordableResult({ ...WENT_WRONG, policy, details }, DAY));
    }
    assert.ok(sum !== undefined);
    assert.deepEqual([sum.failures, sum.details.length], [200, TLS_DETAILS_MAX]);
    assert.ok(sum.details.every(({ receivingHelo }) => /^[!-~]{1,255}$/.test(receivingHelo)));
    const { events } = decideReport({ type: 'RecordTlsResult', result: sum });
    assert.equal(events.length, 1);
    assert.ok(Buffer.byteLength(JSON.stringify(events)) < EVENT_BYTES_MAX);
  });
});
