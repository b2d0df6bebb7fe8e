/**
 * Whatever arrives instead of an answer of DNS, or of a policy: it is read or it is not.
 * `FUZZ_RUNS` is how often each is tried, `SEED` with which.
 */

import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import { encode } from 'dns-packet';
import fc from 'fast-check';
import { decodeAnswer } from '#infra/dns-wire';
import type { DnsType } from '#protocols/ports-remote';
import { parseStsPolicy, parseStsRecord, stsAllows } from '#protocols/trust/mta-sts';

const TYPES: readonly DnsType[] = ['A', 'AAAA', 'CNAME', 'MX', 'PTR', 'TLSA', 'TXT'];
const NAME = 'a.example';
const FUZZ_RUNS = process.env['FUZZ_RUNS'];
const SEED = Number(
  process.env['SEED'] ?? (FUZZ_RUNS === undefined ? 20260105 : Date.now() % 2 ** 31),
);

function runs(usual: number): { numRuns: number; seed: number } {
  return { numRuns: Number(FUZZ_RUNS ?? usual), seed: SEED };
}
const at = { name: NAME, class: 'IN', ttl: 60 } as const;

/** An answer with a bit of everything. */
function rich(type: DnsType): Buffer {
  return encode({
    type: 'response',
    id: 1,
    flags: 0x01a0,
    questions: [{ type, name: NAME, class: 'IN' }],
    answers: [
      { ...at, type: 'A', data: '192.0.2.1' },
      { ...at, type: 'AAAA', data: '2001:db8::1' },
      { ...at, type: 'MX', data: { preference: 1, exchange: 'mx.example' } },
      { ...at, type: 'TXT', data: ['v=spf1', ' -all'] },
      {
        ...at,
        type: 'TLSA',
        data: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.alloc(32) },
      },
      { ...at, type: 'CNAME', data: 'b.example' },
    ],
  });
}

function check(octets: Buffer, type: DnsType): void {
  const answer = decodeAnswer(octets, { id: 1, type, name: NAME });
  if (answer === undefined) return;
  assert.ok(answer.ttlSeconds >= 0);
  for (const record of answer.records) {
    assert.notEqual(record, undefined);
    if (type === 'A') assert.equal(isIP(typeof record === 'string' ? record : ''), 4);
  }
}

const anyType = fc.constantFrom(...TYPES);

describe('dns answers of strangers', () => {
  it('may be any octets', () => {
    fc.assert(
      fc.property(anyType, fc.uint8Array({ maxLength: 600 }), (type, octets) =>
        check(Buffer.from(octets), type),
      ),
      runs(500),
    );
  });

  it('may be answers in which octets were changed', () => {
    const change = fc.tuple(fc.nat(400), fc.nat(255));
    fc.assert(
      fc.property(anyType, fc.array(change, { minLength: 1, maxLength: 8 }), (type, changes) => {
        const octets = rich(type);
        for (const [where, value] of changes) octets[where % octets.length] = value;
        check(octets, type);
      }),
      runs(3000),
    );
  });

  it('may be cut anywhere', () => {
    for (const type of TYPES) {
      const octets = rich(type);
      for (let end = 0; end <= octets.length; end++) check(octets.subarray(0, end), type);
    }
  });
});

describe('policies of strangers', () => {
  const line = fc.oneof(
    fc.constantFrom('version: STSv1', 'mode: enforce', 'max_age: 1', 'mx: *.a.example', 'mx:', ':'),
    fc.string({ unit: 'binary', maxLength: 40 }),
  );

  it('may be any text: those that are read allow only hosts that they name', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), fc.string(), (lines, host) => {
        const policy = parseStsPolicy(lines.join('\n'));
        if (policy === undefined) return;
        assert.ok(policy.mx.length > 0 || policy.mode === 'none');
        assert.equal(stsAllows(policy, 'b.other.example'), false);
        assert.equal(stsAllows(policy, host), policy.mx.includes(host));
      }),
      runs(500),
    );
  });

  it('may be any record', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string().map((rest) => `v=STSv1; id=1;${rest}`),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 3 }), (texts) => {
        const record = parseStsRecord(texts);
        if (record.type === 'record') assert.match(record.id, /^[A-Za-z0-9]{1,32}$/);
      }),
      runs(500),
    );
  });
});
