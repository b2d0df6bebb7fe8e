/**
 * How IMAP writes strings, names, sets and dates, and how answers leave.
 */

import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { flagSetOf } from '#domain/values/flags';
import { parseUidSet, uidRange, uidSetOf } from '#domain/values/uid-set';
import {
  astring,
  flagList,
  flagSetText,
  internalDate,
  mailboxName,
  nstring,
  quotedOrLiteral,
  ReplyWriter,
  searchLines,
  vanishedLines,
  wireText,
} from '#protocols/imap/writer';

describe('strings', () => {
  it('are quoted, or literals when quotes cannot hold them', () => {
    assert.equal(quotedOrLiteral('a "b" \\'), '"a \\"b\\" \\\\"');
    assert.equal(quotedOrLiteral(''), '""');
    assert.equal(quotedOrLiteral('a\r\nb'), '{4}\r\na\r\nb');
    assert.equal(quotedOrLiteral('ü'), '{2}\r\n\xc3\xbc');
    assert.equal(nstring(undefined), 'NIL');
    assert.equal(nstring('x'), '"x"');
  });

  it('are bare where an astring may be', () => {
    for (const text of ['a', 'Inbox/x', 'a]', '$x', '&Jjo-']) assert.equal(astring(text), text);
    for (const text of ['', 'a b', 'nil', 'a*', 'a%', 'a(', 'a{', 'x\x7f']) {
      assert.equal(astring(text), `"${text}"`);
    }
  });

  it('are one character per octet', () => {
    assert.equal(wireText('☺'), '\xe2\x98\xba');
    assert.equal(wireText('plain'), 'plain');
  });
});

describe('mailbox names', () => {
  it('71: are modified UTF-7, or UTF-8 once it is enabled', () => {
    assert.equal(mailboxName('☺', false), '&Jjo-');
    assert.equal(mailboxName('☺ x', false), '"&Jjo- x"');
    assert.equal(mailboxName('☺', true), '"\xe2\x98\xba"');
    assert.equal(mailboxName('a&b', false), 'a&-b');
    assert.equal(mailboxName('a&b', true), 'a&b');
    assert.equal(mailboxName('Inbox', true), 'Inbox');
    assert.equal(mailboxName('', false), '""');
  });
});

describe('flags and dates', () => {
  it('stand in parentheses', () => {
    assert.equal(flagList([]), '()');
    assert.equal(flagList(['\\Seen', 'x']), '(\\Seen x)');
    assert.equal(flagSetText(flagSetOf([])), '()');
    assert.equal(flagSetText(flagSetOf(['b', '\\Seen', 'a', '$Junk'])), '(\\Seen $Junk a b)');
    assert.equal(flagSetText(flagSetOf(['b'])), '(b)');
    assert.equal(flagSetText(flagSetOf(['\\Draft'])), '(\\Draft)');
  });

  it('106: keep their zone', () => {
    assert.equal(internalDate(Date.UTC(2022, 0, 1, 9, 10), 60), '" 1-Jan-2022 10:10:00 +0100"');
  });
});

describe('VANISHED', () => {
  it('says whether it tells of earlier times', () => {
    assert.deepEqual(vanishedLines(parseUidSet('3:4,9'), true), ['* VANISHED (EARLIER) 3:4,9']);
    assert.deepEqual(vanishedLines(parseUidSet('5'), false), ['* VANISHED 5']);
    assert.deepEqual(vanishedLines([], true), []);
  });

  it('207: is cut into lines below 8192 octets', () => {
    const uids = uidSetOf(Array.from({ length: 20_000 }, (_, i) => 4_000_000_000 + i * 2));
    const lines = vanishedLines(uids, true);
    assert.ok(lines.length > 10);
    for (const line of lines) assert.ok(line.length < 4200, `${line.length}`);
    const told = lines.map((line) => line.replace('* VANISHED (EARLIER) ', '')).join(',');
    assert.deepEqual(parseUidSet(told), uids);
  });
});

describe('SEARCH', () => {
  it('145, 176: lists numbers, and the mod-sequence only with numbers', () => {
    assert.deepEqual(searchLines(parseUidSet('1:3,5')), ['* SEARCH 1 2 3 5']);
    assert.deepEqual(searchLines(parseUidSet('5:6'), 9), ['* SEARCH 5 6 (MODSEQ 9)']);
    assert.deepEqual(searchLines([]), ['* SEARCH']);
    assert.deepEqual(searchLines([], 9), ['* SEARCH']);
  });

  it('155: is cut into lines of 100 numbers', () => {
    const lines = searchLines(uidRange(1, 250), 7);
    assert.equal(lines.length, 3);
    for (const line of lines) assert.match(line, /^\* SEARCH( \d+){1,100} \(MODSEQ 7\)$/);
    assert.equal(searchLines(uidRange(1, 200)).length, 2);
  });
});

/** A stream that takes octets only when told to. */
function slowStream(): { stream: Writable; text: () => string; take: () => void } {
  let text = '';
  let taken: (() => void) | undefined;
  const stream = new Writable({
    highWaterMark: 1000,
    write(chunk: Buffer, _encoding, callback) {
      text += chunk.toString('latin1');
      taken = callback;
    },
  });
  const take = (): void => {
    const callback = taken;
    taken = undefined;
    callback?.();
  };
  return { stream, text: () => text, take };
}

describe('the writer of answers', () => {
  it('keeps text and octets in order', async () => {
    const chunks: Buffer[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, callback) {
        chunks.push(chunk);
        callback();
      },
    });
    const out = new ReplyWriter(stream);
    out.put('* 1 FETCH (BODY[] ');
    await out.literal(Buffer.from('\xff\r\n', 'latin1'));
    out.put(' BINARY[1] ');
    await out.literal(Buffer.from('\0'), true);
    out.line(')');
    out.line('a OK');
    await out.flush();
    assert.equal(
      Buffer.concat(chunks).toString('latin1'),
      '* 1 FETCH (BODY[] {3}\r\n\xff\r\n BINARY[1] ~{1}\r\n\0)\r\na OK\r\n',
    );
  });

  it('says when it is full and waits for a slow peer', async () => {
    const { stream, text, take } = slowStream();
    const told: string[] = [];
    const out = new ReplyWriter(stream, () => {
      told.push('blocked');
      return () => told.push('over');
    });
    while (!out.full) out.line('x'.repeat(78));
    const done = { flushed: false };
    const flush = out.flush().then(() => (done.flushed = true));
    assert.equal(out.full, false);
    assert.deepEqual(told, ['blocked']);
    assert.equal(done.flushed, false);
    while (!done.flushed) {
      take();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    await flush;
    assert.deepEqual(told, ['blocked', 'over']);
    assert.ok(text().length >= 64 * 1024);
  });

  it('stops waiting, and drops what it has, when the stream is gone', async () => {
    const { stream } = slowStream();
    const out = new ReplyWriter(stream);
    out.line('x'.repeat(5000));
    const flush = out.flush();
    stream.destroy();
    await flush;
    out.line('y');
    await out.flush();
    assert.equal(out.full, false);
  });
});
