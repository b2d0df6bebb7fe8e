/**
 * A little mail with a past, by real clients on a real server, and all that the server answers
 * about it: answers before and after an accident are compared octet by octet.
 */

import assert from 'node:assert/strict';
import { ImapDriver } from './imap-driver.ts';
import { LOGIN, PASSWORD } from './localserve.ts';
import { SmtpDriver } from './smtp-driver.ts';

const IMAP_PORT = 1143;
const SMTP_PORT = 1025;
const ITEMS = '(UID FLAGS MODSEQ)';

export async function logIn(ip: string): Promise<ImapDriver> {
  const client = await ImapDriver.open(ip, IMAP_PORT);
  await said(client, `LOGIN ${LOGIN} ${PASSWORD}`);
  return client;
}

/** Sends a command that has to go well; what it was answered. */
export async function said(client: ImapDriver, command: string): Promise<string> {
  const answer = (await client.command(command)).toString('latin1');
  assert.match(answer, /^T\d+x OK /m, `${command.slice(0, 80)} → ${answer}`);
  return answer;
}

export async function deliver(ip: string, subject: string): Promise<string> {
  const client = await SmtpDriver.open(ip, SMTP_PORT);
  await client.ask('EHLO client.example', 250);
  const reply = await client.send('you@example.org', LOGIN, `Subject: ${subject}\r\n\r\nhello`);
  client.close();
  return reply;
}

export function appendCommand(mailbox: string, octets: string): string {
  return `APPEND ${mailbox} {${octets.length}+}\r\n${octets}`;
}

/** Appends, deliveries, flags, copies, moves and expunges. */
export async function makeMail(ip: string): Promise<void> {
  const client = await logIn(ip);
  for (let i = 1; i <= 40; i++) {
    const text = `Subject: number ${i}\r\n\r\n${'some words '.repeat(i * 9)}\r\n`;
    await said(client, appendCommand('INBOX', text));
  }
  await deliver(ip, 'from a stranger');
  await said(client, 'SELECT INBOX');
  for (const command of [
    'UID STORE 1:9 +FLAGS (\\Seen work)',
    'UID STORE 3,5,7 FLAGS (\\Answered)',
    'UID COPY 1:10 Archive',
    'UID MOVE 11:14 Trash',
    'UID STORE 20:29,35 +FLAGS (\\Deleted)',
    'EXPUNGE',
    'UID STORE 1:* -FLAGS (work)',
    'UID MOVE 30 Archive',
    'CREATE Letters/2026',
  ]) {
    await said(client, command);
  }
  client.close();
}

/** What clients see: all rows of all mailboxes, and resyncs from several past points. */
export async function answersOf(ip: string): Promise<string> {
  const client = await logIn(ip);
  let all = await said(client, 'ENABLE QRESYNC');
  all += await said(client, 'LIST "" * RETURN (STATUS (MESSAGES UIDNEXT UNSEEN HIGHESTMODSEQ))');
  for (const mailbox of ['INBOX', 'Archive', 'Trash', 'Letters/2026']) {
    const selected = await said(client, `SELECT ${mailbox}`);
    all += selected;
    // RFC 9051 §6.4.5: there is no message 1 in an empty mailbox.
    if (!selected.includes('* 0 EXISTS')) all += await said(client, `FETCH 1:* ${ITEMS}`);
    all += await said(client, 'UID FETCH 1:* (RFC822.SIZE ENVELOPE BODY.PEEK[])');
    const uidValidity = /UIDVALIDITY (\d+)/.exec(selected)?.[1];
    const highest = Number(/HIGHESTMODSEQ (\d+)/.exec(selected)?.[1]);
    for (let modSeq = 1; modSeq <= highest; modSeq += 7) {
      await said(client, 'UNSELECT');
      all += await said(client, `SELECT ${mailbox} (QRESYNC (${uidValidity} ${modSeq}))`);
    }
  }
  client.close();
  return all;
}
