/**
 * Whatever a power cut leaves of a segment, what is read from it is what was written into it.
 */

import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MARK_BYTES, recordHeader, recordsIn, type BodyRecord } from '#infra/body-records';

const MARK = Buffer.alloc(MARK_BYTES, 7);

function record(accountId: number, octets: Buffer, mark = MARK): Buffer {
  const header = recordHeader(mark, accountId, hash('sha256', octets), octets.length);
  return Buffer.concat([header, octets]);
}

function repeated(accountId: number, octets: Buffer): Buffer {
  return recordHeader(MARK, accountId, hash('sha256', octets), undefined);
}

function plain(records: Iterable<BodyRecord>): readonly (readonly [number, string])[] {
  return Array.from(records, ({ accountId, octets }) => [accountId, octets.toString('latin1')]);
}

const ONE = Buffer.from('one');
const TWO = Buffer.from('two\r\n');
const SEGMENT = Buffer.concat([
  record(1, ONE),
  record(2, TWO),
  repeated(3, ONE),
  record(2, Buffer.alloc(0)),
]);
const ALL = [
  [1, 'one'],
  [2, 'two\r\n'],
  [3, 'one'],
  [2, ''],
] as const;

describe('records of a segment', () => {
  it('come back in their order, with zeros behind them', () => {
    assert.deepEqual(plain(recordsIn(Buffer.concat([SEGMENT, Buffer.alloc(5000)]))), ALL);
    assert.deepEqual(plain(recordsIn(Buffer.alloc(5000))), []);
    assert.deepEqual(plain(recordsIn(Buffer.alloc(0))), []);
  });

  it('are a beginning of them wherever the segment is cut', () => {
    for (let end = 0; end < SEGMENT.length; end++) {
      const found = plain(recordsIn(SEGMENT.subarray(0, end)));
      assert.deepEqual(found, ALL.slice(0, found.length));
      assert.ok(found.length < ALL.length);
    }
  });

  it('are a beginning of them whichever octets are others', () => {
    fc.assert(
      fc.property(fc.nat(SEGMENT.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const harmed = Buffer.from(SEGMENT);
        harmed.writeUInt8(harmed.readUInt8(at) ^ flip, at);
        const found = plain(recordsIn(harmed));
        assert.deepEqual(found, ALL.slice(0, found.length));
      }),
    );
  });

  it('end where those of an earlier use begin', () => {
    const before = record(9, Buffer.from('before'), Buffer.alloc(MARK_BYTES, 8));
    assert.deepEqual(plain(recordsIn(Buffer.concat([record(1, ONE), before]))), [[1, 'one']]);
  });

  it('end where one repeats what is not there', () => {
    assert.deepEqual(plain(recordsIn(Buffer.concat([repeated(1, ONE), record(1, ONE)]))), []);
  });
});
