/**
 * Decides when queued mail is delivered, and records what became of it: wake-ups, concurrency, one
 * attempt per item.
 *
 * Invariants: StartAttempt is durable before anything else happens; an outcome is a fact and is
 * recorded until that works; after a crash the attempts that were cut short are closed before the
 * first new one begins; no more attempts run at once, in all and per destination, than the settings
 * say; while delivery is paused none begins. RFC 5321 §4.5.4.1.
 */

import type { Subscription } from 'rxjs';
import type { AnswerTo } from '#domain/account';
import type { AttemptOutcome, StartAttempt } from '#domain/queue/attempts';
import type { QueueItem } from '#domain/queue/state';
import { domainOf } from '#domain/values/address';
import { isRefusal, type Refusal } from '#domain/values/decision';
import { Fault } from '#domain/values/fault';
import type { AccountId, QueueId } from '#domain/values/ids';
import { Alarm } from '../alarm.ts';
import type { Clock, Commands, Done, DueItem, Log, Queue, Views } from '../ports.ts';
import type { DeliveryPause } from '../ports-queue.ts';
import { sleep } from '../sleep.ts';
import { untilRecorded } from '../until-recorded.ts';
import { startForgetting } from './forgetting.ts';
import type { NoticeWriter } from './notices.ts';
import { refusalReply } from './reply.ts';

const CAUSE = { actor: 'system:queue' } as const;
/** How long an item that could not be begun keeps its place; nothing spins meanwhile. */
const UNTRIED_WAIT_MS = 1_000;

const NO_OUTCOME: AttemptOutcome = {
  type: 'failed',
  reply: {
    code: 0,
    enhancedCode: '',
    text: 'Something went wrong here, and nobody knows the outcome.',
  },
  permanent: false,
};

export interface RunnerPorts {
  readonly commands: Commands;
  readonly views: Views;
  readonly queue: Queue;
  readonly pause: DeliveryPause;
  readonly notices: NoticeWriter;
  readonly clock: Clock;
  readonly log: Log;
}

export interface RunnerSettings {
  readonly attemptsAtOnce: number;
  /** To the same domain. */
  readonly attemptsPerDestination: number;
  /** Items of one message that go in one attempt. */
  readonly itemsPerAttempt: number;
  /** Attempts until we give up, where the item has no number of its own. */
  readonly attemptsMax: number;
  /** When to try again after the attempt of this number, counted from 1. */
  nextAttemptAt(attempt: number): number;
  /** By which transport an item goes this time; '' is direct delivery. */
  transportFor(accountId: AccountId, item: QueueItem): string;
  /**
   * Delivers the items in one transaction; an outcome for each. Undefined when the outcome is
   * unknown because `stop` was asked for.
   */
  attempt(one: Attempt, stop: AbortSignal): Promise<Attempted | undefined>;
}

export interface Attempted {
  readonly outcomes: AttemptOutcomes;
  /** Goodbyes: outcomes are recorded before, the destination is free afterwards. Never rejects. */
  readonly goodbye?: Promise<void>;
}

export type AttemptOutcomes = ReadonlyMap<QueueId, AttemptOutcome>;

export interface Attempt {
  readonly accountId: AccountId;
  /** One at least; the same reverse-path and octets. */
  readonly items: readonly [QueueItem, ...QueueItem[]];
  /** Counted from 1. */
  readonly attempt: number;
  readonly transport: string;
}

export interface Runner {
  /** Starts no attempt any more; resolves when those that run have ended. */
  stop(): Promise<void>;
}

/** Resolves when what a crash left behind is closed and attempts have begun. */
export async function startRunner(settings: RunnerSettings, ports: RunnerPorts): Promise<Runner> {
  await closeInterrupted(ports);
  const pump = new Pump(settings, ports);
  const forgetting = startForgetting(ports);
  return {
    async stop() {
      await Promise.all([pump.stop(), forgetting.stop()]);
    },
  };
}

async function closeInterrupted(ports: RunnerPorts): Promise<void> {
  const { commands, views, queue, log } = ports;
  for (const accountId of queue.accountsInAttempt()) {
    for (;;) {
      const done = await commands.execute(accountId, { type: 'CloseInterruptedAttempts' }, CAUSE);
      if (isRefusal(done) || done.answer.closed === 0) break;
      const { closed, canceled } = done.answer;
      log.warn({ accountId, closed }, 'interrupted attempts closed');
      const account = await views.account(accountId);
      for (const queueId of canceled)
        await cancelItem(accountId, account.queueItem(queueId), ports);
    }
  }
}

