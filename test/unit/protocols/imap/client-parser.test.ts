/**
 * Answers of servers, ours and others, and what they mean.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answerOf } from '../../../support/imap-client.ts';
import { parseResponse } from '#protocols/imap/client-parser';
import { sectionOf } from '#protocols/imap/client-parser-fetch';
import type { FetchedMessage, Response } from '#protocols/imap/client-words';
import { BadSyntax } from '#protocols/imap/parser';
import type { FetchItem } from '#protocols/imap/words';

/** An answer with its literals, one character per octet. */
async function parsed(text: string, utf8 = false): Promise<Response> {
  return parseResponse(await answerOf(text), { utf8 });
}

async function fetched(text: string): Promise<FetchedMessage> {
  const response = await parsed(`* 7 FETCH (${text})`);
  assert.ok(response.type === 'fetch');
  return response;
}

async function check(text: string, expected: unknown): Promise<void> {
  assert.deepEqual(await parsed(text), expected, text);
}

describe('answers to commands', () => {
  it('have a status, a text and perhaps a code', async () => {
    const tagged = { type: 'tagged', tag: 'a1' };
    await check('a1 OK done', { ...tagged, status: 'OK', text: 'done' });
    await check('a1 no', { ...tagged, status: 'NO', text: '' });
    const code = { type: 'WORD', word: 'TRYCREATE', text: '' };
    await check('a1 NO [TRYCREATE] no', { ...tagged, status: 'NO', code, text: 'no' });
    await check('a1 BAD {5}', { ...tagged, status: 'BAD', text: '{5}' });
    await check('a1 OK gr\xc3\xbc\xc3\x9fe', { ...tagged, status: 'OK', text: 'grüße' });
    await check('a1 OK gr\xfc\xdfe', { ...tagged, status: 'OK', text: 'grüße' });
  });

  it('are continuations', async () => {
    await check('+ idling', { type: 'continuation', text: 'idling' });
    await check('+', { type: 'continuation', text: '' });
  });
});

describe('response codes', () => {
  const code = async (text: string): Promise<unknown> => {
    const response = await parsed(`* OK [${text}] text`);
    assert.ok(response.type === 'status');
    return response.code;
  };

  it('are typed', async () => {
    assert.deepEqual(await code('CAPABILITY IMAP4rev1  idle'), {
      type: 'CAPABILITY',
      capabilities: ['IMAP4REV1', 'IDLE'],
    });
    assert.deepEqual(await code('PERMANENTFLAGS (\\seen $x \\*)'), {
      type: 'PERMANENTFLAGS',
      flags: ['\\Seen', '$x', '\\*'],
    });
    assert.deepEqual(await code('uidvalidity 7'), { type: 'UIDVALIDITY', value: 7 });
    assert.deepEqual(await code('HIGHESTMODSEQ 9223372036854775807'), {
      type: 'HIGHESTMODSEQ',
      modSeq: Number.MAX_SAFE_INTEGER,
    });
    assert.deepEqual(await code('APPENDUID 7 12'), {
      type: 'APPENDUID',
      uidValidity: 7,
      uids: [[12, 12]],
    });
    assert.deepEqual(await code('COPYUID 7 3:4,1 12:14'), {
      type: 'COPYUID',
      uidValidity: 7,
      source: [
        [3, 4],
        [1, 1],
      ],
      target: [[12, 14]],
    });
    assert.deepEqual(await code('MODIFIED 7,9'), {
      type: 'MODIFIED',
      set: [
        [7, 7],
        [9, 9],
      ],
    });
    assert.deepEqual(await code('MAILBOXID (F-1)'), { type: 'MAILBOXID', id: 'F-1' });
    assert.deepEqual(await code('BADCHARSET (UTF-8 "x")'), {
      type: 'BADCHARSET',
      charsets: ['UTF-8', 'x'],
    });
  });

  it('in an odd form are words', async () => {
    for (const [text, word, rest] of [
      ['UIDNEXT soon', 'UIDNEXT', 'soon'],
      ['COPYUID 7 1', 'COPYUID', '7 1'],
      ['X-OWN a b', 'X-OWN', 'a b'],
    ]) {
      assert.deepEqual(await code(text ?? ''), { type: 'WORD', word, text: rest });
    }
    assert.equal(await code(''), undefined);
    await check('* OK [no end', { type: 'status', status: 'OK', text: '[no end' });
  });
});

