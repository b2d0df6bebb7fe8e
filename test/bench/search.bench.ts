/**
 * Sorting, threading and searching a mailbox of 10,000, beside Dovecot: the first time, and again
 * and again. Conversations of five messages, sent in no order; 1 KB each.
 */

import { besideDovecot, fillMailbox, openImap, type Note, type Server } from './beside.ts';
import { warmMedianMs, type BenchRow } from './row.ts';

const COUNT = Number(process.env.BENCH_SIZE ?? '10000');
const PER_CONVERSATION = 5;

const COMMANDS: readonly (readonly [what: string, command: string])[] = [
  ['SORT DATE', 'SORT (DATE) UTF-8 ALL'],
  ['SORT SUBJECT', 'SORT (SUBJECT) UTF-8 ALL'],
  ['SORT REVERSE DISPLAYFROM DATE', 'SORT (REVERSE DISPLAYFROM DATE) UTF-8 ALL'],
  ['SORT ARRIVAL, unseen', 'SORT (REVERSE ARRIVAL) UTF-8 UNSEEN'],
  ['UID SORT RETURN PARTIAL', 'UID SORT RETURN (PARTIAL 1:50) (REVERSE DATE) UTF-8 ALL'],
  ['THREAD REFERENCES', 'THREAD REFERENCES UTF-8 ALL'],
  ['THREAD ORDEREDSUBJECT', 'THREAD ORDEREDSUBJECT UTF-8 ALL'],
  ['UID SEARCH RETURN PARTIAL', 'UID SEARCH RETURN (PARTIAL -1:-50) UNSEEN'],
  ['UID FETCH THREADID', 'UID FETCH 1:* (THREADID)'],
];

export function run(say: (text: string) => void): Promise<readonly BenchRow[]> {
  return besideDovecot(say, measure);
}

async function measure(server: Server, note: Note): Promise<void> {
  await fillMailbox(server, 'sorted', COUNT, message);
  const driver = await openImap(server);
  await driver.command('SELECT sorted');
  for (const [what, command] of COMMANDS) {
    const start = performance.now();
    const answer = await driver.command(command);
    const first = performance.now() - start;
    // Who does not know it has nothing to compare.
    if (/ (BAD|NO) /.test(answer.toString('latin1').slice(-200))) continue;
    note(`${what} of ${COUNT}, first time`, 'ms', first);
    note(`${what} of ${COUNT}`, 'ms', await warmMedianMs(9, () => driver.command(command)));
  }
  driver.close();
}

/** The i-th message: of a conversation whose other messages lie far away. */
function message(i: number): string {
  const conversation = i % (COUNT / PER_CONVERSATION);
  const place = Math.floor(i / (COUNT / PER_CONVERSATION));
  const idOf = (at: number): string => `<${conversation}.${at}.bench@example.org>`;
  const ancestors = Array.from({ length: place }, (_, at) => idOf(at));
  const sentAt = new Date(Date.UTC(2026, 0, 1) + ((i * 7919) % 1_000_003) * 1000);
  const head =
    `From: Sender ${(i * 31) % 997} <sender${i % 97}@example.org>\r\nTo: daybook@localhost\r\n` +
    `Subject: ${place > 0 ? 'Re: ' : ''}conversation ${(conversation * 17) % 10_007}\r\n` +
    `Date: ${sentAt.toUTCString().replace('GMT', '+0000')}\r\nMessage-ID: ${idOf(place)}\r\n` +
    (place > 0 ? `References: ${ancestors.join(' ')}\r\n` : '') +
    'Content-Type: text/plain; charset=utf-8\r\n\r\n';
  return head + `line of text in message ${i} that goes on for a while\r\n`.repeat(15);
}