/** Its last attempt was cut short after somebody had asked for its end. */
async function cancelItem(
  accountId: AccountId,
  item: QueueItem | undefined,
  { commands, notices }: RunnerPorts,
): Promise<boolean> {
  if (item === undefined) return false;
  const { queueId } = item;
  const command =
    item.canceling === 'drop'
      ? ({ type: 'DropMessages', queueIds: [queueId] } as const)
      : ({ type: 'FailMessage', queueId, ...(await notices.ofCancel(accountId, item)) } as const);
  return !isRefusal(await commands.execute(accountId, command, CAUSE));
}

class Pump implements Runner {
  readonly #settings: RunnerSettings;
  readonly #ports: RunnerPorts;
  /** By destination: how many attempts run there. */
  readonly #busy = new Map<string, number>();
  /** Items that are being looked after; their start may not be recorded yet. */
  readonly #taken = new Set<QueueId>();
  readonly #running = new Set<Promise<void>>();
  readonly #subscription: Subscription;
  readonly #alarm: Alarm;
  readonly #stop = new AbortController();

  constructor(settings: RunnerSettings, ports: RunnerPorts) {
    this.#settings = settings;
    this.#ports = ports;
    this.#alarm = new Alarm(ports.clock, () => this.#pump());
    this.#subscription = ports.queue.changes.subscribe(() => this.#pump());
    this.#subscription.add(ports.pause.resumed.subscribe(() => this.#pump()));
    this.#pump();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#subscription.unsubscribe();
    this.#alarm.cancel();
    await Promise.all(this.#running);
  }

  /** Begins as many attempts as may run, and sets the alarm for the next one. */
  #pump(): void {
    if (this.#stop.signal.aborted) return;
    const { queue, clock, pause } = this.#ports;
    const { attemptsAtOnce } = this.#settings;
    if (pause.isPaused()) return;
    const now = clock.now();
    const free = attemptsAtOnce - this.#running.size;
    if (free <= 0) return;
    // Busy destinations may look due: so many more are asked for.
    const destinations = queue.dueDestinations(now, free + this.#busy.size);
    for (const destination of destinations) this.#serve(destination, now);
    // While all places are taken, the first that is free again brings us here.
    if (this.#running.size < attemptsAtOnce) this.#alarm.set(queue.nextDueAfter(now), now);
  }

  #serve(destination: string, now: number): void {
    const { attemptsAtOnce, attemptsPerDestination } = this.#settings;
    const taken = this.#busy.get(destination) ?? 0;
    const free = Math.min(attemptsAtOnce - this.#running.size, attemptsPerDestination - taken);
    if (free <= 0) return;
    const due = this.#ports.queue.due(destination, now, free + taken);
    const next = due.filter(({ queueId }) => !this.#taken.has(queueId)).slice(0, free);
    for (const item of next) {
      const run = this.#run(item, destination).finally(() => {
        this.#running.delete(run);
        this.#pump();
      });
      this.#running.add(run);
    }
  }

  async #run(due: DueItem, destination: string): Promise<void> {
    const { log, clock } = this.#ports;
    this.#taken.add(due.queueId);
    this.#busy.set(destination, (this.#busy.get(destination) ?? 0) + 1);
    let tried = false;
    try {
      tried = await this.#attempt(due);
    } catch (error) {
      log.error({ ...due, err: error }, 'attempt not made');
    }
    if (!tried) await sleep(clock, UNTRIED_WAIT_MS, this.#stop.signal);
    this.#taken.delete(due.queueId);
    const others = (this.#busy.get(destination) ?? 1) - 1;
    if (others === 0) this.#busy.delete(destination);
    else this.#busy.set(destination, others);
  }

  /** False when there was nothing to do, or another one is at it. */
  async #attempt({ accountId, queueId }: DueItem): Promise<boolean> {
    const account = await this.#ports.views.account(accountId);
    const item = account.queueItem(queueId);
    if (item === undefined || item.inAttempt || this.#ports.pause.isPaused()) return false;
    if (item.canceling !== null) return cancelItem(accountId, item, this.#ports);
    const transport = this.#settings.transportFor(accountId, item);
    const number = item.attempts + 1;
    const started = await this.#begin(accountId, number, {
      type: 'StartAttempt',
      queueIds: [queueId, ...this.#companions(accountId, item, transport, account)],
      nextAttemptAt: this.#settings.nextAttemptAt(number),
      transport,
    });
    if (started === undefined || isRefusal(started)) return false;
    const { attempt, queueIds, suppressed } = started.answer;
    const suppressing = suppressed.map((id) =>
      this.#finish(accountId, id, attempt, { type: 'suppressed' }),
    );
    await Promise.all(suppressing);
    const going = queueIds.filter((id) => !suppressed.includes(id));
    const [first, ...others] = await this.#itemsOf(accountId, going);
    if (first === undefined) return true;
    const one: Attempt = { accountId, items: [first, ...others], attempt, transport };
    const made = await this.#made(one);
    if (made === undefined) return true;
    // Together: one sync of the disk for all of them.
    const finishing = one.items.map((member) =>
      this.#finish(
        accountId,
        member.queueId,
        attempt,
        made.outcomes.get(member.queueId) ?? NO_OUTCOME,
      ),
    );
    await Promise.all(finishing);
    await made.goodbye;
    return true;
  }

  /** Undefined when nobody can say that it began: then nobody is talked to, and it has an end. */
  async #begin(
    accountId: AccountId,
    attempt: number,
    command: StartAttempt,
  ): Promise<Done<AnswerTo<StartAttempt>> | Refusal | undefined> {
    const { commands, log } = this.#ports;
    const { queueIds } = command;
    try {
      return await commands.execute(accountId, command, CAUSE);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      log.error({ accountId, queueIds, attempt, err: error }, 'attempt may not have begun');
    }
    for (const queueId of queueIds) await this.#record(accountId, queueId, attempt, NO_OUTCOME);
    return undefined;
  }

  /** Whatever goes wrong here, an attempt that has begun comes to an end. */
  async #made(one: Attempt): Promise<Attempted | undefined> {
    try {
      return await this.#settings.attempt(one, this.#stop.signal);
    } catch (error) {
      const queueIds = one.items.map(({ queueId }) => queueId);
      this.#ports.log.error({ queueIds, err: error }, 'attempt failed here');
      return { outcomes: new Map() };
    }
  }

