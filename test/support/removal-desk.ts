/**
 * A server with the postmaster's account alice and an account bob, over a log that outlives it: it
 * can end at any append, and another one begins where it was.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fakeRandom } from './clock.ts';
import { CAUSE, testPorts, type TestPorts } from './lane-ports.ts';
import { silentLog } from './silent-log.ts';
import { MemoryBodies } from './smtp.ts';
import type { AccountCommand } from '#domain/account';
import { isOpenAccount, policyOf, postmasterAccount } from '#domain/directory/state';
import { Fault } from '#domain/values/fault';
import { isRefusal } from '#domain/values/decision';
import type { AccountId, QueueId, SecretRef } from '#domain/values/ids';
import { AccountRemoval } from '#infra/account-removal';
import { DirectoryLane } from '#infra/directory-lane';
import { Lanes } from '#infra/lanes';
import { Live } from '#infra/live';
import { QueueAdmin } from '#infra/queue-admin';
import { ServerBooks } from '#infra/server-books';
import { noticeWriter } from '#protocols/smtp/notices';

export const ALICE = 1;
export const BOB = 2;

export interface RemovalDesk {
  readonly directory: DirectoryLane;
  readonly lanes: Lanes;
  readonly books: ServerBooks;
  readonly live: Live;
  readonly removal: AccountRemoval;
  readonly queue: QueueAdmin;
  /** Carries out a command that must not be refused. */
  execute(accountId: AccountId, command: AccountCommand): Promise<void>;
  /** From bob to each of them. */
  submit(...recipients: readonly string[]): Promise<readonly QueueId[]>;
  stop(): Promise<void>;
}

/** What outlives a server. */
export interface Remains {
  readonly ports: TestPorts;
  readonly dir: string;
  readonly secrets: Set<SecretRef>;
  readonly bodies: MemoryBodies;
}

export function newRemains(dir: string): Remains {
  return { ports: testPorts(dir), dir, secrets: new Set(), bodies: new MemoryBodies() };
}

export function folderOf({ dir }: Remains, accountId: AccountId): string {
  return path.join(dir, String(accountId));
}

export async function openRemovalDesk(remains: Remains): Promise<RemovalDesk> {
  const { ports, dir, secrets, bodies } = remains;
  const { clock, log: eventLog } = ports;
  const books = await ServerBooks.open(path.join(dir, 'server.db'), ports);
  const directory = await DirectoryLane.open(ports);
  const live = new Live();
  const lanes = new Lanes({
    ...ports,
    policyOf: (accountId) => policyOf(directory.state, accountId),
    announce: (accountId, facts) => {
      books.follow(accountId, facts);
      live.announce({ accountId, facts });
    },
  });
  const notices = noticeWriter('mail.example.org', () => 1000, {
    bodies,
    clock,
    random: fakeRandom(),
    log: silentLog,
    commands: lanes,
    places: {
      postmaster: () => postmasterAccount(directory.state),
      hasAccount: (accountId) => isOpenAccount(directory.state, accountId),
    },
    metrics: { count: () => undefined },
  });
  const noticeOf: ConstructorParameters<typeof AccountRemoval>[0]['noticeOf'] = (accountId, item) =>
    notices.ofCancel(accountId, item);
  const removal = new AccountRemoval({
    directory,
    lanes,
    books,
    live,
    eventLog,
    texts: undefined,
    sweep: { paused: (task) => task() },
    secrets: { remove: async (ref) => void secrets.delete(ref) },
    bodies: { settle: async () => undefined },
    directoryOf: (accountId) => folderOf(remains, accountId),
    noticeOf,
    clock,
    log: silentLog,
  });
  const queue = new QueueAdmin({
    books,
    lanes,
    directory,
    bodies,
    noticeOf,
    transports: () => [],
  });
  const desk: RemovalDesk = {
    directory,
    lanes,
    books,
    live,
    removal,
    queue,
    async execute(accountId, command) {
      const done = await lanes.execute(accountId, command, CAUSE);
      if (isRefusal(done)) throw new Error(done.refused);
    },
    async submit(...recipients) {
      const done = await lanes.execute(
        BOB,
        {
          type: 'QueueMessage',
          mailFrom: 'bob@example.org',
          recipients: recipients.map((recipient) => ({ recipient })),
          body: 'cd'.repeat(32),
          prefix: 'Received: by localhost\r\n\r\n',
          sizeBytes: 100,
          headerId: '<1@example.org>',
          smtpUtf8: false,
          eightBit: false,
        },
        CAUSE,
      );
      if (isRefusal(done)) throw new Error(done.refused);
      return done.answer.items.map(({ queueId }) => queueId);
    },
    async stop() {
      await removal.stop();
      await lanes.close();
      await directory.close();
      books.close();
    },
  };
  return desk;
}

/** Two accounts in example.org; bob has a password, a body on the disk, and one suppression. */
export async function withTwoAccounts(remains: Remains, desk: RemovalDesk): Promise<void> {
  const { directory } = desk;
  const rules = { catchallSeparator: '+', caseSensitive: false };
  await directory.execute({ type: 'AddDomain', domain: 'example.org', ...rules }, CAUSE);
  for (const name of ['alice', 'bob']) {
    const address = { localpart: name, domain: 'example.org' };
    const added = await directory.execute({ type: 'AddAccount', name, address }, CAUSE);
    if (isRefusal(added)) throw new Error(added.refused);
    await desk.execute(added.answer.accountId, { type: 'OpenAccount' });
  }
  const bodies = path.join(folderOf(remains, BOB), 'bodies');
  mkdirSync(bodies, { recursive: true });
  writeFileSync(path.join(bodies, 'one'), 'body');
  for (const secret of ['first', 'second']) {
    remains.secrets.add(secret);
    await desk.execute(BOB, { type: 'SetPassword', secret });
  }
  const address = 'full@other.example';
  await desk.execute(BOB, { type: 'SuppressAddress', address, reason: 'test' });
}

/** From now on nothing more reaches the log, as if the process had ended after so many appends. */
export function endAfter({ ports: { log } }: Remains, appends: number): void {
  let left = appends;
  log.before = () => {
    if (left-- <= 0) throw new Fault('LogUnavailable', 'The log is gone.');
  };
}
