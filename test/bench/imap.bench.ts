/**
 * IMAP work beside Dovecot, by the same raw driver on loopback: append, select, resync, fetch,
 * store, copy, move, expunge. Times are medians of a warm server; 4 KB messages.
 *
 * Dovecot answers STORE before the change is on the disk, unless it is told to sync always. Whoever
 * compares promises, not only times, looks at the rows that say so.
 */

import type { ImapDriver } from '../support/imap-driver.ts';
import { besideDovecot, fillMailbox, openImap, type Note, type Server } from './beside.ts';
import { median, warmMedianMs, type BenchRow } from './row.ts';

const SIZES = (process.env.BENCH_SIZES ?? '1000,10000,100000').split(',').map(Number);
const WORK_ON = 10_000;

export async function run(say: (text: string) => void): Promise<readonly BenchRow[]> {
  const rows = await besideDovecot(say, measure);
  const synced = await besideDovecot(say, measureSynced, 'always');
  return [...rows, ...synced.map((row) => ({ ...row, what: `${row.what}, on the disk` }))];
}

async function measure(server: Server, note: Note): Promise<void> {
  await measureAppend(server, note);
  for (const size of SIZES) {
    await fillMailbox(server, `box${size}`, size, message);
    await measureSelect(server, size, note);
    await measureResync(server, size, note);
  }
  await measureFetch(server, note);
  await measureStore(server, note);
  await measureTransfer(server, note);
}

async function measureSynced(server: Server, note: Note): Promise<void> {
  await measureAppend(server, note);
  await fillMailbox(server, `box${WORK_ON}`, WORK_ON, message);
  await measureStore(server, note);
}

/** About 4 KB, no two alike. */
function message(i: number): string {
  const head =
    `From: Sender ${i} <sender${i % 97}@example.org>\r\nTo: daybook@localhost\r\n` +
    `Subject: message number ${i}\r\nDate: Tue, 3 Feb 2026 10:11:12 +0000\r\n` +
    `Message-ID: <${i}.bench@example.org>\r\nMIME-Version: 1.0\r\n` +
    'Content-Type: text/plain; charset=utf-8\r\n\r\n';
  return head + `line of text in message ${i} that goes on for a while\r\n`.repeat(70);
}

async function measureAppend(server: Server, note: Note): Promise<void> {
  const driver = await openImap(server);
  await driver.command('CREATE appends');
  const count = 2000;
  const start = performance.now();
  let tag = '';
  for (let i = 0; i < count; i++) {
    const text = message(i);
    tag = driver.sendOnly(`APPEND appends {${text.length}+}\r\n${text}`);
  }
  await driver.answer(tag);
  note(
    'APPEND pipelined, one connection',
    'messages/s',
    (count * 1000) / (performance.now() - start),
  );
  driver.close();
}

async function measureSelect(server: Server, size: number, note: Note): Promise<void> {
  const driver = await openImap(server);
  await driver.command(`SELECT box${size}`);
  note(
    `SELECT of ${size}, warm`,
    'ms',
    await warmMedianMs(21, () => driver.command(`SELECT box${size}`)),
  );
  driver.close();
}

async function measureResync(server: Server, size: number, note: Note): Promise<void> {
  const writer = await openImap(server);
  await writer.command('ENABLE QRESYNC');
  const selected = (await writer.command(`SELECT box${size}`)).toString('latin1');
  const uidValidity = /UIDVALIDITY (\d+)/.exec(selected)?.[1] ?? '';
  for (const changes of [0, 10, 1000]) {
    const before = await status(writer, `box${size}`);
    // Every change is a command of its own, as a user makes them, spread over the mailbox.
    let tag = '';
    const step = Math.max(1, Math.floor(size / Math.max(1, changes)));
    for (let i = 0; i < changes; i++) {
      tag = writer.sendOnly(`UID STORE ${1 + ((i * step) % size)} +FLAGS.SILENT (k${changes})`);
    }
    if (tag !== '') await writer.answer(tag);
    const resync = `SELECT box${size} (QRESYNC (${uidValidity} ${before} 1:${size}))`;
    await warmMedianMs(1, () => writer.command(resync));
    let bytes = 0;
    const times: number[] = [];
    // A client that comes back has a new connection; only its SELECT is timed.
    for (let i = 0; i < 11; i++) {
      const client = await openImap(server);
      await client.command('ENABLE QRESYNC');
      const start = performance.now();
      const answer = await client.command(resync);
      times.push(performance.now() - start);
      bytes = answer.length;
      client.close();
    }
    note(`QRESYNC select of ${size}, ${changes} changes`, 'ms', median(times));
    note(`QRESYNC select of ${size}, ${changes} changes: answer`, 'bytes', bytes);
  }
  writer.close();
}

