/**
 * The outgoing queue: draining it to a sink on this machine beside Postfix, and what it costs to
 * find the few items that are due among many that wait.
 *
 * `QUEUE_MESSAGES` (20,000) are drained, `QUEUE_WAITING` (1,000,000) wait.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, untilListening } from '../support/ports.ts';
import { missing, runProgram } from '../support/programs.ts';
import { postfixMissing, startPostfix } from '../support/postfix.ts';
import { openRealQueue } from '../support/real-queue.ts';
import { emptyServerViews } from '../support/server-views.ts';
import { type BenchRow, medianMs } from './row.ts';
import type { AccountEvent, AccountFact } from '#domain/log/streams';
import type { QueueMessage } from '#domain/queue/enqueue';
import { isRefusal } from '#domain/values/decision';
import type { Engine } from '#infra/engine';
import { queueCounts } from '#projections/queue-counts';
import { dueDestinations, dueItems, nextDueAfter } from '#projections/due-items';

const MESSAGES = Number(process.env['QUEUE_MESSAGES'] ?? 20_000);
const WAITING = Number(process.env['QUEUE_WAITING'] ?? 1_000_000);
/** Postfix keeps a file for each. */
const PEER_MESSAGES = Math.min(MESSAGES, 5000);
const DOMAINS = 1000;
const AT_ONCE = [10, 50] as const;
const SIZE_BYTES = 4000;
/** Of an attempt: begun, ended, retired. */
const EVENTS_PER_MESSAGE = 3;
const ACCOUNT = 1;
const CAUSE = { actor: 'bench' };

interface CountingSink extends AsyncDisposable {
  readonly port: number;
  readonly taken: number;
}

