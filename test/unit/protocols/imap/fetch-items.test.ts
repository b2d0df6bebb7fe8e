/**
 * What FETCH asks for, and how answers name it.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { behindVerb, commandOf, isBad, wordsOf } from '../../../support/imap-words.ts';
import { fetch, fetchItemName, formatFetchItem } from '#protocols/imap/fetch-items';
import type { FetchItem } from '#protocols/imap/words';

function items(text: string): readonly FetchItem[] {
  return wordsOf(fetch, `FETCH 1 ${text}`).items;
}

function types(text: string): readonly string[] {
  return items(text).map((item) => item.type);
}

describe('macros', () => {
  it('stand for their items, alone', () => {
    assert.deepEqual(types('FAST'), ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE']);
    assert.deepEqual(types('all'), ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE']);
    assert.deepEqual(types('FULL').at(-1), 'BODY');
    for (const text of ['(ALL)', '(FLAGS FAST)', 'FULLY', 'toString', 'constructor']) {
      isBad(fetch, `FETCH 1 ${text}`);
    }
  });
});

describe('items', () => {
  it('without arguments are known by name, in any case', () => {
    const text =
      'UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE MODSEQ SAVEDATE ' +
      'EMAILID THREADID RFC822 RFC822.HEADER RFC822.TEXT PREVIEW';
    assert.deepEqual(types(`(${text})`), text.split(' '));
    assert.deepEqual(types(`(${text.toLowerCase()})`), text.split(' '));
    assert.deepEqual(types('UID'), ['UID']);
  });

  it('133: are refused when unknown', () => {
    for (const text of [
      '(FOO)',
      'FOO',
      '()',
      '',
      '(UID',
      '(UID )',
      '( UID)',
      'UID FLAGS',
      'UID[]',
    ]) {
      isBad(fetch, `FETCH 1 ${text}`);
    }
    isBad(fetch, 'FETCH 0 UID');
    isBad(fetch, 'FETCH UID');
  });

  it('asked twice are answered once', () => {
    assert.deepEqual(types('(UID UID FLAGS UID)'), ['UID', 'FLAGS']);
    assert.equal(items(`(${'BODY[] '.repeat(1000)}BODY[])`).length, 1);
    assert.equal(items('(BODY[] BODY.PEEK[] BODY[]<0.1> BODY[TEXT])').length, 4);
  });
});

describe('sections', () => {
  const section = (text: string): FetchItem | undefined => items(text)[0];

  it('name the whole, a part, or a text of either', () => {
    assert.deepEqual(section('BODY[]'), { type: 'SECTION', peek: false, section: { part: [] } });
    assert.deepEqual(section('body.peek[1.22.mime]'), {
      type: 'SECTION',
      peek: true,
      section: { part: [1, 22], text: 'MIME' },
    });
    assert.deepEqual(section('BODY[3.HEADER]'), {
      type: 'SECTION',
      peek: false,
      section: { part: [3], text: 'HEADER' },
    });
  });

  it('127: may name fields and a range of octets', () => {
    assert.deepEqual(section('BODY[HEADER.FIELDS (From "To")]<0.10>'), {
      type: 'SECTION',
      peek: false,
      section: { part: [], text: 'HEADER.FIELDS', fields: ['From', 'To'] },
      partial: { start: 0, length: 10 },
    });
  });

  it('take the name of a field as a literal', () => {
    const command = commandOf('a FETCH 1 BODY[HEADER.FIELDS (', 'X-A', ')]');
    assert.deepEqual(fetch(behindVerb(command)).items.map(formatFetchItem), [
      'BODY[HEADER.FIELDS (X-A)]',
    ]);
  });

  it('133: that cannot be are refused', () => {
    const broken = [
      'BODY[0]',
      'BODY[1.0]',
      'BODY[01]',
      'BODY[1.]',
      'BODY[.1]',
      'BODY[1..2]',
      'BODY[MIME]',
      'BODY[1.FOO]',
      'BODY[HEADERS]',
      'BODY[HEADER.FIELDS]',
      'BODY[HEADER.FIELDS ()]',
      'BODY[HEADER.FIELDS From]',
      'BODY[HEADER.FIELDS ("a b")]',
      'BODY[HEADER.FIELDS ("a:")]',
      'BODY[HEADER (From)]',
      'BODY[1',
      'BODY[]<0>',
      'BODY[]<0.0>',
      'BODY[]<.1>',
      'BODY[]<5.1',
      'BODY.PEEK',
      'BODY [1]',
      'BODY[ 1]',
      'RFC822[]',
      'BINARY',
      'BINARY[TEXT]',
      'BINARY[1.MIME]',
      'BINARY.SIZE[1]<0.1>',
      'BINARY.SIZE',
    ];
    for (const text of broken) isBad(fetch, `FETCH 1 (${text})`);
  });

  it('129: of decoded content have a part only', () => {
    assert.deepEqual(section('BINARY.PEEK[1.2]<5.6>'), {
      type: 'BINARY',
      peek: true,
      part: [1, 2],
      partial: { start: 5, length: 6 },
    });
    assert.deepEqual(section('BINARY.SIZE[]'), { type: 'BINARY.SIZE', part: [] });
  });
});

describe('PREVIEW', () => {
  it('130: may be lazy; another list behind it holds modifiers', () => {
    assert.deepEqual(items('(PREVIEW (LAZY) UID)'), [
      { type: 'PREVIEW', lazy: true },
      { type: 'UID' },
    ]);
    assert.deepEqual(items('PREVIEW (lazy)'), [{ type: 'PREVIEW', lazy: true }]);
    assert.equal(wordsOf(fetch, 'FETCH 1 PREVIEW (CHANGEDSINCE 5)').changedSince, 5);
    isBad(fetch, 'FETCH 1 (PREVIEW (EAGER))');
  });
});

describe('modifiers', () => {
  it('166: CHANGEDSINCE takes 0 … 2^63 - 1', () => {
    const since = (value: string): number | undefined =>
      wordsOf(fetch, `FETCH 1 FLAGS (CHANGEDSINCE ${value})`).changedSince;
    assert.equal(since('0'), 0);
    assert.equal(since('17'), 17);
    assert.equal(since('9223372036854775807'), Number.MAX_SAFE_INTEGER);
    for (const list of [
      '(CHANGEDSINCE)',
      '(CHANGEDSINCE -1)',
      '(CHANGEDSINCE x)',
      '(CHANGEDSINCE 9223372036854775808)',
      '(CHANGEDSINCE 1 CHANGEDSINCE 1)',
      '()',
      '(FOO)',
    ]) {
      isBad(fetch, `FETCH 1 FLAGS ${list}`);
    }
  });

  it('198, 200: VANISHED needs CHANGEDSINCE', () => {
    const words = wordsOf(fetch, 'UID FETCH 1:* (FLAGS) (CHANGEDSINCE 5 VANISHED)');
    assert.equal(words.vanished, true);
    assert.equal(words.changedSince, 5);
    assert.equal(wordsOf(fetch, 'UID FETCH 1 UID (VANISHED CHANGEDSINCE 5)').vanished, true);
    isBad(fetch, 'UID FETCH 1:* (FLAGS) (VANISHED)');
    isBad(fetch, 'UID FETCH 1:* (FLAGS) (CHANGEDSINCE 5 VANISHED VANISHED)');
  });
});

describe('names in answers', () => {
  const named: readonly (readonly [asked: string, answered: string])[] = [
    ['UID', 'UID'],
    ['RFC822.SIZE', 'RFC822.SIZE'],
    ['BODY.PEEK[]', 'BODY[]'],
    ['BODY[1.2.TEXT]', 'BODY[1.2.TEXT]'],
    ['BODY.PEEK[HEADER.FIELDS (From To)]<0.10>', 'BODY[HEADER.FIELDS (From To)]<0>'],
    ['BODY[1.HEADER.FIELDS.NOT ("a{b")]', 'BODY[1.HEADER.FIELDS.NOT ("a{b")]'],
    ['BINARY.PEEK[1]<7.1>', 'BINARY[1]<7>'],
    ['BINARY.SIZE[1]', 'BINARY.SIZE[1]'],
    ['PREVIEW (LAZY)', 'PREVIEW'],
  ];
  for (const [asked, answered] of named) {
    it(`${asked} is answered as ${answered}`, () => {
      assert.deepEqual(items(`(${asked})`).map(fetchItemName), [answered]);
      assert.deepEqual(items(`(${asked})`).map(formatFetchItem), [asked]);
    });
  }
});