describe('answers about mailboxes', () => {
  const entry = { type: 'list', attributes: [], separator: '/', childInfo: [] };

  it('LIST', async () => {
    await check('* LIST (\\HasNoChildren \\sent) "/" Sent', {
      ...entry,
      attributes: ['\\HasNoChildren', '\\sent'],
      name: 'Sent',
    });
    await check('* LIST () NIL "a \\"b\\""', { ...entry, separator: undefined, name: 'a "b"' });
    await check('* LIST () "/" {5}\r\na\\b\rc', { ...entry, name: 'a\\b\rc' });
    await check('* LIST () "/" x ("CHILDINFO" ("SUBSCRIBED") "OLDNAME" ("y"))', {
      ...entry,
      name: 'x',
      childInfo: ['SUBSCRIBED'],
    });
  });

  it('LIST with names in all their forms', async () => {
    await check('* LIST () "/" Entw&APw-rfe', { ...entry, name: 'Entwürfe' });
    await check('* LIST () "/" "a&b"', { ...entry, name: 'a&b' });
    await check('* LIST () "/" "\xc3\xbc"', { ...entry, name: 'ü' });
    assert.deepEqual(await parsed('* LIST () "/" "&APw-\xc3\xbc"', true), {
      ...entry,
      name: '&APw-ü',
    });
  });

  it('STATUS', async () => {
    await check('* STATUS box (MESSAGES 3 X-OWN (1 2) SIZE 99 MAILBOXID (F1) APPENDLIMIT NIL)', {
      type: 'mailbox-status',
      mailbox: 'box',
      values: { MESSAGES: 3, SIZE: 99, MAILBOXID: 'F1' },
    });
  });

  it('FLAGS, EXISTS, RECENT, EXPUNGE, VANISHED', async () => {
    await check('* FLAGS (\\answered $Junk)', { type: 'flags', flags: ['\\Answered', '$Junk'] });
    await check('* 23 EXISTS', { type: 'exists', count: 23 });
    await check('* 0 recent', { type: 'recent', count: 0 });
    await check('* 44 EXPUNGE', { type: 'expunge', seq: 44 });
    const uids = [[1, 4]];
    await check('* VANISHED 3:4,1,2', { type: 'vanished', earlier: false, uids });
    await check('* VANISHED (EARLIER) 1:4', { type: 'vanished', earlier: true, uids });
    await check('* 44 X-OWN more', { type: 'other', name: 'X-OWN', text: '44 more' });
  });

  it('SEARCH and ESEARCH', async () => {
    await check('* SEARCH', { type: 'search', numbers: [] });
    await check('* SEARCH 9 2 ', { type: 'search', numbers: [9, 2] });
    await check('* SEARCH 2 (MODSEQ 9)', { type: 'search', numbers: [2], modSeq: 9 });
    await check('* ESEARCH', { type: 'esearch', uid: false });
    await check('* ESEARCH (TAG "a1") UID MIN 2 MAX 9 COUNT 3 ALL 2:3,9 MODSEQ 7 X (1 (2 "3"))', {
      type: 'esearch',
      tag: 'a1',
      uid: true,
      min: 2,
      max: 9,
      count: 3,
      all: [
        [2, 3],
        [9, 9],
      ],
      modSeq: 7,
    });
  });

  it('ID, ENABLED, CAPABILITY', async () => {
    const fields = new Map([['name', 'x']]);
    await check('* ID ("Name" "x" "os" NIL)', { type: 'id', fields });
    await check('* ID NIL', { type: 'id', fields: new Map() });
    await check('* ENABLED QRESYNC', { type: 'enabled', capabilities: ['QRESYNC'] });
    await check('* ENABLED', { type: 'enabled', capabilities: [] });
  });
});