/** Postfix's own sink, which tells how many messages it has. */
async function startCountingSink(): Promise<CountingSink> {
  const port = await freePort();
  const args = ['-c', '-u', 'nobody', `127.0.0.1:${port}`, '1000'];
  const child = spawn('smtp-sink', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(child, 'exit');
  let taken = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    for (const [, count] of text.matchAll(/mesg=(\d+)/g)) taken = Math.max(taken, Number(count));
  });
  await untilListening(port);
  return {
    port,
    get taken() {
      return taken;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

const MESSAGE = Buffer.from(
  `From: a@localhost\r\nSubject: bench\r\n\r\n${'x'.repeat(76)}\r\n`.padEnd(SIZE_BYTES - 2, 'y') +
    '\r\n',
);

async function fill({ bodies, lanes, accounts }: Engine, count: number): Promise<void> {
  const unlimited = { recipientsPerDayMax: 0, newRecipientsPerDayMax: 0 };
  await accounts.change('daybook', unlimited, CAUSE);
  const staged = await bodies.stage(
    (async function* () {
      yield MESSAGE;
    })(),
    1_000_000,
  );
  await bodies.link(staged, ACCOUNT);
  await staged.discard();
  const queueOne = async (i: number): Promise<void> => {
    const command: QueueMessage = {
      type: 'QueueMessage',
      mailFrom: 'daybook@localhost',
      recipients: [{ recipient: `user${i}@d${i % DOMAINS}.example` }],
      body: staged.hash,
      prefix: '',
      sizeBytes: MESSAGE.length,
      headerId: `<${i}@localhost>`,
      smtpUtf8: false,
      eightBit: false,
    };
    const done = await lanes.execute(ACCOUNT, command, CAUSE);
    if (isRefusal(done)) throw new Error(done.refused);
  };
  for (let done = 0; done < count; done += 500) {
    const some = Array.from({ length: Math.min(500, count - done) }, (_, i) => queueOne(done + i));
    await Promise.all(some);
  }
}

interface Drained {
  readonly perSecond: number;
  readonly rssMB: number;
}

async function drainOurs(attemptsAtOnce: number): Promise<Drained> {
  await using sink = await startCountingSink();
  const relay = {
    type: 'relay',
    host: '127.0.0.1',
    port: sink.port,
    tls: 'none',
    anyCertificate: false,
  } as const;
  let startedAt = 0;
  await using queue = await openRealQueue({
    port: 1,
    transport: relay,
    attemptsAtOnce,
    async before(engine) {
      await fill(engine, MESSAGES);
      startedAt = performance.now();
    },
  });
  let rss = 0;
  for (let left = MESSAGES; left > 0; left -= 1000) {
    await queue.ends(Math.min(1000, left));
    rss = Math.max(rss, process.memoryUsage.rss());
  }
  const seconds = (performance.now() - startedAt) / 1000;
  if (sink.taken < MESSAGES) throw new Error(`the sink has ${sink.taken} of ${MESSAGES}`);
  return { perSecond: MESSAGES / seconds, rssMB: rss / 2 ** 20 };
}

/** Everything is held, then released: from the first message at the sink to the last. */
async function drainPostfix(say: (text: string) => void): Promise<number | undefined> {
  const reason = postfixMissing() || missing('smtp-source');
  if (reason) {
    say(`no peer: ${reason}`);
    return undefined;
  }
  await using sink = await startCountingSink();
  await using postfix = await startPostfix(sink.port, {
    smtpd_recipient_restrictions: 'check_client_access static:HOLD, permit_mynetworks, reject',
    queue_run_delay: '1s',
    minimal_backoff_time: '1s',
  });
  const source = ['-s', '20', '-m', String(PEER_MESSAGES), '-l', String(SIZE_BYTES)];
  const ends = ['-f', 'a@localhost', '-t', 'user@far.example', `127.0.0.1:${postfix.port}`];
  const sent = await runProgram('smtp-source', [...source, ...ends], { seconds: 120 });
  if (sent.code !== 0) throw new Error(sent.stderr);
  if (sink.taken > 0) throw new Error('Postfix did not hold the messages');
  await runProgram('postsuper', ['-c', postfix.dir, '-H', 'ALL'], { seconds: 120 });
  while (sink.taken === 0) await sleep(1);
  const startedAt = performance.now();
  const first = sink.taken;
  while (sink.taken < PEER_MESSAGES) await sleep(5);
  return ((PEER_MESSAGES - first) * 1000) / (performance.now() - startedAt);
}

/** A server with so many items that wait, of which ten are due. */
async function schedulerRows(say: (text: string) => void): Promise<readonly BenchRow[]> {
  using views = emptyServerViews();
  const now = 1_000_000;
  const due = 10;
  // Each at another destination.
  const isDue = (number: number): boolean => number % (WAITING / due + 1) === 0;
  const started = performance.now();
  for (let i = 0; i < WAITING; i += 10_000) {
    const facts = Array.from({ length: Math.min(10_000, WAITING - i) }, (_, n) => {
      const number = i + n;
      return factOf(number, {
        type: 'MessageQueued',
        items: [
          { queueId: ACCOUNT * 2 ** 32 + number, recipient: `u@d${number % 50_000}.example` },
        ],
        mailFrom: 'daybook@localhost',
        body: 'ab'.repeat(32),
        prefix: '',
        sizeBytes: SIZE_BYTES,
        headerId: '<1@localhost>',
        smtpUtf8: false,
        eightBit: false,
        nextAttemptAt: isDue(number) ? now - 1 : now + 1000 + number,
      });
    });
    views.post(ACCOUNT, facts);
  }
  const postedUs = ((performance.now() - started) * 1000) / WAITING;
  say(`${WAITING} items posted, ${postedUs.toFixed(1)} µs each`);
  const what = `${WAITING.toLocaleString('en')} waiting, ${due} due`;
  const pumpMs = await medianMs(200, async () => {
    const destinations = dueDestinations(views.db, now, 10);
    for (const one of destinations) dueItems(views.db, one, now, 1);
    nextDueAfter(views.db, now);
  });
  let revision = WAITING;
  const attemptMs = await medianMs(200, async (i) => {
    const queueId = ACCOUNT * 2 ** 32 + i * 4000;
    const nextAttemptAt = now + 500_000;
    const begun = { queueIds: [queueId], attempt: 1, nextAttemptAt, transport: '' };
    views.post(ACCOUNT, [
      factOf(revision++, { type: 'AttemptStarted', ...begun }),
      factOf(revision++, {
        type: 'AttemptFailed',
        queueId,
        attempt: 1,
        code: 450,
        enhancedCode: '4.2.0',
        text: 'later',
        permanent: false,
        nextAttemptAt,
      }),
    ]);
  });
  const countsMs = await medianMs(5, async () => void queueCounts(views.db, now));
  return [
    { what: `${what}: find what goes now`, unit: 'ms', ours: pumpMs },
    { what: `${what}: post an attempt, begun and failed`, unit: 'ms', ours: attemptMs },
    { what: `${what}: numbers for metrics`, unit: 'ms', ours: countsMs },
    { what: `${what}: posting each`, unit: 'µs/message', ours: postedUs },
  ];
}

function factOf(revision: number, event: AccountEvent): AccountFact {
  return { revision, modSeq: revision + 1, at: 0, cause: CAUSE, event };
}

export async function run(say: (text: string) => void): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  if (missing('smtp-sink')) {
    say(`nothing is drained: ${missing('smtp-sink')}`);
  } else {
    const peer = await drainPostfix(say);
    if (peer !== undefined) say(`postfix: ${peer.toFixed(0)} messages/s`);
    for (const atOnce of AT_ONCE) {
      const { perSecond, rssMB } = await drainOurs(atOnce);
      const what = `draining ${MESSAGES.toLocaleString('en')} messages, ${atOnce} at once`;
      say(`${what}: ${perSecond.toFixed(0)} messages/s, ${rssMB.toFixed(0)} MB`);
      rows.push(
        {
          what,
          unit: 'messages/s',
          ours: perSecond,
          ...(peer === undefined ? {} : { peer: { name: 'Postfix', value: peer } }),
        },
        { what, unit: 'events/s', ours: perSecond * EVENTS_PER_MESSAGE },
        { what: `${what}: memory of the whole process`, unit: 'MB', ours: rssMB },
      );
    }
  }
  return [...rows, ...(await schedulerRows(say))];
}