  /** Items of the same message that may go with it; the decision has the last word. */
  #companions(
    accountId: AccountId,
    item: QueueItem,
    transport: string,
    account: Awaited<ReturnType<Views['account']>>,
  ): readonly QueueId[] {
    if (item.baseId === undefined) return [];
    const domain = domainOf(item.recipient);
    return account
      .queueItemsWithBase(item.baseId)
      .filter(
        (other) =>
          other.queueId !== item.queueId &&
          !other.inAttempt &&
          domainOf(other.recipient) === domain &&
          !this.#taken.has(other.queueId) &&
          this.#settings.transportFor(accountId, other) === transport,
      )
      .slice(0, this.#settings.itemsPerAttempt - 1)
      .map(({ queueId }) => queueId);
  }

  async #itemsOf(accountId: AccountId, ids: readonly QueueId[]): Promise<readonly QueueItem[]> {
    const account = await this.#ports.views.account(accountId);
    return ids.map((id) => account.queueItem(id)).filter((item) => item !== undefined);
  }

  /** Records an outcome; a copy that found no place was not delivered. */
  async #finish(
    accountId: AccountId,
    queueId: QueueId,
    attempt: number,
    outcome: AttemptOutcome,
  ): Promise<void> {
    const refusal = await this.#record(accountId, queueId, attempt, outcome);
    if (refusal === undefined || outcome.type !== 'delivered') return;
    const { code, enhanced, lines } = refusalReply(refusal);
    const reply = { code, enhancedCode: enhanced, text: lines.join(' ') };
    const failed = { type: 'failed', reply, permanent: code >= 500 } as const;
    await this.#record(accountId, queueId, attempt, failed);
  }

  async #record(
    accountId: AccountId,
    queueId: QueueId,
    attempt: number,
    outcome: AttemptOutcome,
  ): Promise<Refusal | undefined> {
    const { commands, clock, log } = this.#ports;
    const { attemptsMax } = this.#settings;
    const record = async (): Promise<Refusal | undefined> => {
      const told =
        outcome.type === 'delivered'
          ? outcome
          : await this.#withNotices(accountId, queueId, outcome);
      const done = await commands.execute(
        accountId,
        { type: 'FinishAttempt', queueId, attempt, attemptsMax, outcome: told },
        CAUSE,
      );
      if (!isRefusal(done)) return undefined;
      log.error({ accountId, queueId, attempt, refused: done.refused }, 'outcome refused');
      return done;
    };
    const { type } = outcome;
    // What it was: should it never be recorded, nothing else tells of it.
    const notYet = (err: Fault): void =>
      log.error({ accountId, queueId, attempt, type, err }, 'outcome not recorded yet');
    return untilRecorded(record, notYet, { clock, stop: this.#stop.signal });
  }

  /** With what the sender is told of it. */
  async #withNotices(
    accountId: AccountId,
    queueId: QueueId,
    outcome: Exclude<AttemptOutcome, { readonly type: 'delivered' }>,
  ): Promise<AttemptOutcome> {
    const { views, notices } = this.#ports;
    const item = (await views.account(accountId)).queueItem(queueId);
    if (item === undefined) return outcome;
    const { attemptsMax } = this.#settings;
    return { ...outcome, ...(await notices.ofOutcome(accountId, item, outcome, attemptsMax)) };
  }
}
