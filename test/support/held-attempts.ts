/**
 * Settings of a queue whose attempts go nowhere: each waits for the test to say how it ends.
 */

import { settled } from './smtp.ts';
import type { AttemptOutcome } from '#domain/queue/attempts';
import type { Clock } from '#protocols/ports';
import type { RunnerSettings } from '#protocols/smtp/runner';

/** Attempts that wait for the test to end them; each is listed by its recipients. */
export class Held {
  readonly tried: string[] = [];
  readonly #ends: ((code: number) => void)[] = [];

  settings(clock: Clock, changes: Partial<RunnerSettings> = {}): RunnerSettings {
    return {
      attemptsAtOnce: 10,
      attemptsPerDestination: 1,
      itemsPerAttempt: 100,
      attemptsMax: 8,
      nextAttemptAt: () => clock.now() + 1000,
      transportFor: (_, item) => item.transport,
      attempt: async ({ items }) => {
        this.tried.push(items.map(({ recipient }) => recipient).join(' '));
        const { promise, resolve } = Promise.withResolvers<number>();
        this.#ends.push(resolve);
        const code = await promise;
        const reply = { code, enhancedCode: '', text: 'so' };
        const outcome: AttemptOutcome =
          code === 250 ? { type: 'delivered', reply } : { type: 'failed', reply, permanent: false };
        return { outcomes: new Map(items.map(({ queueId }) => [queueId, outcome])) };
      },
      ...changes,
    };
  }

  /** Ends the earliest that runs. */
  async end(code = 250): Promise<void> {
    this.#ends.shift()?.(code);
    await settled();
  }
}
