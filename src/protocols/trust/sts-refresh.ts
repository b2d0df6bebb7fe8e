/**
 * Keeps what is remembered of MTA-STS policies fresh: a turn through all of them once a day.
 *
 * RFC 8461 §10.2: who blocks the look-ups for a while must not outlive the policy.
 */

import { refreshStsPolicies, type StsPorts } from './sts-policies.ts';

const DAY_MS = 24 * 3_600_000;

export interface StsRefresh {
  stop(): Promise<void>;
}

/** The first turn begins at once; a turn spreads over hours. */
export function startStsRefresh(ports: StsPorts): StsRefresh {
  const control = new AbortController();
  const { signal } = control;
  let cancel: () => void = () => undefined;
  let turn: Promise<void> = Promise.resolve();
  const begin = (): void => {
    turn = turned(ports, signal);
    cancel = ports.clock.after(DAY_MS, begin);
  };
  begin();
  return {
    async stop() {
      cancel();
      control.abort();
      await turn;
    },
  };
}

async function turned(ports: StsPorts, signal: AbortSignal): Promise<void> {
  try {
    await refreshStsPolicies(ports, signal);
  } catch (err) {
    ports.log.error({ err }, 'policies for TLS not refreshed');
  }
}
