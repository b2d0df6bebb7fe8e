/**
 * The words of APPEND, STORE, COPY, MOVE and UID EXPUNGE.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  behindVerb,
  commandOf,
  isBad,
  openCommandOf,
  wordsOf,
} from '../../../support/imap-words.ts';
import {
  appendMailbox,
  appendMailboxIsLiteral,
  appendMessage,
  appendMore,
  copy,
  store,
  uidExpunge,
  type AppendMessageWords,
} from '#protocols/imap/grammar-messages';
import { BadSyntax, Parser } from '#protocols/imap/parser';
import type { LiteralMark } from '#protocols/imap/reader';
import { STAR } from '#protocols/imap/words';

/** The first message of an APPEND whose line ends in a literal. */
function firstMessage(line: string, mark: Partial<LiteralMark> = {}): AppendMessageWords {
  const p = behindVerb(openCommandOf(`a APPEND inbox${line}`, mark));
  assert.equal(appendMailbox(p), 'inbox');
  return appendMessage(p);
}

describe('APPEND', () => {
  it('106: reads flags and date up to the literal', () => {
    const { words, literal, wrapped } = firstMessage(' (\\Seen $x) " 1-Jan-2022 10:10:00 +0100" ', {
      bytes: 9,
    });
    assert.deepEqual(words, {
      flags: ['\\Seen', '$x'],
      receivedAt: Date.UTC(2022, 0, 1, 9, 10),
      zoneMinutes: 60,
    });
    assert.equal(literal.bytes, 9);
    assert.equal(wrapped, false);
  });

  it('takes neither, or one of them', () => {
    assert.deepEqual(firstMessage(' ').words, { flags: [] });
    assert.deepEqual(firstMessage(' () ').words, { flags: [] });
    assert.equal(firstMessage(' " 1-Jan-2022 10:10:00 -0500" ').words.zoneMinutes, -300);
  });

  it('113: refuses flags and dates that cannot be', () => {
    for (const line of [
      ' (\\Recent) ',
      ' (\\Foo) ',
      ' " 32-Jan-2022 10:10:00 +0100" ',
      ' \\Seen ',
      ' " 1-Jan-2022 10:10:00 +0100" (\\Seen) ',
      ' x ',
      '',
      '  ',
    ]) {
      assert.throws(() => firstMessage(line), BadSyntax, line);
    }
    const p = behindVerb(commandOf('a APPEND inbox "message"'));
    appendMailbox(p);
    assert.throws(() => appendMessage(p), BadSyntax);
  });

  it('114: wraps a UTF-8 message in parentheses', () => {
    assert.equal(firstMessage(' UTF8 (', { binary: true }).wrapped, true);
    assert.throws(() => firstMessage(' UTF8 ('), BadSyntax);
    assert.throws(() => firstMessage(' UTF8 ', { binary: true }), BadSyntax);
    assert.equal(appendMore(new Parser(commandOf(')')), true), false);
    assert.throws(() => appendMore(new Parser(commandOf('')), true), BadSyntax);
  });

  it('108: goes on behind a message with the next one, or ends', () => {
    assert.equal(appendMore(new Parser(commandOf('')), false), false);
    const p = new Parser(openCommandOf(' (\\Flagged) '));
    assert.equal(appendMore(p, false), true);
    assert.deepEqual(appendMessage(p).words.flags, ['\\Flagged']);
    const junk = new Parser(commandOf(' junk'));
    assert.equal(appendMore(junk, false), true);
    assert.throws(() => appendMessage(junk), BadSyntax);
  });

  it('may name the mailbox in a literal', () => {
    assert.equal(appendMailboxIsLiteral(openCommandOf('a APPEND ')), true);
    assert.equal(appendMailboxIsLiteral(openCommandOf('a APPEND inbox ')), false);
    assert.equal(appendMailboxIsLiteral(commandOf('a APPEND ')), false);
    const open = { bytes: 1, synchronizing: false, binary: false };
    const p = behindVerb({ ...commandOf('a APPEND ', 'in box', ' '), open });
    assert.equal(appendMailbox(p), 'in box');
    assert.equal(appendMessage(p).literal, open);
  });
});

describe('STORE', () => {
  const FIRST = { type: 'numbers', ranges: [[1, 1]] } as const;

  it('135, 136: replaces, adds and removes, loudly or silently, in parentheses or bare', () => {
    const set = FIRST;
    const words = { set, op: 'replace', silent: false, flags: ['\\Seen', 'mytag'] };
    assert.deepEqual(wordsOf(store, 'STORE 1 FLAGS (\\Seen MyTag)'), words);
    assert.deepEqual(wordsOf(store, 'STORE 1 flags \\Seen MyTag'), words);
    assert.deepEqual(wordsOf(store, 'STORE 1 +FLAGS.SILENT (\\Flagged)'), {
      set,
      op: 'add',
      silent: true,
      flags: ['\\Flagged'],
    });
    assert.deepEqual(wordsOf(store, 'UID STORE $ -FLAGS ()'), {
      set: { type: 'saved' },
      op: 'remove',
      silent: false,
      flags: [],
    });
  });

  it('137: refuses flags that cannot be stored', () => {
    for (const flags of [
      '(\\Foo)',
      '(a]b)',
      '(\\Recent)',
      '\\Recent',
      '(\\*)',
      '',
      'a  b',
      'a(b)',
    ]) {
      isBad(store, `STORE 1 +FLAGS ${flags}`);
    }
    for (const item of ['FLAG (x)', '++FLAGS (x)', 'FLAGS.LOUD (x)', '+ FLAGS (x)', 'FLAGS']) {
      isBad(store, `STORE 1 ${item}`);
    }
    isBad(store, 'STORE 0 FLAGS (x)');
  });

  it('167, 171: may be conditional, also on 0', () => {
    const { unchangedSince } = wordsOf(store, 'STORE 1:6 (UNCHANGEDSINCE 0) +FLAGS (x)');
    assert.equal(unchangedSince, 0);
    assert.equal(wordsOf(store, 'STORE 1 (unchangedsince 12) FLAGS ()').unchangedSince, 12);
    for (const modifier of [
      '()',
      '(UNCHANGEDSINCE)',
      '(UNCHANGEDSINCE -1)',
      '(UNCHANGEDSINCE x)',
      '(UNCHANGEDSINCE 9223372036854775808)',
      '(UNCHANGEDSINCE 1 UNCHANGEDSINCE 1)',
      '(FOO 1)',
    ]) {
      isBad(store, `STORE 1 ${modifier} FLAGS (x)`);
    }
  });
});

describe('COPY, MOVE, UID EXPUNGE', () => {
  it('117: take a set and a mailbox, or a set', () => {
    assert.deepEqual(wordsOf(copy, 'COPY 5,2 Archive'), {
      set: {
        type: 'numbers',
        ranges: [
          [2, 2],
          [5, 5],
        ],
      },
      mailbox: 'Archive',
    });
    assert.deepEqual(wordsOf(uidExpunge, 'UID EXPUNGE 3:*'), {
      type: 'numbers',
      ranges: [[3, STAR]],
    });
    for (const line of ['COPY 1', 'COPY x y', 'COPY 1 a b', 'COPY 0 a']) isBad(copy, line);
    for (const line of ['UID EXPUNGE', 'UID EXPUNGE 1 2']) isBad(uidExpunge, line);
  });
});
