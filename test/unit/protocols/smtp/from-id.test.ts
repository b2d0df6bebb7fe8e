/** Reverse-paths with an id of their own, and what comes back to them. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fakeRandom } from '../../../support/clock.ts';
import { parseAddress } from '#domain/values/address';
import { fromIdReferences, newFromId, withFromIds } from '#protocols/smtp/from-id';
import type { Random } from '#protocols/ports';

const ALICE = { localpart: 'alice', domain: 'example.org' };

function tagged(localpart: string, recipients = ['x@a.example'], separators = '+'): object {
  return withFromIds({ ...ALICE, localpart }, separators, recipients, fakeRandom()) ?? {};
}

describe('an id', () => {
  it('is 26 characters of base32 in lower case: all 16 octets and nothing else', () => {
    const of = (octets: Buffer): string => newFromId({ ...fakeRandom(), bytes: () => octets });
    assert.equal(of(Buffer.alloc(16)), 'a'.repeat(26));
    assert.equal(of(Buffer.alloc(16, 0xff)), `${'7'.repeat(25)}4`);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (octets) => {
        const id = of(Buffer.from(octets));
        assert.match(id, /^[a-z2-7]{26}$/);
        assert.deepEqual(octetsOf(id), Buffer.from(octets));
      }),
      { numRuns: 200 },
    );
  });

  it('finds back from every reverse-path that it was put into', () => {
    const localpart = fc.stringMatching(/^[a-z.+-]{1,60}$/);
    const separators = fc.constantFrom('+', '-', '+-', '');
    fc.assert(
      fc.property(localpart, separators, fc.nat(), (text, of, seed) => {
        const from = { localpart: text, domain: 'example.org' };
        const random: Random = fakeRandom(String(seed));
        const [first] = withFromIds(from, of, ['x@a.example'], random) ?? [];
        const { fromId } = first ?? {};
        if (fromId === undefined) return;
        const back = parseAddress(fromId.mailFrom, String);
        assert.ok(back !== undefined && back.localpart.length <= 64);
        const [reference] = fromIdReferences(back, of);
        assert.deepEqual(reference, { type: 'from-id', fromId: fromId.id });
      }),
      { numRuns: 300 },
    );
  });
});

/** RFC 4648 §6, read the other way. */
function octetsOf(id: string): Buffer {
  const digits = Array.from(id, (char) => 'abcdefghijklmnopqrstuvwxyz234567'.indexOf(char));
  const bits = digits.map((digit) => digit.toString(2).padStart(5, '0')).join('');
  return Buffer.from(bits.match(/[01]{8}/g)?.map((octet) => parseInt(octet, 2)) ?? []);
}

describe('MAIL FROM under a login with ids (smtp 96, webapi 13)', () => {
  it('gets an id per recipient', () => {
    const [first, second, ...more] =
      withFromIds(ALICE, '+', ['x@a.example', 'y@a.example'], fakeRandom()) ?? [];
    assert.match(first?.fromId?.mailFrom ?? '', /^alice\+[a-z2-7]{26}@example\.org$/);
    assert.equal(first?.fromId?.mailFrom, `alice+${first?.fromId?.id}@example.org`);
    assert.notEqual(first?.fromId?.id, second?.fromId?.id);
    assert.deepEqual(more, []);
  });

  it('gets the first of several separators', () => {
    const [one] = withFromIds(ALICE, '-+', ['x@a.example'], fakeRandom()) ?? [];
    assert.match(one?.fromId?.mailFrom ?? '', /^alice-[a-z2-7]{26}@/);
  });

  it('brings its own id for one recipient, not for several', () => {
    const fromId = { id: 'Own.1', mailFrom: 'alice+Own.1@example.org' };
    assert.deepEqual(tagged('alice+Own.1'), [{ recipient: 'x@a.example', fromId }]);
    const several = withFromIds({ ...ALICE, localpart: 'alice+x' }, '+', ['a', 'b'], fakeRandom());
    assert.equal(several, undefined);
  });

  it('wants no id with nothing behind the separator', () => {
    assert.deepEqual(tagged('alice+', ['a', 'b']), [{ recipient: 'a' }, { recipient: 'b' }]);
  });

  it('stays as it is where an id would not fit', () => {
    const bare = [{ recipient: 'x@a.example' }];
    assert.deepEqual(tagged('a'.repeat(38)), bare, 'more than 64 octets');
    assert.notDeepEqual(tagged('a'.repeat(37)), bare);
    assert.deepEqual(tagged('alice', ['x@a.example'], ''), bare, 'no separator');
    assert.deepEqual(tagged(''), bare, 'the null reverse-path');
  });
});

describe('what comes back', () => {
  const references = (localpart: string): unknown =>
    fromIdReferences({ ...ALICE, localpart }, '+').map((one) => 'fromId' in one && one.fromId);

  it('is looked for as it was written, then in lower case', () => {
    assert.deepEqual(references('alice+abc'), ['abc']);
    assert.deepEqual(references('alice+ABC'), ['ABC', 'abc']);
    assert.deepEqual(references('alice+a+b'), ['a+b']);
  });

  it('says nothing without an id', () => {
    assert.deepEqual(references('alice'), []);
    assert.deepEqual(references('alice+'), []);
    assert.deepEqual(references('+alice'), []);
  });
});
