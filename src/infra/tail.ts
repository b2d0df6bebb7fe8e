/**
 * Follows the event log of a data directory, beside the process that writes it.
 */

import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { RecordedEvent } from '#domain/log/event';
import { accountStream } from '#domain/log/streams';
import { UPCASTS } from '#domain/log/upcast';
import type { AccountId } from '#domain/values/ids';
import { LOG_FILE } from './engine.ts';
import { LogReader } from './event-log-sqlite-reader.ts';

const PAGE_EVENTS = 500;
export interface TailFilter {
  readonly account?: AccountId;
  readonly type?: string;
  /** Begin after this position; absent: with the events to come. */
  readonly after?: number;
  /** Wait for more at the end of the log. */
  readonly follow: boolean;
}

/** How often the log is looked at for news; another process writes it, nobody calls us. */
const LOOK_MS = 100;

export async function* tailEventLog(
  dataDir: string,
  options: TailFilter,
  signal: AbortSignal,
): AsyncGenerator<RecordedEvent> {
  const reader = new LogReader(path.join(dataDir, LOG_FILE), UPCASTS);
  try {
    const wanted = options.account === undefined ? undefined : accountStream(options.account);
    let after = options.after ?? reader.lastPosition();
    while (!signal.aborted) {
      const page = await reader.readAll(after, PAGE_EVENTS);
      for (const event of page) {
        after = event.position;
        if (wanted !== undefined && event.stream !== wanted) continue;
        if (options.type !== undefined && event.type !== options.type) continue;
        yield event;
      }
      if (page.length > 0) continue;
      if (!options.follow) return;
      await pause(LOOK_MS, undefined, { signal }).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    }
  } finally {
    reader.close();
  }
}
