/**
 * The state behind the lane of a month of reports: only how far the stream has come, for what is
 * recorded there depends on nothing that was recorded before.
 */

import type { EventLog } from '#domain/log/event-log';
import { reportFactOf } from '#domain/log/fact';
import type { ReportEvent } from '#domain/report/events';
import { StateLedger } from './state-ledger.ts';

export async function openReportLedger(
  log: EventLog,
  stream: string,
): Promise<StateLedger<undefined, ReportEvent>> {
  const ledger = new StateLedger<undefined, ReportEvent>(log, stream, {
    empty: undefined,
    copy: () => undefined,
    evolve: () => undefined,
    factOf: reportFactOf,
  });
  const head = await log.head(stream);
  if (head >= 0) ledger.post(await log.read(stream, head, 1));
  return ledger;
}