describe('FETCH', () => {
  it('gives flags, numbers and dates', async () => {
    const message = await fetched(
      'FLAGS (\\seen \\Recent $Label) UID 9 MODSEQ (90) RFC822.SIZE 4294967299 ' +
        'INTERNALDATE " 1-Feb-2022 10:10:00 -0130" EMAILID (M1) THREADID NIL PREVIEW NIL ' +
        'SAVEDATE NIL X-GM-LABELS ("\\\\Inbox" other) X-GM-MSGID 12345678901234567890',
    );
    const {
      type: _,
      sections,
      binarySizes,
      ...rest
    } = message as FetchedMessage & { type: string };
    assert.deepEqual([sections.size, binarySizes.size], [0, 0]);
    assert.deepEqual(rest, {
      seq: 7,
      flags: ['\\Seen', '\\Recent', '$Label'],
      uid: 9,
      modSeq: 90,
      sizeBytes: 4_294_967_299,
      internalDate: { at: Date.UTC(2022, 1, 1, 11, 40), zoneMinutes: -90 },
      emailId: 'M1',
      threadId: null,
      preview: null,
      saveDate: null,
    });
    const other = await fetched(
      'THREADID (T1) PREVIEW "text" SAVEDATE "01-Feb-2022 10:10:00 +0000"',
    );
    assert.deepEqual([other.threadId, other.preview], ['T1', 'text']);
    assert.equal(other.saveDate?.at, Date.UTC(2022, 1, 1, 10, 10));
  });

  it('gives sections as they came', async () => {
    const fields = { part: [], text: 'HEADER.FIELDS', fields: ['FROM', 'to'] } as const;
    const mime = { part: [1, 2], text: 'MIME' } as const;
    const base = { type: 'SECTION', peek: true } as const;
    const message = await fetched(
      'BODY[] {4}\r\na\0\xff\n BODY[HEADER.FIELDS ("From" To)] "x" BODY[1.2.MIME]<10> "\xfc" ' +
        'BODY[TEXT] NIL BINARY[1] ~{2}\r\n\0\0 BINARY.SIZE[1] 2 RFC822.HEADER ""',
    );
    const octets = (item: FetchItem): string | undefined =>
      sectionOf(message, item)?.toString('latin1');
    assert.equal(octets({ ...base, section: { part: [] } }), 'a\0\xff\n');
    assert.equal(octets({ ...base, section: fields }), 'x');
    assert.equal(octets({ ...base, section: mime, partial: { start: 10, length: 5 } }), '\xfc');
    assert.equal(octets({ ...base, section: mime }), undefined);
    assert.equal(octets({ ...base, section: { part: [], text: 'TEXT' } }), undefined);
    assert.equal(octets({ type: 'BINARY', peek: true, part: [1] }), '\0\0');
    assert.equal(octets({ type: 'RFC822.HEADER' }), '');
    assert.ok(message.sections.has('BODY[TEXT]'));
    assert.equal(message.binarySizes.get('BINARY.SIZE[1]'), 2);
  });

  it('names messages by UID where sequence numbers are given up', async () => {
    const response = await parsed('* 25997 UIDFETCH (FLAGS ())');
    assert.ok(response.type === 'fetch');
    assert.deepEqual([response.seq, response.uid], [0, 25997]);
  });
});

describe('what is no answer', () => {
  for (const text of [
    '',
    '*',
    '* ',
    '*OK',
    '* (',
    'a1',
    'a1 WHAT now',
    '* 99999999999 EXISTS',
    '* LIST',
    '* LIST () "/"',
    '* LIST (\\a "/" x',
    '* STATUS box (MESSAGES)',
    '* VANISHED',
    '* VANISHED 0',
    '* 1 FETCH',
    '* 1 FETCH (UID)',
    '* 1 FETCH (INTERNALDATE "soon")',
    '* 1 FETCH (BODY[X] "x")',
    '* 1 FETCH (BODY[] 5)',
    '* 1 FETCH (X ((',
    '* ESEARCH MIN',
    '* 5 EXISTS\n',
  ]) {
    it(`is refused: ${JSON.stringify(text)}`, async () => {
      await assert.rejects(parsed(text), BadSyntax);
    });
  }

  it('is refused when it nests without end', async () => {
    for (const text of ['* LIST () "/" x (y ', '* 1 FETCH (X ', '* 1 FETCH (BODYSTRUCTURE ']) {
      await assert.rejects(parsed(text + '('.repeat(10_000)), BadSyntax);
    }
  });
});
