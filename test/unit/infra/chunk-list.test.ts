/**
 * Octets stay in their order, and those that come one by one do not cost more than others.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ChunkList } from '#infra/chunk-list';

describe('a list of chunks', () => {
  it('gives what it was given, once', () => {
    const length = fc.oneof(fc.nat(5), fc.nat(3_000), fc.constant(20_000));
    fc.assert(
      fc.property(fc.array(length, { maxLength: 100 }), (lengths) => {
        const list = new ChunkList();
        for (let round = 0; round < 2; round++) {
          const chunks = lengths.map((bytes, i) => Buffer.alloc(bytes, i + round));
          for (const chunk of chunks) list.push(chunk);
          const all = Buffer.concat(chunks);
          assert.equal(list.bytes, all.length);
          assert.ok(Buffer.concat(list.take()).equals(all));
          assert.equal(list.bytes, 0);
        }
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  it('does not become long by octets that come one by one', () => {
    const list = new ChunkList();
    for (let i = 0; i < 100_000; i++) list.push(Buffer.of(i & 0xff));
    const chunks = list.take();
    assert.ok(chunks.length < 30, `${chunks.length} chunks`);
    assert.equal(Buffer.concat(chunks).at(99_999), 99_999 & 0xff);
  });

  it('keeps large chunks as they are', () => {
    const list = new ChunkList();
    const chunks = Array.from({ length: 50 }, () => Buffer.alloc(4_000));
    for (const chunk of chunks) list.push(chunk);
    for (const [i, chunk] of list.take().entries()) assert.equal(chunk, chunks[i]);
  });
});
