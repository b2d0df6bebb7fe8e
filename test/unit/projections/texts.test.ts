/**
 * A full-text index finds what is in the texts, wherever it stands, and nothing else.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ViewsDatabase } from '#infra/read-models';
import { foldText } from '#protocols/message/fold';
import type { MessageTexts } from '#domain/values/facts';
import {
  addTexts,
  checkTexts,
  findTexts,
  indexedSources,
  keepTexts,
  TEXT_MODELS,
  textsReached,
  writeTextsReached,
  type FoundTexts,
  type TextCondition,
} from '#projections/texts';

function emptyIndex(): ViewsDatabase & Disposable {
  const db = new ViewsDatabase(':memory:', 'builder');
  for (const { ddl } of TEXT_MODELS) db.execute(ddl);
  return Object.assign(db, { [Symbol.dispose]: () => db.close() });
}

const BODY = 'ab'.repeat(32);

function texts(fields: readonly string[], ...body: readonly string[]): MessageTexts {
  return { fields, partFields: ['content-type: text/plain'], texts: body };
}

/** Contents from 1 on; undefined is one that is too much for an index. */
function indexOf(...contents: readonly (MessageTexts | undefined)[]): ViewsDatabase & Disposable {
  const db = emptyIndex();
  db.transaction(() => {
    for (const [i, one] of contents.entries()) addTexts(db, { contentId: i + 1, body: BODY }, one);
    writeTextsReached(db, { contentId: contents.length, revision: 1, eventId: 'e' });
  });
  return db;
}

function shown(found: FoundTexts | undefined): object | undefined {
  return found && { sure: [...found.sure], perhaps: [...found.perhaps] };
}

const any = (text: string): TextCondition => ({ type: 'any-text', text });
const inBody = (text: string): TextCondition => ({ type: 'body-text', text });
const field = (name: string, text: string): TextCondition => ({
  type: 'header',
  field: name,
  text,
});

