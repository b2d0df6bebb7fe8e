/**
 * A page of marks holds what was put into it, and is stored in one form only.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { MessageMark } from '#domain/message/state';
import { DELETED, editedFlags, SEEN, type FlagEdit } from '#domain/values/flags';
import { flagTerms } from '#projections/flag-edits';
import { firstUidOf, lastUidOf, MarkPage, pageOf } from '#projections/mark-page';

const NUMBER = 16_777_215;
const FIRST = firstUidOf(NUMBER);
const LAST = lastUidOf(NUMBER);

const arbitraryMark: fc.Arbitrary<MessageMark> = fc.record(
  {
    uid: fc.integer({ min: FIRST, max: LAST }),
    bits: fc.nat({ max: 1023 }),
    keywords: fc.constantFrom('', '', 'later', 'work', 'later work'),
    modSeq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  },
  { noNullPrototype: true },
);
const arbitraryMarks = fc.array(arbitraryMark, { maxLength: 300, size: 'max' });

function pageWith(marks: readonly MessageMark[]): MarkPage {
  const page = new MarkPage(NUMBER);
  for (const mark of marks) page.put(mark);
  return page;
}

function marksOf(page: MarkPage, from = FIRST, to = LAST, since = 0): readonly MessageMark[] {
  const marks: MessageMark[] = [];
  page.each(from, to, since, (uid, bits, keywords, modSeq) => {
    marks.push({ uid, bits, keywords, modSeq });
  });
  return marks;
}

/** By UID, the last of each. */
function inOrder(marks: readonly MessageMark[]): readonly MessageMark[] {
  return [...new Map(marks.map((mark) => [mark.uid, mark])).values()].sort((a, b) => a.uid - b.uid);
}

function readBack(page: MarkPage): MarkPage {
  const { marks, keywords } = page.encoded();
  return MarkPage.decoded(NUMBER, marks, keywords);
}

const RUNS = { numRuns: 100, seed: 20_260_701 };

describe('a page', () => {
  it('has the UIDs that share all but their last eight bits, up to the highest there is', () => {
    assert.equal(pageOf(FIRST), NUMBER);
    assert.equal(pageOf(LAST), NUMBER);
    assert.equal(pageOf(FIRST - 1), NUMBER - 1);
    assert.equal(LAST, 2 ** 32 - 1);
  });

  it('shows what was put into it, ascending', () => {
    fc.assert(
      fc.property(arbitraryMarks, (marks) => {
        assert.deepEqual(marksOf(pageWith(marks)), inOrder(marks));
      }),
      RUNS,
    );
  });

  it('shows the part that is asked for', () => {
    const page = pageWith([1, 5, 9].map((n) => mark(FIRST + n, 0, '', 100 + n)));
    const shown = (from: number, to: number, since = 0): readonly number[] =>
      marksOf(page, from, to, since).map(({ uid }) => uid - FIRST);
    assert.deepEqual(shown(0, 2 ** 32 - 1), [1, 5, 9]);
    assert.deepEqual(shown(FIRST + 2, FIRST + 9), [5, 9]);
    assert.deepEqual(shown(FIRST, LAST, 105), [9]);
    assert.deepEqual(shown(FIRST, LAST, 109), []);
  });

  it('is changed without its copies', () => {
    const page = pageWith([mark(FIRST, SEEN, 'work', 5)]);
    const copy = page.copy();
    copy.edit(FIRST, LAST, flagTerms({ exactly: ['later'] }), 6);
    copy.put(mark(LAST, 0, '', 7));
    assert.deepEqual(marksOf(page), [mark(FIRST, SEEN, 'work', 5)]);
    copy.remove(FIRST, LAST);
    assert.ok(copy.isEmpty && !page.isEmpty);
  });
});

const EDITS: readonly FlagEdit[] = [
  { add: ['\\Seen'], remove: [] },
  { add: [], remove: ['\\Seen', 'work'] },
  { add: ['new', '\\Flagged'], remove: ['later', '\\Deleted'] },
  { exactly: ['$Junk', 'spam'] },
  { exactly: [] },
];

describe('an edit', () => {
  for (const edit of EDITS) {
    it(`${JSON.stringify(edit)} does to every message what it does to one`, () => {
      fc.assert(
        fc.property(arbitraryMarks, fc.nat({ max: 255 }), (marks, offset) => {
          const page = pageWith(marks);
          page.edit(FIRST + offset, LAST, flagTerms(edit), 77);
          const right = inOrder(marks).map((each) =>
            each.uid < FIRST + offset
              ? each
              : { uid: each.uid, ...editedFlags(each, edit), modSeq: 77 },
          );
          assert.deepEqual(marksOf(page), right);
        }),
        RUNS,
      );
    });
  }
});

describe('the stored form', () => {
  it('gives back the marks', () => {
    fc.assert(
      fc.property(arbitraryMarks, (marks) => {
        const page = pageWith(marks);
        assert.deepEqual(marksOf(readBack(page)), marksOf(page));
        assert.equal(readBack(page).isEmpty, page.isEmpty);
      }),
      RUNS,
    );
  });

  it('can be read from the middle of a buffer', () => {
    const page = pageWith([mark(FIRST, 3, '', 2 ** 40), mark(LAST, 5, 'work', 9)]);
    const { marks, keywords } = page.encoded();
    const shifted = new Uint8Array(marks.length + 3);
    shifted.set(marks, 3);
    const read = MarkPage.decoded(NUMBER, shifted.subarray(3), keywords);
    assert.deepEqual(marksOf(read), marksOf(page));
  });

  it('tells what is asked of pages that are not read', () => {
    fc.assert(
      fc.property(arbitraryMarks, (marks) => {
        const all = inOrder(marks);
        assert.partialDeepStrictEqual(pageWith(marks).encoded(), {
          modSeq: Math.max(0, ...all.map(({ modSeq }) => modSeq)),
          unseen: all.filter(({ bits }) => (bits & SEEN) === 0).length,
          deleted: all.filter(({ bits }) => (bits & DELETED) !== 0).length,
        });
      }),
      RUNS,
    );
  });

  it('does not show how the marks came to be', () => {
    fc.assert(
      fc.property(arbitraryMarks, arbitraryMarks, (marks, others) => {
        const page = readBack(pageWith(others));
        page.edit(FIRST, LAST, flagTerms({ add: ['passing'], remove: [] }), 3);
        page.remove(FIRST, LAST);
        for (const each of marks) page.put(each);
        assert.deepEqual(page.encoded(), pageWith(inOrder(marks)).encoded());
      }),
      RUNS,
    );
  });

  it('takes eleven octets a message, one more where keywords differ', () => {
    const uids = Array.from({ length: 256 }, (_, i) => FIRST + i);
    const bytes = (keywords: (uid: number) => string): number =>
      pageWith(uids.map((uid) => mark(uid, SEEN, keywords(uid), 9))).encoded().marks.length;
    assert.equal(
      bytes(() => ''),
      256 * 11,
    );
    assert.equal(
      bytes(() => 'work'),
      256 * 11,
    );
    assert.equal(
      bytes((uid) => `k${uid}`),
      256 * 12,
    );
  });
});

function mark(uid: number, bits: number, keywords: string, modSeq: number): MessageMark {
  return { uid, bits, keywords, modSeq };
}
