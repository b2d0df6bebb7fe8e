/**
 * Decides when queued mail is delivered, and records what became of it: wake-ups, concurrency, one
 * attempt per item.
 *
 * Invariants: StartAttempt is durable before anything else happens; an outcome is a fact and is
 * recorded until that works; recipients are never put together; after a crash the attempts that
 * were cut short are closed before the first new one begins. RFC 5321 §4.5.4.1.
 */

import type { AttemptOutcome } from '#domain/queue/decide';
import { isRefusal, type Refusal } from '#domain/values/decision';
import { Fault } from '#domain/values/fault';
import type { AccountId, QueueId } from '#domain/values/ids';
import type { QueueRow } from '#projections/account-views';
import type { Clock, Commands, DueItem, Log, Queue, Views } from '../ports.ts';
import { refusalReply } from './reply.ts';

const CAUSE = { actor: 'system:queue' } as const;
const RECORD_WAIT_MS = 1_000;
const RECORD_WAIT_MS_MAX = 60_000;
/** How long an item that could not be begun keeps its place; nothing spins meanwhile. */
const UNTRIED_WAIT_MS = 1_000;

export interface RunnerPorts {
  readonly commands: Commands;
  readonly views: Views;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly log: Log;
}

export interface RunnerSettings {
  readonly attemptsAtOnce: number;
  /** When to try again after the attempt of this number, counted from 1. */
  nextAttemptAt(attempt: number): number;
  /** Delivers one item. Undefined when the outcome is unknown because `stop` was asked for. */
  attempt(one: Attempt, stop: AbortSignal): Promise<AttemptOutcome | undefined>;
}

export interface Attempt {
  readonly accountId: AccountId;
  readonly item: QueueRow;
  /** Counted from 1. */
  readonly attempt: number;
}

export interface Runner {
  /** Starts no attempt any more; resolves when those that run have ended. */
  stop(): Promise<void>;
}

/** Resolves when what a crash left behind is closed and attempts have begun. */
export async function startRunner(settings: RunnerSettings, ports: RunnerPorts): Promise<Runner> {
  await closeInterrupted(ports);
  return new Pump(settings, ports);
}

async function closeInterrupted({ commands, queue, log }: RunnerPorts): Promise<void> {
  for (const accountId of queue.accountsInAttempt()) {
    for (;;) {
      const done = await commands.execute(accountId, { type: 'CloseInterruptedAttempts' }, CAUSE);
      if (isRefusal(done) || done.answer.closed === 0) break;
      log.warn({ accountId, closed: done.answer.closed }, 'interrupted attempts closed');
    }
  }
}

class Pump implements Runner {
  readonly #settings: RunnerSettings;
  readonly #ports: RunnerPorts;
  readonly #running = new Map<QueueId, Promise<void>>();
  readonly #unsubscribe: () => void;
  readonly #stop = new AbortController();
  #cancelTimer: (() => void) | undefined;

  constructor(settings: RunnerSettings, ports: RunnerPorts) {
    this.#settings = settings;
    this.#ports = ports;
    const subscription = ports.queue.changes.subscribe(() => this.#pump());
    this.#unsubscribe = () => subscription.unsubscribe();
    this.#pump();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#unsubscribe();
    this.#cancelTimer?.();
    await Promise.all(this.#running.values());
  }

  /** Begins as many attempts as may run, and sets the alarm for the next one. */
  #pump(): void {
    if (this.#stop.signal.aborted) return;
    const { queue, clock } = this.#ports;
    const free = this.#settings.attemptsAtOnce - this.#running.size;
    if (free <= 0) return;
    // Those that run may still look due: their start is not recorded yet.
    const due = queue.due(clock.now(), this.#settings.attemptsAtOnce);
    for (const item of due.filter(({ queueId }) => !this.#running.has(queueId)).slice(0, free)) {
      this.#running.set(item.queueId, this.#run(item));
    }
    this.#setAlarm();
  }

  #setAlarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const { queue, clock } = this.#ports;
    const dueAt = queue.nextDueAt();
    if (dueAt === undefined || dueAt <= clock.now()) return;
    this.#cancelTimer = clock.after(dueAt - clock.now(), () => this.#pump());
  }

  async #run(due: DueItem): Promise<void> {
    const { log, clock } = this.#ports;
    let tried = false;
    try {
      tried = await this.#attempt(due);
    } catch (error) {
      log.error({ ...due, err: error }, 'attempt not made');
    }
    if (!tried) await sleep(clock, UNTRIED_WAIT_MS, this.#stop.signal);
    this.#running.delete(due.queueId);
    this.#pump();
  }

  /** False when there was nothing to do, or another one is at it. */
  async #attempt({ accountId, queueId }: DueItem): Promise<boolean> {
    const { views, commands } = this.#ports;
    const item = (await views.account(accountId)).queueItem(queueId);
    if (item === undefined || item.inAttempt) return false;
    const nextAttemptAt = this.#settings.nextAttemptAt(item.attempts + 1);
    const started = await commands.execute(
      accountId,
      { type: 'StartAttempt', queueId, nextAttemptAt },
      CAUSE,
    );
    if (isRefusal(started)) return false;
    const one = { accountId, item, attempt: started.answer.attempt };
    const outcome = await this.#settings.attempt(one, this.#stop.signal);
    if (outcome === undefined) return true;
    const refusal = await this.#record(one, outcome);
    if (refusal === undefined || outcome.type === 'failed') return true;
    // The copy found no place: then it was not delivered.
    const { code, enhanced, lines } = refusalReply(refusal);
    await this.#record(one, {
      type: 'failed',
      reply: { code, enhancedCode: enhanced, text: lines.join(' ') },
      permanent: code >= 500,
      nextAttemptAt,
    });
    return true;
  }

  /** The world may fail meanwhile; what has happened has happened all the same. */
  async #record(
    { accountId, item, attempt }: Attempt,
    outcome: AttemptOutcome,
  ): Promise<Refusal | undefined> {
    const { commands, clock, log } = this.#ports;
    const { queueId } = item;
    for (let waitMs = RECORD_WAIT_MS; ; waitMs = Math.min(waitMs * 2, RECORD_WAIT_MS_MAX)) {
      try {
        const done = await commands.execute(
          accountId,
          { type: 'FinishAttempt', queueId, attempt, outcome },
          CAUSE,
        );
        if (!isRefusal(done)) return undefined;
        log.error({ accountId, queueId, attempt, refused: done.refused }, 'outcome refused');
        return done;
      } catch (error) {
        if (!(error instanceof Fault) || this.#stop.signal.aborted) throw error;
        log.error({ accountId, queueId, attempt, err: error }, 'outcome not recorded yet');
      }
      await sleep(clock, waitMs, this.#stop.signal);
    }
  }
}

/** Ends early when `stop` is asked for. */
export async function sleep(clock: Clock, ms: number, stop: AbortSignal): Promise<void> {
  if (stop.aborted) return;
  await new Promise<void>((resolve) => {
    const cancel = clock.after(ms, done);
    stop.addEventListener('abort', done, { once: true });
    function done(): void {
      cancel();
      stop.removeEventListener('abort', done);
      resolve();
    }
  });
}
