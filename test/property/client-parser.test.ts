/**
 * Hostile servers: whatever they send, our IMAP client ends in values or in its own error; and it
 * understands what our server writes of any message.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { brokenBytes } from '../support/broken-bytes.ts';
import { answerOf, gathered, PlayedServer } from '../support/imap-client.ts';
import { formatStructure } from '#protocols/imap/body-structure';
import { openImapClient } from '#protocols/imap/client';
import { ImapClientError } from '#protocols/imap/client-error';
import { parseResponse } from '#protocols/imap/client-parser';
import { readStructure } from '#protocols/message/part';

/** Another seed finds other bytes. */
const SEED = 20260106;

/** Answers that are right, as a start for breaking them. `a1` and `a2` are tags of the client. */
const ANSWERS = [
  '* OK [CAPABILITY IMAP4rev1 LITERAL+ IDLE] hello\r\n',
  '* PREAUTH [CAPABILITY IMAP4rev1] hello {3}\r\n',
  '* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n',
  '* OK [PERMANENTFLAGS (\\Seen \\*)] x\r\n* OK [UIDVALIDITY 7] x\r\n* OK [CLOSED] x\r\n',
  '* OK [HIGHESTMODSEQ 99] x\r\n* 5 EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen $x)\r\n',
  '* VANISHED (EARLIER) 1:5,9\r\n* 3 EXPUNGE\r\n',
  '* LIST (\\Sent) "/" {3}\r\nbox ("CHILDINFO" ("SUBSCRIBED"))\r\n',
  '* STATUS "a b" (MESSAGES 3 MAILBOXID (F1))\r\n',
  '* SEARCH 1 2 3 (MODSEQ 9)\r\n* ESEARCH (TAG "a1") UID ALL 1:3 COUNT 3\r\n',
  '* 2 FETCH (UID 9 FLAGS (\\Seen) MODSEQ (9) BODY[HEADER.FIELDS (From)]<0> {4}\r\nab\r\n)\r\n',
  '* 2 FETCH (ENVELOPE (NIL "x" ((NIL NIL "a" "b")) NIL NIL NIL NIL NIL NIL NIL))\r\n',
  '* 2 FETCH (BODYSTRUCTURE (("text" "plain" NIL NIL NIL "7bit" 1 1)("a" "b" NIL NIL NIL "x" 3)' +
    ' "mixed" ("boundary" "x") NIL "en"))\r\n',
  '* 2 FETCH (INTERNALDATE " 1-Jan-2022 10:10:00 +0100" BINARY[1] ~{2}\r\n\0\0 PREVIEW NIL)\r\n',
  '* ID ("name" "x")\r\n* ENABLED QRESYNC\r\n+ go on\r\n',
  'a1 OK [READ-WRITE] done\r\na2 NO [TRYCREATE] x\r\n',
  'a1 OK [COPYUID 7 1:3 5:7] done\r\na3 BAD x\r\n* BYE x\r\n',
];

const NASTY = ['(', ')', '"', '\\', '{', '}', '{9}\r\n', '{2}\r\n', '~', '*', ' ', '\r\n', '[', ']']
  .concat(['\0', '\xff', '\n', '0', '99999999999999999999', '-1', '&', '<', 'NIL', 'a1 ', '+ '])
  .map((text) => Buffer.from(text, 'latin1'));

/** An answer with pieces cut out, doubled, or put in. */
const mutated = brokenBytes(ANSWERS, NASTY);

const noise = fc.uint8Array({ maxLength: 200 }).map((octets) => Buffer.from(octets));

/** A client that does a bit of everything with a server that has only this to say. */
async function converse(chunks: readonly Buffer[]): Promise<void> {
  const server = new PlayedServer();
  for (const chunk of chunks) server.sayRaw(chunk);
  server.hangUp();
  try {
    const client = await openImapClient({ ...server.options, limits: { lineBytes: 4096 } });
    const outcomes = await Promise.allSettled([
      client.select('box'),
      gathered(client.fetch({ uids: [[1, 9]] }, [{ type: 'ENVELOPE' }])),
      client.list({ patterns: ['*'] }),
      client.search({ type: 'ALL' }),
      client.append('box', { octets: Buffer.from('x') }),
      client.authenticate('strongest', { login: 'x', password: 'y' }),
      client.logout(),
    ]);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected' && !(outcome.reason instanceof ImapClientError)) {
        throw outcome.reason;
      }
    }
    assert.ok((await client.ended) instanceof ImapClientError);
  } catch (error) {
    if (!(error instanceof ImapClientError)) throw error;
    assert.notEqual(error.code, 'CallerFailed', String(error.cause));
  }
  assert.equal(server.clock.waiting, 0);
}

describe('a hostile server', () => {
  it('that makes noise leads to the error of the client', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(noise, { maxLength: 4 }), (chunks) => converse(chunks)),
      { numRuns: 150, seed: SEED },
    );
  });

  it('that speaks broken IMAP leads to values or to the error of the client', async () => {
    const greeting = Buffer.from('* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+] hello\r\n');
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(mutated, { maxLength: 8 }), (isPolite, chunks) =>
        converse(isPolite ? [greeting, ...chunks] : chunks),
      ),
      { numRuns: 800, seed: SEED },
    );
  });
});

/** A value of a header field. */
const value = fc
  .array(
    fc.oneof(
      fc.constantFrom('"', '\\', '<a@b>', 'Us: a@b, c@d;', ', ', '(x)', '=?utf-8?q?=C3?=', '\xff'),
      fc.constantFrom('{5}', '=', ';', 'charset', '"a b"', 'name*0*=', '%', 'text'),
    ),
    { maxLength: 6 },
  )
  .map((pieces) => pieces.join(''));

const { message } = fc.letrec<{ message: string; body: string }>((tie) => ({
  message: fc
    .tuple(fc.constantFrom('From', 'To', 'Subject', 'Message-ID', 'Date'), value, tie('body'))
    .map(([name, text, body]) => `${name}: ${text}\r\n${body}`),
  body: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.tuple(value, value).map(([a, b]) => `Content-Disposition: ${a}\r\n\r\n${b}\r\n`),
    tie('message').map((inner) => `Content-Type: message/rfc822\r\n\r\n${inner}`),
    fc
      .tuple(fc.array(tie('message'), { maxLength: 3 }), value)
      .map(([parts, text]) =>
        [
          `Content-Type: multipart/mixed; boundary=b; x=${text}\r\n\r\n`,
          ...parts.map((part) => `--b\r\n${part}\r\n`),
          '--b--\r\n',
        ].join(''),
      ),
  ),
}));

describe('what our server writes of a message', () => {
  it('is understood by our client', async () => {
    await fc.assert(
      fc.asyncProperty(message, async (text) => {
        const wire = formatStructure(readStructure(Buffer.from(text, 'latin1')));
        const { envelope, body, bodyStructure } = wire;
        const items = `ENVELOPE ${envelope} BODY ${body} BODYSTRUCTURE ${bodyStructure}`;
        const answer = parseResponse(await answerOf(`* 1 FETCH (${items} UID 7)`), { utf8: false });
        assert.ok(answer.type === 'fetch' && answer.uid === 7);
        assert.ok(answer.envelope !== undefined && answer.structure !== undefined);
      }),
      { numRuns: 500, seed: SEED },
    );
  });
});
