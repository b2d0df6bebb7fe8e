/**
 * Mail that comes in about mail that went out: a delivery status notification, or any answer to
 * the reverse-path of one item.
 *
 * Invariants: it is delivered whatever is known of it; what a report says of an address counts only
 * when it names something that nobody but the next hop knew.
 */

import { suppressAfter } from '../suppression/decide.ts';
import type { SuppressionEvent } from '../suppression/events.ts';
import type { SuppressionState } from '../suppression/state.ts';
import type { MessageId } from '../values/ids.ts';
import type { QueueEvent } from './events.ts';
import type { QueueState, ReceivedBounce } from './state.ts';

type State = QueueState & SuppressionState;

/** Nothing when no item of this account fits. */
export function relateBounce(
  { references, isDsn, action, reply }: ReceivedBounce,
  messageId: MessageId,
  state: State,
): readonly (QueueEvent | SuppressionEvent)[] {
  for (const reference of references) {
    const item = state.sentItem(reference);
    if (item === undefined) continue;
    const { queueId, recipient, report } = item;
    const about = { queueId, recipient, reply, source: 'DSN' } as const;
    // Every recipient knows the Message-ID, and may say so.
    const forged = reference.type === 'header-id' ? { mayBeForged: true } : {};
    const isProven = reference.type !== 'header-id';
    const counts = action === 'failed' && isProven && report === undefined;
    return [
      { type: 'BounceRelated', queueId, action, isDsn, ...forged, ...reply, messageId },
      ...(counts ? suppressAfter(about, state) : []),
    ];
  }
  return [];
}