async function status(driver: ImapDriver, mailbox: string): Promise<string> {
  const answer = (await driver.command(`STATUS ${mailbox} (HIGHESTMODSEQ)`)).toString('latin1');
  return /HIGHESTMODSEQ (\d+)/.exec(answer)?.[1] ?? '1';
}

async function measureFetch(server: Server, note: Note): Promise<void> {
  const driver = await openImap(server);
  await driver.command(`SELECT box${WORK_ON}`);
  const perMessage = async (items: string, count: number): Promise<number> =>
    ((await warmMedianMs(5, () => driver.command(`FETCH 1:${count} ${items}`))) * 1000) / count;
  const start = performance.now();
  await driver.command(`FETCH 1:${WORK_ON} ENVELOPE`);
  note(
    'FETCH ENVELOPE of 10,000, first time',
    'µs/message',
    ((performance.now() - start) * 1000) / WORK_ON,
  );
  note('FETCH UID FLAGS of 10,000', 'µs/message', await perMessage('(UID FLAGS)', WORK_ON));
  note('FETCH ENVELOPE of 10,000', 'µs/message', await perMessage('ENVELOPE', WORK_ON));
  note('FETCH BODYSTRUCTURE of 10,000', 'µs/message', await perMessage('BODYSTRUCTURE', WORK_ON));
  note('FETCH BODY[] of 2,000', 'µs/message', await perMessage('BODY.PEEK[]', 2000));
  const search = (keys: string): Promise<number> =>
    warmMedianMs(9, () => driver.command(`SEARCH ${keys}`));
  note('SEARCH UNSEEN in 10,000', 'ms', await search('UNSEEN'));
  note('SEARCH SUBJECT in 10,000', 'ms', await search('SUBJECT "number 77"'));
  driver.close();
}

async function measureStore(server: Server, note: Note): Promise<void> {
  const driver = await openImap(server);
  await driver.command(`SELECT box${WORK_ON}`);
  for (const count of [1, 1000, WORK_ON]) {
    const ms = await warmMedianMs(21, (i) =>
      driver.command(`STORE 1:${count} ${i % 2 === 0 ? '+' : '-'}FLAGS (\\Flagged)`),
    );
    note(`STORE FLAGS on ${count}`, 'ms', ms);
  }
  driver.close();
}

async function measureTransfer(server: Server, note: Note): Promise<void> {
  const driver = await openImap(server);
  await driver.command(`SELECT box${WORK_ON}`);
  await driver.command('CREATE copies');
  await driver.command('CREATE moved');
  const timed = async (what: string, command: string): Promise<void> => {
    const start = performance.now();
    const answer = (await driver.command(command)).toString('latin1');
    if (!/ OK /.test(answer.slice(-300))) throw new Error(answer.slice(-300));
    note(what, 'ms', performance.now() - start);
  };
  await timed('COPY of 10,000', `COPY 1:${WORK_ON} copies`);
  await driver.command('SELECT copies');
  await timed('MOVE of 10,000', `MOVE 1:${WORK_ON} moved`);
  await driver.command('SELECT moved');
  await driver.command(`STORE 1:${WORK_ON} +FLAGS.SILENT (\\Deleted)`);
  await timed('EXPUNGE of 10,000', 'EXPUNGE');
  driver.close();
}
