/**
 * Every field of an event counts in its digest, and every digest in the hash of its commit.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chainStart, commitHash, type DigestedEvent, eventDigest } from '#infra/event-digest';

const EVENT: DigestedEvent = {
  position: 7,
  stream: 'account-1',
  revision: 3,
  type: 'ThingHappened',
  version: 1,
  at: 1_700_000_000_000,
  id: '00112233445566778899aabbccddeeff',
  data: '{"n":1}',
  meta: '{"actor":"system:test"}',
};

describe('event digest', () => {
  it('is the same for ever', () => {
    assert.equal(
      eventDigest(EVENT).toString('hex'),
      '534e356608576dfede1153c95e63ac660532af93136b4e7131f87a0dcb352753',
    );
    assert.equal(
      commitHash(chainStart('x'), [eventDigest(EVENT)]).toString('hex'),
      'c2843fbfa44047f49e9ee7b6f89ae478b0f89c5ed2995746b83a05510b3ce1af',
    );
  });

  it('changes with every field', () => {
    const others: DigestedEvent[] = [
      { ...EVENT, position: 8 },
      { ...EVENT, stream: 'account-2' },
      { ...EVENT, revision: 4 },
      { ...EVENT, type: 'OtherHappened' },
      { ...EVENT, version: 2 },
      { ...EVENT, at: EVENT.at + 1 },
      { ...EVENT, id: EVENT.id.replace('0', '1') },
      { ...EVENT, data: '{"n":2}' },
      { ...EVENT, meta: '{"actor":"system:other"}' },
      { ...EVENT, data: EVENT.data + EVENT.meta, meta: '' },
    ];
    const digests = new Set([EVENT, ...others].map((event) => eventDigest(event).toString('hex')));
    assert.equal(digests.size, others.length + 1);
  });

  it('counts in the hash of the commit, in its order and behind the commit before', () => {
    const one = eventDigest(EVENT);
    const two = eventDigest({ ...EVENT, position: 8 });
    const start = chainStart('log');
    const hashes = [
      commitHash(start, [one, two]),
      commitHash(start, [two, one]),
      commitHash(start, [one]),
      commitHash(chainStart('other log'), [one, two]),
    ];
    assert.equal(new Set(hashes.map((hash) => hash.toString('hex'))).size, hashes.length);
  });
});
