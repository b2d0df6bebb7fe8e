/**
 * Drops months of attempts to log in, and of reports, that are over for long enough.
 *
 * Months are counted from the latest one that there is, or from now when that is earlier: what
 * views still show of a quiet server is not taken from under them, and a clock that was wrong for
 * an hour costs nothing.
 */

import type { EventLog } from '#domain/log/event-log';
import { isAuditStream, isReportStream, monthNumber, monthOfStream } from '#domain/log/streams';
import type { Instant } from '#domain/values/ids';
import type { Log } from '#protocols/ports';
import { startRepeating, type RepeatingPorts } from './repeating.ts';

/** How many months are kept behind the one that goes on: two at least, for views look that far. */
export interface MonthsKept {
  readonly audit: number;
  readonly reports: number;
}

const MONTHS_KEPT_MIN = 2;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

export interface MonthDropPorts extends RepeatingPorts {
  readonly log: Pick<EventLog, 'drop' | 'streams'>;
  readonly notes: Log;
  readonly kept: MonthsKept;
}

/** Once a day. */
export function startDroppingMonths(ports: MonthDropPorts): { stop(): Promise<void> } {
  const rhythm = { what: 'dropping old months', firstMs: 10 * MINUTE_MS, everyMs: DAY_MS };
  return startRepeating(ports, rhythm, () => dropMonths(ports));
}

/** Drops what is due now. */
export async function dropMonths({ log, clock, notes, kept }: MonthDropPorts): Promise<void> {
  const streams = [...(await log.streams()).keys()];
  const now = clock.now();
  const due = [
    ...over(streams.filter(isAuditStream), kept.audit, now),
    ...over(streams.filter(isReportStream), kept.reports, now),
  ];
  for (const stream of due) {
    const events = await log.drop(stream);
    notes.info({ stream, events }, 'old month dropped');
  }
}

function over(streams: readonly string[], months: number, now: Instant): readonly string[] {
  const numbers = streams.map((stream) => monthOfStream(stream) ?? 0);
  const latest = Math.min(monthNumber(now), Math.max(...numbers));
  return streams.filter((_, i) => (numbers[i] ?? 0) < latest - Math.max(months, MONTHS_KEPT_MIN));
}
