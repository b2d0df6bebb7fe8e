/**
 * `queue pause` and `queue resume`: whether anything leaves the server.
 */

import type { RunningFlags } from './flags.ts';
import { askServer, type Tools } from './tools.ts';

/** As it goes over the control socket, and into `--json`. */
export interface DeliveryRecord {
  readonly Paused: boolean;
  /** `asked` or `restored`; '' when mail goes. */
  readonly Reason: string;
}

const RESUMING = '`daybook queue resume` lets it go';

export async function pauseDelivery(flags: RunningFlags, tools: Tools): Promise<void> {
  await tell('queue.pause', flags, tools);
}

export async function resumeDelivery(flags: RunningFlags, tools: Tools): Promise<void> {
  await tell('queue.resume', flags, tools);
}

/** Beside a list of what waits: why it waits. */
export async function tellPause(flags: RunningFlags, tools: Tools): Promise<void> {
  const record = (await askServer('queue.delivery', flags, tools, {})) as DeliveryRecord;
  if (record.Paused) tools.terminal.err(sentenceOf(record));
}

async function tell(command: string, flags: RunningFlags, tools: Tools): Promise<void> {
  const record = (await askServer(command, flags, tools, {})) as DeliveryRecord;
  tools.terminal.out(flags.json ? JSON.stringify(record) : sentenceOf(record));
}

function sentenceOf({ Paused, Reason }: DeliveryRecord): string {
  if (!Paused) return 'delivery goes on';
  return Reason === 'restored'
    ? `delivery is paused, since a backup was restored: ${RESUMING}`
    : `delivery is paused: ${RESUMING}`;
}
