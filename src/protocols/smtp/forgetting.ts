/**
 * Has accounts forget outgoing mail that left the queue long enough ago: soon after the start, then
 * every hour.
 *
 * Invariants: one account that cannot does not keep the others from it; it is asked again.
 */

import { Fault } from '#domain/values/fault';
import type { Clock, Commands, Log, Queue } from '../ports.ts';

const CAUSE = { actor: 'system:queue' } as const;
const FIRST_MS = 3_000;
const EVERY_MS = 3_600_000;

export interface ForgettingPorts {
  readonly commands: Commands;
  readonly queue: Pick<Queue, 'accountsToForget'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Resolves, once it is stopped, when nothing runs any more. */
export function startForgetting(ports: ForgettingPorts): { stop(): Promise<void> } {
  const { clock } = ports;
  let isStopped = false;
  let running = Promise.resolve();
  let cancel = clock.after(FIRST_MS, look);
  function look(): void {
    running = forgetAll(ports, () => isStopped).finally(() => {
      if (!isStopped) cancel = clock.after(EVERY_MS, look);
    });
  }
  return {
    stop() {
      isStopped = true;
      cancel();
      return running;
    },
  };
}

async function forgetAll(ports: ForgettingPorts, isStopped: () => boolean): Promise<void> {
  const { commands, queue, clock, log } = ports;
  for (const accountId of queue.accountsToForget(clock.now())) {
    if (isStopped()) return;
    try {
      await commands.execute(accountId, { type: 'ForgetRetired' }, CAUSE);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      log.warn({ accountId, err: error }, 'retired messages not forgotten yet');
    }
  }
}
