/**
 * What SEARCH asks for.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { behindVerb, commandOf, isBad, REV2, wordsOf } from '../../../support/imap-words.ts';
import { BadCharset, search } from '#protocols/imap/search-keys';
import { STAR, type SearchKey } from '#protocols/imap/words';

function key(text: string): SearchKey {
  return wordsOf(search, `SEARCH ${text}`).key;
}

const SEEN: SearchKey = { type: 'FLAG', flag: '\\Seen' };

describe('keys', () => {
  it('of one word', () => {
    for (const type of ['ALL', 'NEW', 'OLD', 'RECENT', 'SAVEDATESUPPORTED'] as const) {
      assert.deepEqual(key(type.toLowerCase()), { type });
    }
    for (const flag of ['Answered', 'Deleted', 'Draft', 'Flagged', 'Seen']) {
      const has: SearchKey = { type: 'FLAG', flag: `\\${flag}` };
      assert.deepEqual(key(flag), has);
      assert.deepEqual(key(`UN${flag}`), { type: 'NOT', key: has });
    }
  });

  it('of keywords, as we spell them', () => {
    assert.deepEqual(key('KEYWORD $JUNK'), { type: 'FLAG', flag: '$Junk' });
    assert.deepEqual(key('UNKEYWORD Work'), { type: 'NOT', key: { type: 'FLAG', flag: 'work' } });
    isBad(search, 'SEARCH KEYWORD \\Seen');
    isBad(search, 'SEARCH KEYWORD "x"');
  });

  it('of texts, bare, quoted or literal', () => {
    for (const type of ['SUBJECT', 'FROM', 'TO', 'CC', 'BCC', 'BODY', 'TEXT'] as const) {
      assert.deepEqual(key(`${type} "x y"`), { type, text: 'x y' });
    }
    const literal = commandOf('a SEARCH CHARSET UTF-8 SUBJECT ', 'größe', ' SEEN');
    assert.deepEqual(search(behindVerb(literal)).key, {
      type: 'AND',
      keys: [{ type: 'SUBJECT', text: 'größe' }, SEEN],
    });
    const wire = Buffer.from('SEARCH SUBJECT "größe"').toString('latin1');
    assert.deepEqual(wordsOf(search, wire, REV2).key, { type: 'SUBJECT', text: 'größe' });
    isBad(search, wire);
    assert.deepEqual(key('HEADER X-Foo ""'), { type: 'HEADER', field: 'X-Foo', text: '' });
    isBad(search, 'SEARCH HEADER X-Foo');
    isBad(search, 'SEARCH SUBJECT');
  });

  it('of numbers and dates', () => {
    assert.deepEqual(key('LARGER 5000000000'), { type: 'LARGER', bytes: 5_000_000_000 });
    assert.deepEqual(key('SENTSINCE 1-Feb-2022'), { type: 'SENTSINCE', day: 20220201 });
    assert.deepEqual(key('SAVEDON "01-Feb-2022"'), { type: 'SAVEDON', day: 20220201 });
    assert.deepEqual(key('YOUNGER 60'), { type: 'YOUNGER', seconds: 60 });
    isBad(search, 'SEARCH YOUNGER 0');
    const uids = (first: number, last: number): SearchKey => ({
      type: 'UID',
      set: { type: 'numbers', ranges: [[first, last]] },
    });
    assert.deepEqual(key('UIDAFTER 7'), uids(8, 4_294_967_295));
    assert.deepEqual(key('UIDBEFORE 7'), uids(1, 6));
    assert.deepEqual(key('UIDBEFORE 1'), { type: 'UID', set: { type: 'numbers', ranges: [] } });
    isBad(search, 'SEARCH UIDAFTER *');
    isBad(search, 'SEARCH OLDER');
    isBad(search, 'SEARCH ON 30-Feb-2022');
    isBad(search, 'SEARCH SMALLER -1');
  });

  it('of sets, numbers, UIDs and the saved result', () => {
    assert.deepEqual(key('2:3'), {
      type: 'SEQUENCE',
      set: { type: 'numbers', ranges: [[2, 3]] },
    });
    assert.deepEqual(key('*'), {
      type: 'SEQUENCE',
      set: { type: 'numbers', ranges: [[STAR, STAR]] },
    });
    assert.deepEqual(key('UID $'), { type: 'UID', set: { type: 'saved' } });
    assert.deepEqual(key('$'), { type: 'SEQUENCE', set: { type: 'saved' } });
    isBad(search, 'SEARCH 0');
    isBad(search, 'SEARCH UID');
  });

  it('of ids', () => {
    assert.deepEqual(key('EMAILID M6d99ac3275bb4e'), { type: 'EMAILID', id: 'M6d99ac3275bb4e' });
    isBad(search, 'SEARCH THREADID a.b');
    isBad(search, `SEARCH THREADID ${'x'.repeat(256)}`);
  });

  it('177: of mod-sequences, with an entry and its type or neither', () => {
    const modSeq: SearchKey = { type: 'MODSEQ', atLeast: 5 };
    assert.deepEqual(key('MODSEQ 5'), modSeq);
    assert.deepEqual(key('MODSEQ "/flags/\\\\seen" all 5'), modSeq);
    assert.deepEqual(key('MODSEQ "/flags/$Junk" PRIV 5'), modSeq);
    assert.deepEqual(key('NOT MODSEQ 0'), { type: 'NOT', key: { type: 'MODSEQ', atLeast: 0 } });
    for (const text of [
      '"/flags/\\\\seen" 5',
      '"/flags/\\\\seen" any 5',
      '"/comment" all 5',
      '"/flags/" all 5',
      '/flags/x all 5',
      'all 5',
      '-1',
      '9223372036854775808',
      '',
    ]) {
      isBad(search, `SEARCH MODSEQ ${text}`);
    }
  });
});

describe('keys together', () => {
  it('149: nest', () => {
    assert.deepEqual(key('OR NOT SEEN (FROM bob SUBJECT "x y")'), {
      type: 'OR',
      left: { type: 'NOT', key: SEEN },
      right: {
        type: 'AND',
        keys: [
          { type: 'FROM', text: 'bob' },
          { type: 'SUBJECT', text: 'x y' },
        ],
      },
    });
  });

  it('149: lack nothing and have nothing over', () => {
    for (const text of [
      'OR SEEN',
      'OR SEEN ',
      'OR',
      'NOT',
      '()',
      '(SEEN',
      'SEEN)',
      'SEEN  SEEN',
      'SEEN ',
      'FOO',
      'FOO x',
      'toString',
      '',
    ]) {
      isBad(search, `SEARCH ${text}`);
    }
    isBad(search, 'SEARCH');
  });

  it('are as many and as deep as can be answered', () => {
    key(`${'ALL '.repeat(499)}ALL`);
    isBad(search, `SEARCH ${'ALL '.repeat(500)}ALL`);
    key(`${'('.repeat(50)}ALL${')'.repeat(50)}`);
    isBad(search, `SEARCH ${'('.repeat(51)}ALL${')'.repeat(51)}`);
    key(`${'OR SEEN '.repeat(200)}SEEN`);
    isBad(search, `SEARCH ${'NOT '.repeat(4000)}ALL`);
    isBad(search, `SEARCH ${'OR '.repeat(5000)}`);
  });
});

describe('RETURN', () => {
  it('144, 147: names what is wanted; nothing named means ALL', () => {
    const returns = (text: string): unknown => wordsOf(search, `SEARCH ${text}`).returns;
    assert.equal(returns('ALL'), undefined);
    assert.deepEqual(returns('RETURN () ALL'), new Set(['ALL']));
    assert.deepEqual(returns('RETURN (save MIN) ALL'), new Set(['SAVE', 'MIN']));
    assert.deepEqual(
      returns('RETURN (MAX ALL COUNT) CHARSET UTF-8 ALL'),
      new Set(['MAX', 'ALL', 'COUNT']),
    );
    for (const text of ['RETURN (FOO) ALL', 'RETURN ALL', 'RETURN (ALL)', 'RETURN (MIN )  ALL']) {
      isBad(search, `SEARCH ${text}`);
    }
  });
});

describe('CHARSET', () => {
  it('140: is US-ASCII or UTF-8', () => {
    for (const charset of ['US-ASCII', 'utf-8', '"UTF-8"']) {
      assert.deepEqual(key(`CHARSET ${charset} ALL`), { type: 'ALL' });
    }
    const isBadCharset =
      (saves: boolean) =>
      (error: unknown): boolean =>
        error instanceof BadCharset && error.saves === saves;
    assert.throws(() => key('CHARSET X-FOO ALL'), isBadCharset(false));
    assert.throws(() => key('RETURN (SAVE) CHARSET X-FOO ALL'), isBadCharset(true));
    isBad(search, 'SEARCH CHARSET UTF-8');
    isBad(search, 'SEARCH CHARSET');
  });
});
