/**
 * Telling the structure of messages, beside Dovecot: the first time, and again and again; and
 * parts of them. Messages of 40 KB as people send them (a text twice, a picture, an attachment),
 * messages in messages, and one message of 10,000 parts.
 */

import { manyParts } from '../corpus/mime-structures.ts';
import { besideDovecot, fillMailbox, openImap, type Note, type Server } from './beside.ts';
import { warmMedianMs, type BenchRow } from './row.ts';

const COUNT = Number(process.env.BENCH_SIZE ?? '2000');
const DEPTH = 20;
const ROUNDS = 9;

export function run(say: (text: string) => void): Promise<readonly BenchRow[]> {
  return besideDovecot(say, measure);
}

async function measure(server: Server, note: Note): Promise<void> {
  await fillMailbox(server, 'letters', COUNT, letter);
  await fillMailbox(server, 'chains', COUNT / 10, (i) => forwarded(i, DEPTH));
  const perMessage = async (what: string, mailbox: string, items: string): Promise<void> => {
    const count = mailbox === 'letters' ? COUNT : COUNT / 10;
    const driver = await openImap(server);
    await driver.command(`SELECT ${mailbox}`);
    const fetch = (): Promise<Buffer> => driver.command(`FETCH 1:* (${items})`);
    const µs = (ms: number): number => (ms * 1000) / count;
    const start = performance.now();
    await fetch();
    note(`${what}, first time`, 'µs/message', µs(performance.now() - start));
    note(what, 'µs/message', µs(await warmMedianMs(ROUNDS, fetch)));
    driver.close();
  };
  await perMessage(`FETCH BODYSTRUCTURE of ${COUNT} letters`, 'letters', 'BODYSTRUCTURE');
  await perMessage(`FETCH BODYSTRUCTURE of ${DEPTH} in each other`, 'chains', 'BODYSTRUCTURE');
  await perMessage('FETCH a part and its MIME header', 'letters', PARTS);
  await perMessage('FETCH 1 KB of an attachment', 'letters', 'BODY.PEEK[2]<4096.1024>');
  await perMessage('FETCH an attachment, decoded', 'letters', 'BINARY.PEEK[2]');
  await manyPartsMeasured(server, note);
}

const PARTS = 'BODY.PEEK[1.1] BODY.PEEK[1.1.MIME]';

async function manyPartsMeasured(server: Server, note: Note): Promise<void> {
  const message = manyParts(9_999).toString('latin1');
  const driver = await openImap(server);
  await driver.command('CREATE many');
  const start = performance.now();
  await driver.command(`APPEND many {${message.length}+}\r\n${message}`);
  await driver.command('SELECT many');
  await driver.command('FETCH 1 (BODYSTRUCTURE)');
  note('10,000 parts: APPEND and the first BODYSTRUCTURE', 'ms', performance.now() - start);
  const fetch = (items: string) => (): Promise<Buffer> => driver.command(`FETCH 1 (${items})`);
  note('10,000 parts: BODYSTRUCTURE', 'ms', await warmMedianMs(ROUNDS, fetch('BODYSTRUCTURE')));
  note('10,000 parts: the last', 'ms', await warmMedianMs(ROUNDS, fetch('BODY.PEEK[9999]')));
  driver.close();
}

function head(i: number): string {
  return (
    `From: Sender ${i} <sender${i % 97}@example.org>\r\nTo: daybook@localhost\r\n` +
    `Subject: letter ${i}\r\nDate: Tue, 3 Feb 2026 10:11:12 +0000\r\n` +
    `Message-ID: <${i}.bench@example.org>\r\nMIME-Version: 1.0\r\n`
  );
}

function letter(i: number): string {
  const text = `A line of text in letter ${i} that goes on for a while.\r\n`.repeat(20);
  const data = 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9w\r\n';
  return (
    `${head(i)}Content-Type: multipart/mixed; boundary="mixed"\r\n\r\n--mixed\r\n` +
    'Content-Type: multipart/related; boundary="related"\r\n\r\n--related\r\n' +
    `Content-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n--related\r\n` +
    `Content-Type: text/html; charset=utf-8\r\n\r\n<p>${text}</p>\r\n--related\r\n` +
    'Content-Type: image/png; name="logo.png"\r\nContent-Transfer-Encoding: base64\r\n' +
    `Content-ID: <logo${i}@example.org>\r\nContent-Disposition: inline\r\n\r\n${data.repeat(150)}` +
    '--related--\r\n\r\n--mixed\r\nContent-Type: application/pdf; name="letter.pdf"\r\n' +
    'Content-Disposition: attachment; filename="letter.pdf"\r\n' +
    `Content-Transfer-Encoding: base64\r\n\r\n${data.repeat(500)}--mixed--\r\n`
  );
}

/** A message in a message in a message. */
function forwarded(i: number, depth: number): string {
  if (depth === 0) return `${head(i)}Content-Type: text/plain\r\n\r\nThe first of them.\r\n`;
  const boundary = `level${depth}`;
  return (
    `${head(i)}Content-Type: multipart/mixed; boundary=${boundary}\r\n\r\n--${boundary}\r\n\r\n` +
    `See below.\r\n--${boundary}\r\nContent-Type: message/rfc822\r\n\r\n` +
    `${forwarded(i, depth - 1)}\r\n--${boundary}--\r\n`
  );
}
