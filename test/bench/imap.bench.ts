/**
 * IMAP work beside Dovecot, by the same raw driver on loopback: append, select, resync, fetch,
 * store, copy, move, expunge. Times are medians; 4 KB messages.
 */

import { ImapDriver } from '../support/imap-driver.ts';
import { LOGIN, PASSWORD, startLocalserve } from '../support/localserve.ts';
import { startDovecot } from './dovecot.ts';
import { median, medianMs, type BenchRow } from './row.ts';

interface Server {
  readonly ip: string;
  readonly imapPort: number;
}

type Measured = Map<string, { readonly unit: string; readonly value: number }>;

const SIZES = (process.env.BENCH_SIZES ?? '1000,10000,100000').split(',').map(Number);
const WORK_ON = 10_000;

export async function run(say: (text: string) => void): Promise<readonly BenchRow[]> {
  await using ours = await startLocalserve();
  await using dovecot = await startDovecot(say);
  const mine = await measure({ ip: ours.ip, imapPort: 1143 }, (text) => say(`daybook: ${text}`));
  const peer =
    dovecot === undefined
      ? undefined
      : await measure(dovecot, (text) => say(`${dovecot.name}: ${text}`));
  const rows: BenchRow[] = [];
  for (const [what, { unit, value }] of mine) {
    const other = peer?.get(what);
    rows.push({
      what,
      unit,
      ours: value,
      ...(other !== undefined && dovecot !== undefined
        ? { peer: { name: dovecot.name, value: other.value } }
        : {}),
    });
  }
  return rows;
}

async function measure(server: Server, say: (text: string) => void): Promise<Measured> {
  const results: Measured = new Map();
  const note = (what: string, unit: string, value: number): void => {
    say(`${what}: ${value.toFixed(value < 10 ? 3 : 1)} ${unit}`);
    results.set(what, { unit, value });
  };
  await measureAppend(server, note);
  for (const size of SIZES) {
    await fill(server, `box${size}`, size);
    await measureSelect(server, size, note);
    await measureResync(server, size, note);
  }
  await measureFetch(server, note);
  await measureStore(server, note);
  await measureTransfer(server, note);
  return results;
}

type Note = (what: string, unit: string, value: number) => void;

/** About 4 KB, no two alike. */
function message(i: number): string {
  const head =
    `From: Sender ${i} <sender${i % 97}@example.org>\r\nTo: daybook@localhost\r\n` +
    `Subject: message number ${i}\r\nDate: Tue, 3 Feb 2026 10:11:12 +0000\r\n` +
    `Message-ID: <${i}.bench@example.org>\r\nMIME-Version: 1.0\r\n` +
    'Content-Type: text/plain; charset=utf-8\r\n\r\n';
  return head + `line of text in message ${i} that goes on for a while\r\n`.repeat(70);
}

async function open(server: Server): Promise<ImapDriver> {
  const driver = await ImapDriver.open(server.ip, server.imapPort);
  await driver.command(`LOGIN ${LOGIN} ${PASSWORD}`);
  return driver;
}

async function measureAppend(server: Server, note: Note): Promise<void> {
  const driver = await open(server);
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

/** Fills a mailbox, many messages to a command (RFC 3502), flags of every tenth set. */
async function fill(server: Server, mailbox: string, count: number): Promise<void> {
  const driver = await open(server);
  await driver.command(`CREATE ${mailbox}`);
  const perCommand = 200;
  for (let done = 0; done < count; done += perCommand) {
    let text = `APPEND ${mailbox}`;
    for (let i = done; i < Math.min(count, done + perCommand); i++) {
      const body = message(i);
      text += ` ${i % 10 === 0 ? '(\\Seen) ' : ''}{${body.length}+}\r\n${body}`;
    }
    const answer = (await driver.command(text)).toString('latin1');
    if (!answer.includes(' OK ')) throw new Error(answer.slice(-300));
  }
  driver.close();
}

async function measureSelect(server: Server, size: number, note: Note): Promise<void> {
  const driver = await open(server);
  await driver.command(`SELECT box${size}`);
  note(
    `SELECT of ${size}, warm`,
    'ms',
    await medianMs(21, () => driver.command(`SELECT box${size}`)),
  );
  driver.close();
}

async function measureResync(server: Server, size: number, note: Note): Promise<void> {
  const writer = await open(server);
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
    let bytes = 0;
    const times: number[] = [];
    // A client that comes back has a new connection; only its SELECT is timed.
    for (let i = 0; i < 11; i++) {
      const client = await open(server);
      await client.command('ENABLE QRESYNC');
      const start = performance.now();
      const answer = await client.command(
        `SELECT box${size} (QRESYNC (${uidValidity} ${before} 1:${size}))`,
      );
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
  const driver = await open(server);
  await driver.command(`SELECT box${WORK_ON}`);
  const perMessage = async (items: string, count: number): Promise<number> =>
    ((await medianMs(5, () => driver.command(`FETCH 1:${count} ${items}`))) * 1000) / count;
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
  note('SEARCH UNSEEN in 10,000', 'ms', await medianMs(9, () => driver.command('SEARCH UNSEEN')));
  note(
    'SEARCH SUBJECT in 10,000',
    'ms',
    await medianMs(5, () => driver.command('SEARCH SUBJECT "number 77"')),
  );
  driver.close();
}

async function measureStore(server: Server, note: Note): Promise<void> {
  const driver = await open(server);
  await driver.command(`SELECT box${WORK_ON}`);
  for (const count of [1, 1000, WORK_ON]) {
    const ms = await medianMs(10, (i) =>
      driver.command(`STORE 1:${count} ${i % 2 === 0 ? '+' : '-'}FLAGS (\\Flagged)`),
    );
    note(`STORE FLAGS on ${count}`, 'ms', ms);
  }
  driver.close();
}

async function measureTransfer(server: Server, note: Note): Promise<void> {
  const driver = await open(server);
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
