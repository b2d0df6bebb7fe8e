/**
 * Clients that keep a server busy until it is gone: they deliver, submit, append and remove, set
 * flags, and move to and fro. What each is answered goes into the book before it goes on.
 */

import assert from 'node:assert/strict';
import type { ImapDriver } from '../support/imap-driver.ts';
import { LOGIN } from '../support/localserve.ts';
import { appendCommand, logIn, said } from '../support/mail-answers.ts';
import { SmtpDriver } from '../support/smtp-driver.ts';
import { ABSENT, type Book, type Place, type Seen } from './server-book.ts';

export const MAILBOXES = ['INBOX', 'Appended', 'Flagged', 'Here', 'There'] as const;
const FLAG_BITS = 10;
const FLAG_MESSAGES = 20;
const MOVE_MESSAGES = 10;

let lastNumber = 0;

/** A word that no other message has. */
function newToken(kind: string): string {
  return `${kind}-${++lastNumber}`;
}

function messageOf(token: string): string {
  const padding = 'x'.repeat((lastNumber * 37) % 3000).replaceAll(/.{70}/g, '$&\r\n');
  return `From: <you@example.org>\r\nSubject: ${token}\r\n\r\n${padding}\r\n`;
}

async function logInFully(ip: string): Promise<ImapDriver> {
  const client = await logIn(ip);
  await said(client, 'ENABLE QRESYNC');
  return client;
}

/** Makes the mailboxes and the messages that flags and moves are about. */
export async function prepare(ip: string, book: Book): Promise<void> {
  const client = await logInFully(ip);
  for (const mailbox of MAILBOXES.slice(1)) await said(client, `CREATE ${mailbox}`);
  for (let i = 0; i < FLAG_MESSAGES; i++) await append(client, book, 'flag', 'Flagged', 'b0');
  for (let i = 0; i < MOVE_MESSAGES; i++) await append(client, book, 'move', 'Here');
  client.close();
}

/** Everything in all mailboxes. */
export async function lookAround(ip: string, book: Book): Promise<readonly Seen[]> {
  const client = await logInFully(ip);
  const seen: Seen[] = [];
  for (const mailbox of MAILBOXES) {
    const selected = await said(client, `SELECT ${mailbox}`);
    book.look(mailbox, {
      uidValidity: numberIn(selected, /UIDVALIDITY (\d+)/),
      uidNext: numberIn(selected, /UIDNEXT (\d+)/),
      highestModSeq: numberIn(selected, /HIGHESTMODSEQ (\d+)/),
    });
    const listed = await said(
      client,
      'UID FETCH 1:* (UID FLAGS MODSEQ BODY.PEEK[HEADER.FIELDS (SUBJECT)])',
    );
    const found = listed.matchAll(
      /UID (\d+) FLAGS \(([^)]*)\) MODSEQ \((\d+)\) BODY\[[^\]]+\] \{\d+\}\r\nSubject: (\S+)/g,
    );
    const before = seen.length;
    for (const [, uid, flags = '', modSeq, token = ''] of found) {
      const sorted = flags.split(' ').sort().join(' ');
      seen.push({ mailbox, uid: Number(uid), flags: sorted, modSeq: Number(modSeq), token });
    }
    // Submitted mail may still arrive.
    assert.ok(seen.length - before >= numberIn(selected, /\* (\d+) EXISTS/), mailbox);
    // Or news of this mailbox would come with the answers about the next one.
    await said(client, 'UNSELECT');
  }
  client.close();
  return seen;
}

/** The clients, each of which ends with the server. */
export function load(ip: string, book: Book): readonly Promise<void>[] {
  return [
    untilGone(() => deliver(ip, book)),
    untilGone(() => deliver(ip, book)),
    untilGone(() => submit(ip, book)),
    untilGone(() => appendAndRemove(ip, book)),
    untilGone(() => setFlags(ip, book)),
    untilGone(() => move(ip, book)),
  ];
}

async function untilGone(work: () => Promise<never>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const isGone = /the connection ended|ECONNREFUSED|ECONNRESET/.test(String(error));
    if (!isGone) throw error;
  }
}

