/**
 * Local mode: what a localpart asks for, so that people can try how their programs take failures.
 *
 * A localpart that ends in `temperror`, `permerror`, three digits 400–599 or `timeout` fails; the
 * prefixes `mailfrom` (judged on the sender), `rcptto` and `queue` say where, otherwise it is at
 * the end of DATA.
 */

/** Where in the life of a message the failure comes. */
export type SimulationStage = 'mailfrom' | 'rcptto' | 'data' | 'queue';

export interface SimulatedFailure {
  readonly stage: SimulationStage;
  /** Reply code; `timeout` means silence. */
  readonly code: number | 'timeout';
}

/** How long silence lasts. */
export const SIMULATED_TIMEOUT_MS: number = 60 * 60_000;

const PREFIXES = ['mailfrom', 'rcptto', 'queue'] as const;

export function simulatedFailure(localpart: string): SimulatedFailure | undefined {
  const text = localpart.toLowerCase();
  const code = simulatedCode(text);
  if (code === undefined) return undefined;
  return { stage: PREFIXES.find((prefix) => text.startsWith(prefix)) ?? 'data', code };
}

function simulatedCode(text: string): number | 'timeout' | undefined {
  if (text.endsWith('temperror')) return 451;
  if (text.endsWith('permerror')) return 550;
  if (text.endsWith('timeout')) return 'timeout';
  const digits = /[45][0-9]{2}$/.exec(text);
  return digits === null ? undefined : Number(digits[0]);
}

/** What the queue meets: its deliveries pass all stages again, as with any other server. */
export function failureInQueue(sender: string, recipient: string): number | 'timeout' | undefined {
  const ofSender = simulatedFailure(sender);
  if (ofSender?.stage === 'mailfrom') return ofSender.code;
  const ofRecipient = simulatedFailure(recipient);
  return ofRecipient?.stage === 'mailfrom' ? undefined : ofRecipient?.code;
}
