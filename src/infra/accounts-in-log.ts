/**
 * Which accounts there are facts of.
 */

import type { EventLog } from '#domain/log/event-log';
import { accountOfStream } from '#domain/log/streams';
import type { AccountId } from '#domain/values/ids';

/** Ascending. */
export async function accountsIn(log: Pick<EventLog, 'streams'>): Promise<readonly AccountId[]> {
  const ids: AccountId[] = [];
  for (const stream of (await log.streams()).keys()) {
    const accountId = accountOfStream(stream);
    if (accountId !== undefined) ids.push(accountId);
  }
  return ids.sort((a, b) => a - b);
}
