/**
 * Decides when webhooks are called, and records what came of it: wake-ups, concurrency, one attempt
 * per webhook.
 *
 * Invariants: StartWebhookAttempt is durable before the request goes out; an answer is a fact and
 * is recorded until that works; after a crash the attempts that were cut short are closed before
 * the first new one begins; one URL has one call at a time, and all have HOOK_CALLS_AT_ONCE; while
 * delivery is paused none begins; an account that cannot begin one keeps nobody else waiting.
 */

import type { Subscription } from 'rxjs';
import type { AnswerTo } from '#domain/account';
import { isRefusal, type Refusal } from '#domain/values/decision';
import { Fault } from '#domain/values/fault';
import type { AccountId, HookId } from '#domain/values/ids';
import type { StartWebhookAttempt } from '#domain/webhook/decide';
import type { WebhookAnswer } from '#domain/webhook/events';
import type { Webhook } from '#domain/webhook/state';
import type { DueWebhook } from '#projections/due-webhooks';
import { Alarm } from '../alarm.ts';
import { HOOK_CALLS_AT_ONCE, HOOK_STOP_MS } from '../limits.ts';
import type { Clock, Commands, Done, Log, Random } from '../ports.ts';
import type { Metrics } from '../ports-metrics.ts';
import type { DeliveryPause } from '../ports-queue.ts';
import type { HookAuthorizations, HttpPost, WaitingWebhooks } from '../ports-webhook.ts';
import { sleep } from '../sleep.ts';
import { untilRecorded } from '../until-recorded.ts';
import { countCall } from './call-metrics.ts';
import { callHook } from './client.ts';
import { payloadOf, type PayloadPorts } from './payload.ts';

const CAUSE = { actor: 'system:webhooks' } as const;
/** How long an account rests that could not begin; nothing spins meanwhile. */
const REST_MS = 1_000;

const NOT_SENT: WebhookAnswer = {
  code: 0,
  error: 'Something went wrong here, and the request did not go out.',
  response: '',
  durationMs: 0,
};

export interface HookRunnerPorts extends PayloadPorts {
  readonly commands: Commands;
  readonly webhooks: WaitingWebhooks;
  readonly authorizations: HookAuthorizations;
  readonly pause: DeliveryPause;
  readonly http: HttpPost;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: Pick<Random, 'bytes'>;
  readonly log: Log;
  readonly version: string;
}

export interface HookRunner {
  /** Starts no call any more; resolves when those that run have ended, or were cut short. */
  stop(): Promise<void>;
}

/** Resolves when what a crash left behind is closed and calls have begun. */
export async function startHookRunner(ports: HookRunnerPorts): Promise<HookRunner> {
  await closeInterrupted(ports);
  return new Pump(ports);
}

async function closeInterrupted({ commands, webhooks, log }: HookRunnerPorts): Promise<void> {
  for (const accountId of webhooks.accountsInAttempt()) {
    for (;;) {
      const done = await commands.execute(accountId, { type: 'CloseInterruptedWebhooks' }, CAUSE);
      if (isRefusal(done) || done.answer.closed === 0) break;
      log.warn({ accountId, closed: done.answer.closed }, 'interrupted webhook calls closed');
    }
  }
}

/** An attempt that has begun. */
interface Attempt {
  readonly accountId: AccountId;
  readonly hookId: HookId;
  /** Counted from 1. */
  readonly attempt: number;
}

class Pump implements HookRunner {
  readonly #ports: HookRunnerPorts;
  /** URLs that are being called, or soon will be. */
  readonly #busy = new Set<string>();
  /** Accounts of which nothing begins, and how many reasons there are for each. */
  readonly #resting = new Map<AccountId, number>();
  readonly #running = new Set<Promise<void>>();
  readonly #subscription: Subscription;
  readonly #alarm: Alarm;
  /** Nothing begins any more. */
  readonly #stop = new AbortController();
  /** Calls that run are cut short. */
  readonly #cut = new AbortController();

  constructor(ports: HookRunnerPorts) {
    this.#ports = ports;
    this.#alarm = new Alarm(ports.clock, () => this.#pump());
    this.#subscription = ports.webhooks.changes.subscribe(() => this.#pump());
    this.#subscription.add(ports.pause.resumed.subscribe(() => this.#pump()));
    this.#pump();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#subscription.unsubscribe();
    this.#alarm.cancel();
    const cancel = this.#ports.clock.after(HOOK_STOP_MS, () => this.#cut.abort());
    await Promise.all(this.#running);
    cancel();
  }

  /** Begins as many calls as may run, and sets the alarm for the next one. */
  #pump(): void {
    const { webhooks, clock, pause } = this.#ports;
    if (this.#stop.signal.aborted || pause.isPaused()) return;
    const now = clock.now();
    const free = HOOK_CALLS_AT_ONCE - this.#busy.size;
    if (free <= 0) return;
    const without = { urls: this.#busy, accounts: new Set(this.#resting.keys()) };
    for (const due of webhooks.due(now, without, free)) {
      const release = this.#occupy(due.url);
      const run = this.#run(due, release).finally(() => {
        release();
        this.#running.delete(run);
      });
      this.#running.add(run);
    }
    this.#alarm.set(webhooks.nextDueAfter(now), now);
  }

