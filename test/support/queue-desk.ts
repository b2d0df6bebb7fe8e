/**
 * Outgoing mail behind the command line: lanes of two accounts (alice 1, bob 2) and the books of
 * the server over a log in memory, and `daybook queue …` talking to them through a pipe. Nothing is
 * delivered; the clock moves only when told.
 */

import type { FakeClock } from './clock.ts';
import { controlOf, runLine, type Ran } from './command-line.ts';
import { CAUSE, testPorts } from './lane-ports.ts';
import { noticePlaces } from './notices.ts';
import { nearReader } from './readings.ts';
import { silentLog } from './silent-log.ts';
import { MemoryBodies } from './smtp.ts';
import { temporaryDirectory } from './temporary.ts';
import type { AccountSettings } from '#domain/directory/settings';
import { policyOf } from '#domain/directory/state';
import type { QueueMessage } from '#domain/queue/enqueue';
import { isRefusal } from '#domain/values/decision';
import type { AccountId, Instant, QueueId } from '#domain/values/ids';
import { DirectoryLane } from '#infra/directory-lane';
import { Lanes } from '#infra/lanes';
import { QueueAdmin } from '#infra/queue-admin';
import { ServerBooks } from '#infra/server-books';
import { WebhookAdmin } from '#infra/webhook-admin';
import { queueCommands } from '#protocols/cli/queue-control';
import { webhookCommands } from '#protocols/cli/webhook-control';
import { noticeWriter } from '#protocols/smtp/notices';

export const ALICE = 1;
export const BOB = 2;

export interface QueueDesk extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly lanes: Lanes;
  readonly books: ServerBooks;
  readonly directory: DirectoryLane;
  readonly bodies: MemoryBodies;
  /** Queues a message; options are those of the command. */
  submit(
    accountId: AccountId,
    recipients: readonly string[],
    options?: Partial<QueueMessage>,
  ): Promise<readonly QueueId[]>;
  /** An attempt that ends so. */
  attempt(queueId: QueueId, code: number, permanent?: boolean): Promise<void>;
  set(accountId: AccountId, changes: Partial<AccountSettings>): Promise<void>;
  /** `daybook queue …`, without what is told of the columns. */
  run(...args: readonly string[]): Promise<Ran>;
  /** The records that a list prints, one JSON object a line. */
  records(...args: readonly string[]): Promise<readonly Record<string, unknown>[]>;
}

/** Long queues are made in one go. */
const ANY_NUMBER = { recipientsPerDayMax: 0, newRecipientsPerDayMax: 0 };

