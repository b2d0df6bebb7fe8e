/**
 * Mail comes into the queue: all recipients in one step or none, held where a rule says so.
 */

import { holdingRule } from '../directory/hold-rules.ts';
import { eventLists } from '../log/event-size.ts';
import { decided, refuse, type Decision, type DecisionContext } from '../values/decision.ts';
import { serverWideId, type BodyHash, type Instant, type QueueId } from '../values/ids.ts';
import { beyondDailyLimit, type SentCountState } from './daily-limits.ts';
import type { FromId, NewQueueItem, QueueEvent, SendingOptions } from './events.ts';
import type { QueueState } from './state.ts';

export interface QueueMessage {
  readonly type: 'QueueMessage';
  readonly mailFrom: string;
  /** One queue item each; none of them twice. */
  readonly recipients: readonly QueuedRecipient[];
  readonly body: BodyHash;
  readonly prefix: string;
  readonly sizeBytes: number;
  readonly headerId: string;
  readonly smtpUtf8: boolean;
  readonly eightBit: boolean;
  readonly options?: SendingOptions;
  /** When the first attempt is due; now when absent. */
  readonly releaseAt?: Instant;
}

export interface QueuedRecipient {
  readonly recipient: string;
  readonly fromId?: FromId;
}

export interface EnqueueAnswers {
  readonly QueueMessage: { readonly items: readonly NewQueueItem[] };
}

type Outcome = Decision<QueueEvent, EnqueueAnswers['QueueMessage']>;
type State = QueueState & SentCountState & { nextNumbers(): { readonly queueId: number } };

export function queueMessage(
  command: QueueMessage,
  state: State,
  context: DecisionContext,
): Outcome {
  const { type: _, recipients, options, releaseAt, ...message } = command;
  const { queueBytesMax } = context.policy.settings;
  const bytes = command.sizeBytes * recipients.length;
  if (queueBytesMax > 0 && state.queuedBytes() + bytes > queueBytesMax) return refuse('QueueFull');
  if (options?.report === undefined) {
    const limit = beyondDailyLimit(recipients, state, context);
    if (limit !== undefined) return limit;
  }
  const taken = usedFromId(recipients, state);
  if (taken !== undefined) return refuse('FromIdUsed', taken);
  const items = itemsOf(command, state, context);
  const lists = eventLists(items);
  const [first] = items;
  if (lists === undefined || first === undefined) return refuse('TooMuchAtOnce');
  const baseId = baseOf(items, first.queueId);
  const events = lists.map((list): QueueEvent => ({
    type: 'MessageQueued',
    items: list,
    ...baseId,
    ...message,
    nextAttemptAt: releaseAt ?? context.at,
    ...options,
  }));
  return decided(events, { items });
}

function usedFromId(recipients: readonly QueuedRecipient[], state: State): string | undefined {
  const ids = recipients.map(({ fromId }) => fromId?.id).filter((id) => id !== undefined);
  return ids.find(
    (id, i) =>
      ids.indexOf(id) !== i || state.sentItem({ type: 'from-id', fromId: id }) !== undefined,
  );
}

function itemsOf(
  { recipients, mailFrom }: QueueMessage,
  state: State,
  { accountId, policy }: DecisionContext,
): readonly NewQueueItem[] {
  const counter = state.nextNumbers().queueId;
  return recipients.map(({ recipient, fromId }, i) => {
    const from = fromId?.mailFrom ?? mailFrom;
    const rule = holdingRule(policy.holdRules, { accountId, mailFrom: from, recipient });
    return {
      queueId: serverWideId(accountId, counter + i),
      recipient,
      ...(fromId === undefined ? {} : { fromId }),
      ...(rule === undefined ? {} : { heldBy: rule.ruleId }),
    };
  });
}

/** Several recipients of the same reverse-path may go in one transaction. */
function baseOf(items: readonly NewQueueItem[], first: QueueId): { readonly baseId?: QueueId } {
  const together = items.length > 1 && items.every(({ fromId }) => fromId === undefined);
  return together ? { baseId: first } : {};
}