  /** Gives how to let others call the URL, which may be said again. */
  #occupy(url: string): () => void {
    let isOver = false;
    this.#busy.add(url);
    return () => {
      if (!isOver) this.#busy.delete(url);
      isOver = true;
      this.#pump();
    };
  }

  async #run(due: DueWebhook, release: () => void): Promise<void> {
    const { accountId, hookId } = due;
    let isBegun = false;
    try {
      isBegun = await this.#attempt(due, release);
    } catch (error) {
      this.#ports.log.error({ accountId, hookId, err: error }, 'webhook not called');
    }
    if (isBegun) return;
    const wake = this.#rest(accountId);
    release();
    await sleep(this.#ports.clock, REST_MS, this.#stop.signal);
    wake();
  }

  /** What is due of others at the same URL does not wait for the account; gives how to end it. */
  #rest(accountId: AccountId): () => void {
    this.#resting.set(accountId, (this.#resting.get(accountId) ?? 0) + 1);
    return () => {
      const others = (this.#resting.get(accountId) ?? 1) - 1;
      if (others === 0) this.#resting.delete(accountId);
      else this.#resting.set(accountId, others);
    };
  }

  /** False when none was begun. */
  async #attempt(due: DueWebhook, release: () => void): Promise<boolean> {
    const { accountId, hookId, url, attempts } = due;
    const one: Attempt = { accountId, hookId, attempt: attempts + 1 };
    const started = await this.#begin(one, release);
    if (started === undefined || isRefusal(started)) return false;
    const answer = await this.#call(one, url, started.answer.webhook);
    // Cut short: whoever starts next says so.
    if (answer === undefined) return true;
    countCall(answer, this.#ports.metrics);
    const recorded = this.#record(one, answer, release);
    // What begins now is recorded with the answer: one sync of the disk for both.
    release();
    await recorded;
    return true;
  }

  /** Undefined when nobody can say that it began: then nobody is called, and it has an end. */
  async #begin(
    one: Attempt,
    release: () => void,
  ): Promise<Done<AnswerTo<StartWebhookAttempt>> | Refusal | undefined> {
    const { commands, random, log } = this.#ports;
    const { accountId, hookId } = one;
    const draw = random.bytes(4).readUInt32BE() / 2 ** 32;
    try {
      return await commands.execute(
        accountId,
        { type: 'StartWebhookAttempt', hookId, draw },
        CAUSE,
      );
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      log.error({ ...one, err: error }, 'webhook call may not have begun');
    }
    await this.#record(one, NOT_SENT, release);
    return undefined;
  }

  /** Whatever goes wrong here, an attempt that has begun comes to an end. */
  async #call(one: Attempt, url: string, webhook: Webhook): Promise<WebhookAnswer | undefined> {
    const { accountId, hookId, attempt } = one;
    const { authorizations, log } = this.#ports;
    const { authorization } = webhook;
    try {
      const text = authorization && (await authorizations.text(authorization));
      const payload = await payloadOf(accountId, webhook, this.#ports);
      const call = { url, authorization: text, hookId, attempt, payload };
      const answer = await callHook(call, this.#ports, this.#cut.signal);
      return answer.code === 0 && this.#cut.signal.aborted ? undefined : answer;
    } catch (error) {
      log.error({ ...one, err: error }, 'webhook call failed here');
      return NOT_SENT;
    }
  }

  /** An account of which nothing can be recorded rests, and keeps nobody from the URL. */
  async #record(one: Attempt, answer: WebhookAnswer, release: () => void): Promise<void> {
    const { commands, clock, log } = this.#ports;
    const { accountId, hookId, attempt } = one;
    const command = { type: 'FinishWebhookAttempt', hookId, attempt, answer } as const;
    let wake: (() => void) | undefined;
    const notYet = (err: Fault): void => {
      log.error({ ...one, err }, 'webhook answer not recorded yet');
      wake ??= this.#rest(accountId);
      release();
    };
    const ports = { clock, stop: this.#stop.signal };
    const record = async () => commands.execute(accountId, command, CAUSE);
    const done = await untilRecorded(record, notYet, ports);
    if (isRefusal(done)) log.error({ ...one, refused: done.refused }, 'webhook answer refused');
    wake?.();
  }
}