async function deliver(ip: string, book: Book): Promise<never> {
  const client = await SmtpDriver.open(ip, 1025);
  await client.ask('EHLO client.example', 250);
  for (;;) {
    const token = newToken('deliver');
    const effect: Place = { type: 'in', mailbox: 'INBOX' };
    book.ask(token, effect);
    const reply = await client.send('you@example.org', LOGIN, messageOf(token));
    assert.match(reply, /^250 /);
    book.acknowledge(token, effect);
  }
}

async function submit(ip: string, book: Book): Promise<never> {
  const client = await SmtpDriver.openSubmission(ip);
  for (;;) {
    const token = newToken('submit');
    book.ask(token, { type: 'arriving' });
    const message = messageOf(token).replace('you@example.org', LOGIN);
    const reply = await client.send(LOGIN, 'friend@example.org', message);
    assert.match(reply, /^250 /);
    book.acknowledge(token, { type: 'arriving' });
  }
}

async function appendAndRemove(ip: string, book: Book): Promise<never> {
  const client = await logInFully(ip);
  await said(client, 'SELECT Appended');
  for (;;) {
    await append(client, book, 'append', 'Appended');
    const token = await append(client, book, 'remove', 'Appended');
    const { uid, mailbox } = placeOf(book, token);
    book.ask(token, ABSENT);
    await said(client, `UID STORE ${uid} +FLAGS.SILENT (\\Deleted)`);
    const answer = await said(client, `UID EXPUNGE ${uid}`);
    book.acknowledge(token, ABSENT);
    book.heardModSeq(mailbox, numberIn(answer, /HIGHESTMODSEQ (\d+)/));
  }
}

async function append(
  client: ImapDriver,
  book: Book,
  kind: string,
  mailbox: string,
  flags?: string,
): Promise<string> {
  const token = newToken(kind);
  const message = messageOf(token);
  const place: Place = { type: 'in', mailbox, ...(flags === undefined ? {} : { flags }) };
  book.ask(token, place);
  const list = flags === undefined ? '' : ` (${flags})`;
  const answer = await said(client, appendCommand(`${mailbox}${list}`, message));
  book.acknowledge(token, { ...place, uid: numberIn(answer, /APPENDUID \d+ (\d+)\]/) });
  return token;
}

/** The keywords of a message count how often they were set, in binary. */
async function setFlags(ip: string, book: Book): Promise<never> {
  const client = await logInFully(ip);
  await said(client, 'SELECT Flagged');
  for (let round = 1; ; round++) {
    for (let i = 1; i <= FLAG_MESSAGES; i++) {
      const token = `flag-${i}`;
      const place = placeOf(book, token);
      const flags = flagsOf((round * FLAG_MESSAGES + i) % 2 ** FLAG_BITS);
      if (flags === place.flags) continue;
      const effect: Place = { ...place, flags };
      book.ask(token, effect);
      const answer = await said(client, `UID STORE ${place.uid} FLAGS (${flags})`);
      book.acknowledge(token, effect);
      book.heardModSeq('Flagged', numberIn(answer, /MODSEQ \((\d+)\)/));
    }
  }
}

function flagsOf(number: number): string {
  const set = Array.from({ length: FLAG_BITS }, (_, bit) => bit).filter(
    (bit) => number & (1 << bit),
  );
  return set.map((bit) => `b${bit}`).join(' ');
}

async function move(ip: string, book: Book): Promise<never> {
  const client = await logInFully(ip);
  for (let turn = 0; ; turn++) {
    const token = `move-${FLAG_MESSAGES + 1 + (turn % MOVE_MESSAGES)}`;
    const { uid, mailbox: source } = placeOf(book, token);
    const target = source === 'Here' ? 'There' : 'Here';
    await said(client, `SELECT ${source}`);
    book.ask(token, { type: 'in', mailbox: target });
    const answer = await said(client, `UID MOVE ${uid} ${target}`);
    const [, from, to] = /COPYUID \d+ (\d+) (\d+)\]/.exec(answer) ?? [];
    assert.equal(Number(from), uid);
    book.acknowledge(token, { type: 'in', mailbox: target, uid: Number(to) });
    book.heardModSeq(source, numberIn(answer, /HIGHESTMODSEQ (\d+)/));
  }
}

function placeOf(book: Book, token: string): Place {
  const place = book.placeOf(token);
  assert.ok(place !== undefined, `nobody knows where ${token} is`);
  return place;
}

function numberIn(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1];
  assert.ok(found !== undefined, `${String(pattern)} is not in: ${text.slice(0, 1000)}`);
  return Number(found);
}
