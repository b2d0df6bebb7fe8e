/**
 * The queue in memory: real decisions, a runner, and whatever way of delivering the test gives it.
 */

import assert from 'node:assert/strict';
import { Subject } from 'rxjs';
import { fakeClock, fakeRandom, type FakeClock } from './clock.ts';
import { Accounts, ALICE, BOB, fakeLog, MemoryBodies, settled } from './smtp.ts';
import type { AccountEvent } from '#domain/log/streams';
import type { QueueMessage } from '#domain/queue/enqueue';
import type { QueueItem } from '#domain/queue/state';
import { domainOf } from '#domain/values/address';
import type { AccountId, Instant } from '#domain/values/ids';
import type { AccountViews } from '#projections/account-views';
import type { Commands, Queue, Views } from '#protocols/ports';
import { localAttempts, localWaits } from '#protocols/smtp/local-attempt';
import { noticeWriter } from '#protocols/smtp/notices';
import { startRunner, type Runner, type RunnerSettings } from '#protocols/smtp/runner';

interface Waiting {
  readonly accountId: AccountId;
  readonly queueId: number;
  readonly nextAttemptAt: Instant;
  readonly destination: string;
}

/** Accounts with a queue view that is always up to date. */
export class QueueWorld {
  readonly clock: FakeClock = fakeClock();
  readonly accounts: Accounts = new Accounts(this.clock);
  readonly bodies: MemoryBodies = new MemoryBodies();
  readonly changes: Subject<void> = new Subject();
  readonly resumed: Subject<void> = new Subject();
  isPaused = false;
  readonly logged: string[] = [];
  /** Names of what notices counted. */
  readonly counted: string[] = [];
  readonly postmaster: AccountId = ALICE;
  /** Accounts that were removed. */
  readonly gone: Set<AccountId> = new Set();
  runner: Runner | undefined;

  readonly commands: Commands = {
    execute: async (accountId, command, cause) => {
      const done = await this.accounts.execute(accountId, command, cause);
      this.changes.next();
      return done;
    },
  };

  readonly queue: Queue = {
    dueDestinations: (now, limit) =>
      [...new Set(this.#due(now).map(({ destination }) => destination))].slice(0, limit),
    due: (destination, now, limit) =>
      this.#due(now)
        .filter((item) => item.destination === destination)
        .slice(0, limit),
    nextDueAfter: (now) => {
      const times = this.#waiting()
        .map(({ nextAttemptAt }) => nextAttemptAt)
        .filter((at) => at > now);
      return times.length === 0 ? undefined : Math.min(...times);
    },
    accountsInAttempt: () =>
      [ALICE, BOB].filter((accountId) => this.accounts.state(accountId).openAttempts().length > 0),
    accountsToForget: (now) =>
      [ALICE, BOB].filter((accountId) => this.accounts.state(accountId).remembersUpTo(now)),
    changes: this.changes,
  };

  #due(now: Instant): readonly Waiting[] {
    return this.#waiting()
      .filter(({ nextAttemptAt }) => nextAttemptAt <= now)
      .sort((a, b) => a.nextAttemptAt - b.nextAttemptAt);
  }

  #waiting(): readonly Waiting[] {
    return [ALICE, BOB].flatMap((accountId) =>
      this.items(accountId)
        .filter(({ inAttempt, isHeld }) => !inAttempt && !isHeld)
        .map(({ queueId, nextAttemptAt, recipient }) => ({
          accountId,
          queueId,
          nextAttemptAt,
          destination: domainOf(recipient),
        })),
    );
  }

  items(accountId: AccountId): readonly QueueItem[] {
    return [...this.accounts.state(accountId).queueRecords.items.values()];
  }

  /** Local mode unless told otherwise. */
  async start(
    settings: RunnerSettings = localAttempts('localhost', {
      bodies: this.bodies,
      directory: { separatorsOf: () => '+' },
      clock: this.clock,
    }),
    waitAfter: (attempt: number) => number = localWaits,
  ): Promise<void> {
    const views: Pick<Views, 'account'> = {
      account: async (accountId) => {
        const { queueItem } = this.accounts.state(accountId);
        const queueItemsWithBase: AccountViews['queueItemsWithBase'] = (baseId) =>
          this.items(accountId).filter((item) => item.baseId === baseId);
        return { queueItem, queueItemsWithBase } as AccountViews;
      },
    };
    const log = fakeLog(this.logged);
    const { bodies, clock } = this;
    const notices = noticeWriter('localhost', waitAfter, {
      bodies,
      clock,
      random: fakeRandom(),
      log,
      commands: this.commands,
      places: {
        postmaster: () => this.postmaster,
        hasAccount: (accountId) => !this.gone.has(accountId),
      },
      metrics: { count: (name) => void this.counted.push(name) },
    });
    const { commands, queue, resumed } = this;
    const pause = { isPaused: () => this.isPaused, resumed };
    const ports = { commands, views, queue, pause, notices, clock, log };
    this.runner = await startRunner(settings, ports);
    await settled();
  }

  async submit(accountId: AccountId, ...recipients: readonly string[]): Promise<void> {
    await this.queueMail(accountId, { recipients: recipients.map((recipient) => ({ recipient })) });
  }

  /** What is not said is as usual. */
  async queueMail(
    accountId: AccountId,
    more: Partial<QueueMessage> & Pick<QueueMessage, 'recipients'>,
    octets: Buffer = Buffer.from('Subject: hello\r\nFrom: a@localhost\r\n\r\nbody\r\n'),
  ): Promise<void> {
    const staged = await this.bodies.stage(
      (async function* () {
        yield octets;
      })(),
      100_000_000,
    );
    await this.bodies.link(staged, accountId);
    const command: QueueMessage = {
      type: 'QueueMessage',
      mailFrom: 'alice@localhost',
      body: staged.hash,
      prefix: 'Received: by localhost\r\n',
      sizeBytes: octets.length + 24,
      headerId: '<1@localhost>',
      smtpUtf8: false,
      eightBit: false,
      ...more,
    };
    await this.commands.execute(accountId, command, { actor: 'test' });
    await settled();
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await settled();
  }

  types(accountId: AccountId): readonly string[] {
    return this.accounts.events(accountId).map(({ type }) => type);
  }

  last<T extends AccountEvent['type']>(type: T): Extract<AccountEvent, { type: T }> {
    const found = this.accounts
      .events(ALICE)
      .filter((event): event is Extract<AccountEvent, { type: T }> => event.type === type)
      .at(-1);
    assert.ok(found, type);
    return found;
  }

  text(event: Extract<AccountEvent, { type: 'MessageDelivered' }>): string {
    const { prefix, body } = event.message;
    const text = prefix + this.bodies.read(ALICE, body)?.toString('latin1');
    assert.equal(event.message.sizeBytes, Buffer.byteLength(text, 'latin1'));
    return text;
  }
}
