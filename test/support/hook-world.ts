/**
 * Webhooks in memory: real decisions, the queue in local mode, a runner that calls whatever
 * receiver the test makes up.
 */

import { fakeRandom } from './clock.ts';
import { QueueWorld } from './queue-world.ts';
import { notedMetrics, type NotedMetrics } from './remote-world.ts';
import { nearReader } from './readings.ts';
import { ALICE, BOB, fakeLog, settled } from './smtp.ts';
import type { AccountSettings } from '#domain/directory/settings';
import type { AccountId, HookId } from '#domain/values/ids';
import type { OutgoingEvent, WebhookTarget } from '#domain/webhook/events';
import type { Webhook } from '#domain/webhook/state';
import type { Posted, PostRequest, WaitingWebhooks } from '#protocols/ports-webhook';
import { startHookRunner, type HookRunner } from '#protocols/webhook/runner';

/** A call as the receiver sees it. */
export interface MadeCall {
  readonly url: string;
  readonly hookId: number;
  readonly attempt: number;
  readonly authorization: string | undefined;
  readonly payload: Readonly<Record<string, unknown>>;
}

type Responder = (call: MadeCall, signal: AbortSignal | undefined) => Promise<Posted> | Posted;

export class HookWorld {
  readonly queue: QueueWorld = new QueueWorld();
  readonly calls: MadeCall[] = [];
  readonly metrics: NotedMetrics = notedMetrics();
  readonly logged: string[] = [];
  /** Texts of Authorizations by reference. */
  readonly authorizations: Map<string, string> = new Map();
  respond: Responder = () => answered(200);
  runner: HookRunner | undefined;

  readonly webhooks: WaitingWebhooks = {
    due: (now, { urls, accounts }, limit) => {
      const first = new Map<string, Webhook>();
      for (const hook of this.#waiting()) {
        if (hook.nextAttemptAt > now || urls.has(hook.url) || first.has(hook.url)) continue;
        if (!accounts.has(this.#accountOf(hook.hookId))) first.set(hook.url, hook);
      }
      return [...first.values()].slice(0, limit).map(({ hookId, url, attempts }) => ({
        accountId: this.#accountOf(hookId),
        hookId,
        url,
        attempts,
      }));
    },
    nextDueAfter: (now) => this.#waiting().find((hook) => hook.nextAttemptAt > now)?.nextAttemptAt,
    accountsInAttempt: () =>
      [ALICE, BOB].filter((id) => this.queue.accounts.state(id).openWebhooks().length > 0),
    changes: this.queue.changes,
  };

  #accountOf(hookId: HookId): AccountId {
    return this.hooks(BOB).some((hook) => hook.hookId === hookId) ? BOB : ALICE;
  }

  /** The longest due first. */
  #waiting(): readonly Webhook[] {
    return [ALICE, BOB]
      .flatMap((accountId) => this.hooks(accountId))
      .filter(({ inFlight }) => !inFlight)
      .sort((a, b) => a.nextAttemptAt - b.nextAttemptAt || a.hookId - b.hookId);
  }

  hooks(accountId: AccountId): readonly Webhook[] {
    return [...this.queue.accounts.state(accountId).webhookRecords.hooks.values()];
  }

  set(accountId: AccountId, settings: Partial<AccountSettings>): void {
    const { settings: all } = this.queue.accounts;
    all.set(accountId, { ...all.get(accountId), ...settings });
  }

  /** Has the account told of mail that it sends. */
  tell(accountId: AccountId, target: WebhookTarget, ...events: readonly OutgoingEvent[]): void {
    this.set(accountId, { outgoingWebhook: { ...target, events } });
  }

  async start(): Promise<void> {
    const { bodies, clock, commands, isPaused: _, resumed } = this.queue;
    await this.queue.start();
    this.runner = await startHookRunner({
      commands,
      webhooks: this.webhooks,
      authorizations: {
        text: async (authorization) => {
          const text = this.authorizations.get(authorization);
          if (text === undefined) throw new Error(`no such secret: ${authorization}`);
          return text;
        },
      },
      bodies,
      reader: nearReader(bodies),
      pause: { isPaused: () => this.queue.isPaused, resumed },
      http: { post: (request) => this.#answer(request) },
      metrics: this.metrics,
      clock,
      random: fakeRandom(),
      log: fakeLog(this.logged),
      version: '0',
    });
    await settled();
  }

  async #answer({ url, headers, body, signal }: PostRequest): Promise<Posted> {
    const call: MadeCall = {
      url: url.href,
      hookId: Number(headers['X-Mox-Webhook-ID']),
      attempt: Number(headers['X-Mox-Webhook-Attempt']),
      authorization: headers['Authorization'],
      payload: JSON.parse(body.toString()),
    };
    this.calls.push(call);
    return this.respond(call, signal);
  }

  /** What was told, in the order of the calls. */
  told(): readonly unknown[] {
    return this.calls.map(({ payload }) => payload['Event'] ?? 'incoming');
  }
}

export function answered(status: number): Posted {
  return { type: 'answer', status, reason: '', location: '', body: Buffer.from(`r${status}`) };
}

/** Receivers that answer when the test says so. */
export class HeldReceivers {
  /** Calls that wait for an answer, with their URLs. */
  readonly held: { readonly call: MadeCall; readonly end: (posted: Posted) => void }[] = [];

  readonly respond: Responder = (call, signal) =>
    new Promise((resolve) => {
      this.held.push({ call, end: resolve });
      const text = 'It was cancelled.';
      const cancel = (): void => resolve({ type: 'failed', why: 'cancelled', text });
      signal?.addEventListener('abort', cancel);
    });

  /** Answers the earliest. */
  async end(status = 200): Promise<void> {
    this.held.shift()?.end(answered(status));
    await settled();
  }
}