/** `transports` are the names that there are. */
export async function queueDesk(...transports: readonly string[]): Promise<QueueDesk> {
  const directoryOnDisk = await temporaryDirectory();
  const ports = testPorts(directoryOnDisk.path);
  const { clock } = ports;
  const books = await ServerBooks.open(directoryOnDisk.file('server.db'), ports);
  const directory = await DirectoryLane.open(ports);
  const lanes = new Lanes({
    ...ports,
    policyOf: (accountId) => {
      const policy = policyOf(directory.state, accountId);
      return { ...policy, settings: { ...policy.settings, ...ANY_NUMBER } };
    },
    announce: (accountId, facts) => books.follow(accountId, facts),
  });
  for (const name of ['alice', 'bob']) {
    const added = await directory.execute({ type: 'AddAccount', name }, CAUSE);
    if (isRefusal(added)) throw new Error(added.refused);
    await lanes.execute(added.answer.accountId, { type: 'OpenAccount' }, CAUSE);
  }
  const bodies = new MemoryBodies();
  const { random } = ports;
  const notices = noticeWriter('mail.example.org', () => 1000, {
    bodies,
    clock,
    random,
    log: silentLog,
    commands: lanes,
    places: noticePlaces(),
    metrics: { count: () => undefined },
  });
  const queue = new QueueAdmin({
    books,
    lanes,
    directory,
    bodies,
    noticeOf: (accountId, item) => notices.ofCancel(accountId, item),
    transports: () => transports,
  });
  const webhooks = new WebhookAdmin({ books, lanes, directory, bodies });
  const commands = new Map([
    ...queueCommands({ queue, clock }),
    ...webhookCommands({ webhooks, bodies, reader: nearReader(bodies), clock }),
  ]);
  const openControl = controlOf(commands, clock);
  const run = async (...args: readonly string[]): Promise<Ran> => {
    const ran = await runLine(['queue', ...args], { openControl });
    return { ...ran, out: ran.out.filter((line) => !line.startsWith('# ')) };
  };
  return {
    clock,
    lanes,
    books,
    directory,
    bodies,

    async submit(accountId, recipients, options = {}) {
      const done = await lanes.execute(
        accountId,
        {
          type: 'QueueMessage',
          mailFrom: 'alice@localhost',
          recipients: recipients.map((recipient) => ({ recipient })),
          body: 'cd'.repeat(32),
          prefix: 'Received: by localhost\r\n',
          sizeBytes: 100,
          headerId: '<1@localhost>',
          smtpUtf8: false,
          eightBit: false,
          ...options,
        },
        CAUSE,
      );
      if (isRefusal(done)) throw new Error(done.refused);
      return done.answer.items.map(({ queueId }) => queueId);
    },

    async attempt(queueId, code, permanent = code >= 500) {
      const accountId = Math.floor(queueId / 2 ** 32);
      const nextAttemptAt = clock.now() + 450_000;
      const start = { type: 'StartAttempt', queueIds: [queueId], nextAttemptAt } as const;
      await lanes.execute(accountId, { ...start, transport: '' }, CAUSE);
      const attempt = (await lanes.account(accountId)).queueItem(queueId)?.attempts ?? 0;
      const reply = { code, enhancedCode: `${Math.floor(code / 100)}.1.0`, text: `said ${code}` };
      const outcome =
        code === 250
          ? ({ type: 'delivered', reply } as const)
          : ({ type: 'failed', reply, permanent } as const);
      const finish = { type: 'FinishAttempt', queueId, attempt, attemptsMax: 8, outcome } as const;
      await lanes.execute(accountId, finish, CAUSE);
    },

    async set(accountId, changes) {
      await directory.execute({ type: 'ChangeAccountSettings', accountId, changes }, CAUSE);
    },

    run,

    async records(...args) {
      const { code, out, err } = await run(...args, '--json');
      if (code !== 0) throw new Error(err.join('\n'));
      return out.map((line) => JSON.parse(line) as Record<string, unknown>);
    },

    async [Symbol.asyncDispose]() {
      await lanes.close();
      await directory.close();
      books.close();
      await directoryOnDisk[Symbol.asyncDispose]();
    },
  };
}

/** Two of alice, one of bob, a minute apart. */
export async function threeItems(desk: QueueDesk): Promise<readonly [QueueId, QueueId, QueueId]> {
  const [first = 0] = await desk.submit(ALICE, ['You@held.example'], {
    mailFrom: 'alice+a@localhost',
  });
  desk.clock.advance(60_000);
  const [second = 0] = await desk.submit(ALICE, ['x@other.example']);
  desk.clock.advance(60_000);
  const [third = 0] = await desk.submit(BOB, ['y@held.example'], { mailFrom: 'bob@localhost' });
  return [first, second, third];
}

/** Ids of the records of a list, the earliest first. */
export async function idsOf(
  desk: QueueDesk,
  ...args: readonly string[]
): Promise<readonly unknown[]> {
  return (await desk.records('list', '--asc', ...args)).map(({ ID }) => ID);
}

/** Many items for an account that are all due at the same time, queued over days. */
export async function manyItems(
  desk: QueueDesk,
  accountId: AccountId,
  count: number,
  releaseAt: Instant,
): Promise<readonly QueueId[]> {
  const all: QueueId[] = [];
  while (all.length < count) {
    const recipients = Array.from(
      { length: Math.min(150, count - all.length) },
      (_, i) => `r${all.length + i}@example.org`,
    );
    all.push(...(await desk.submit(accountId, recipients, { releaseAt })));
    desk.clock.advance(25 * 3_600_000);
  }
  return all;
}