describe('an index', () => {
  const contents = [
    texts(['subject: a report', 'x-empty: '], 'the quarterly report', 'second text'),
    texts(['subject: nothing', 'x-report: yes'], 'of "interest" AND (more) report*'),
    undefined,
    texts(['from: bob@example.org', 'received: x-empty: no'], '漢字かな, ein Gruß'.toLowerCase()),
  ] as const;
  const cases: readonly (readonly [condition: TextCondition, sure: number[], perhaps: number[]])[] =
    [
      [any('report'), [1, 2], [3]],
      [inBody('report'), [1, 2], [3]],
      [inBody('subject'), [], [3]],
      [any('content-type: text'), [1, 2, 4], [3]],
      [any('ly rep'), [1], [3]],
      [any('reportsecond'), [], [3]],
      [any('"interest" and'), [], [3]],
      [any('"interest" AND (more) report*'), [2], [3]],
      [any('report* OR nothing'), [], [3]],
      [any('漢字か'), [4], [3]],
      [any('gru\u00df'), [4], [3]],
      [field('x-empty', ''), [1], [3]],
      [field('subject', ''), [1, 2], [3]],
      [field('subject', 'report'), [], [1, 2, 3]],
      [field('subject', 'quarterly'), [], [3]],
      [field('x-report', 'y'), [], [2, 3]],
      [any('漢字'), [4], [3]],
      [any('rt'), [1, 2], [3]],
      [any('t*'), [2], [3]],
      [any('qz'), [], [3]],
      [inBody('su'), [], [3]],
      [field('from', 'rg'), [], [3, 4]],
      [any('x'.repeat(100)), [], [3]],
    ];
  for (const [condition, sure, perhaps] of cases) {
    it(`is asked for ${JSON.stringify(condition)}`, () => {
      using db = indexOf(...contents);
      const found = findTexts(db, condition);
      assert.deepEqual(shown(found), { sure, perhaps });
      assert.equal(found?.upTo, contents.length);
    });
  }

  it('does not know of texts with less than two characters, however long they are', () => {
    using db = indexOf(...contents);
    for (const text of ['', 'a', '漢', '\u{1f600}']) {
      assert.equal(findTexts(db, any(text)), undefined);
      assert.equal(findTexts(db, inBody(text)), undefined);
    }
  });

  it('is not sure of long texts', () => {
    const long = 'all work and no play makes jack a dull boy '.repeat(10);
    using db = indexOf(texts([], `${long}end`), texts([], `${long}now`));
    assert.deepEqual(shown(findTexts(db, any(`${long}end`))), { sure: [], perhaps: [1, 2] });
  });

  it('does not follow two characters to wherever they lead', () => {
    const many = Array.from({ length: 501 }, (_, i) => `ab${String.fromCodePoint(0x4e00 + i)}`);
    using db = indexOf(texts([], ...many));
    assert.equal(findTexts(db, any('ab')), undefined);
    assert.deepEqual(shown(findTexts(db, field('x', 'ab'))), { sure: [], perhaps: [] });
    using fewer = indexOf(texts([], ...many.slice(0, 499)));
    assert.deepEqual(shown(findTexts(fewer, any('ab'))), { sure: [1], perhaps: [] });
  });

  it('knows a field among many messages that have its value elsewhere', () => {
    const others = Array.from({ length: 600 }, () => texts(['x-other: yes']));
    using db = indexOf(...others, texts(['x-field: yes']));
    assert.deepEqual(shown(findTexts(db, field('x-field', 'yes'))), { sure: [], perhaps: [601] });
  });

  it('says nothing before it has come anywhere', () => {
    using db = emptyIndex();
    assert.equal(textsReached(db), undefined);
    assert.equal(findTexts(db, any('report')), undefined);
  });

  it('keeps what is to be kept', () => {
    using db = indexOf(...contents);
    db.transaction(() => assert.equal(keepTexts(db, 1, 4, [4]), 2));
    assert.deepEqual(shown(findTexts(db, any('report'))), { sure: [1], perhaps: [] });
    assert.deepEqual(
      indexedSources(db, -1, 10).map(({ contentId }) => contentId),
      [1, 4],
    );
    assert.deepEqual(indexedSources(db, 1, 10), [{ contentId: 4, body: BODY }]);
    checkTexts(db);
  });

  it('agrees with a look into the texts, whatever is sought', () => {
    const text = fc
      .string({
        unit: fc.constantFrom(...'abA "*():^-+{}\'\\%_äß漢\u{1f600}\r\n\0\ufdd0'),
        maxLength: 30,
      })
      .map(foldText);
    const content = fc.record({
      fields: fc.array(text, { maxLength: 2 }),
      partFields: fc.array(text, { maxLength: 1 }),
      texts: fc.array(text, { maxLength: 2 }),
    });
    const sample = fc.record({
      contents: fc.array(content, { minLength: 1, maxLength: 6 }),
      sought: fc.oneof(text, fc.constantFrom('abab', 'NEAR(a b)', 'words : a', '"a" OR "b"')),
      cut: fc.nat(5),
    });
    fc.assert(
      fc.property(sample, ({ contents, sought: whole, cut }) => {
        const from = contents[0]?.texts[0] ?? whole;
        for (const sought of [whole, foldText(from.slice(cut, cut + 4))]) {
          using db = indexOf(...contents);
          const holding = (...lists: readonly (readonly string[])[]): boolean =>
            lists.some((list) => list.some((one) => one.includes(sought)));
          const expected = contents.flatMap((one, i) =>
            holding(one.fields, one.partFields, one.texts) ? [i + 1] : [],
          );
          const found = findTexts(db, any(sought));
          if (found === undefined) assert.ok(Array.from(sought).length < 2);
          else assert.deepEqual([...found.sure], expected, sought);
        }
      }),
      { seed: 20260301, numRuns: 150 },
    );
  });
});
