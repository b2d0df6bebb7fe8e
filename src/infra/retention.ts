/**
 * What a running server lets go of by itself, and how long it keeps it.
 */

import type { EventLog } from '#domain/log/event-log';
import type { Log } from '#protocols/ports';
import { EXPUNGED_MS, type BodySweep } from './body-sweep.ts';
import { systemClock } from './clock.ts';
import type { StaticConfig } from './config-schema.ts';
import { startDroppingMonths } from './month-drop.ts';

const DAY_MS = 86_400_000;
/** Where the configuration says nothing. */
const MONTHS = 12;

type RetentionConfig = Pick<
  StaticConfig,
  'KeepExpungedDays' | 'KeepAuditMonths' | 'KeepReportMonths'
>;

/** What lets go. */
interface Retaining {
  readonly eventLog: Pick<EventLog, 'drop' | 'streams'>;
  readonly sweep: Pick<BodySweep, 'start' | 'stop'>;
}

/** How long the body of a removed message is kept. */
export function keepExpungedMs({ KeepExpungedDays }: RetentionConfig): number {
  return KeepExpungedDays === undefined ? EXPUNGED_MS : KeepExpungedDays * DAY_MS;
}

/** Lets go of bodies and months until it is stopped. */
export function startRetention(
  { eventLog, sweep }: Retaining,
  { KeepAuditMonths = MONTHS, KeepReportMonths = MONTHS }: RetentionConfig,
  { log, fatal }: { readonly log: Log; readonly fatal: (error: unknown) => void },
): { stop(): Promise<void> } {
  sweep.start();
  const months = startDroppingMonths({
    log: eventLog,
    clock: systemClock,
    notes: log,
    fatal,
    kept: { audit: KeepAuditMonths, reports: KeepReportMonths },
  });
  return {
    async stop() {
      await Promise.all([sweep.stop(), months.stop()]);
    },
  };
}
