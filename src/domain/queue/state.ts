/**
 * The questions that decisions about the queue ask, and the reference model that answers them.
 */

import type { AccountEvent, AccountFact } from '../log/streams.ts';
import { counterOfServerWideId, type BodyHash, type Instant, type QueueId } from '../values/ids.ts';
import type {
  AttemptReply,
  BounceAction,
  BounceRelated,
  Cancelling,
  MessageQueued,
  Remote,
  RetiredOutcome,
  SendingOptions,
} from './events.ts';
import { FAILURES_BEFORE_MAX } from './outcome.ts';

/** What was queued: the same from the first attempt to the last. */
export interface QueuedMessage extends Omit<SendingOptions, 'transport' | 'requireTls'> {
  readonly queueId: QueueId;
  /** Items of one message with the same base may go in one transaction; absent: alone. */
  readonly baseId?: QueueId;
  readonly recipient: string;
  /** The reverse-path of this item. */
  readonly mailFrom: string;
  readonly fromId?: string;
  readonly headerId: string;
  readonly body: BodyHash;
  readonly prefix: string;
  readonly sizeBytes: number;
  readonly smtpUtf8: boolean;
  readonly eightBit: boolean;
  readonly queuedAt: Instant;
}

/** How far it has come. */
export interface QueueProgress {
  /** '' where the routes decide. */
  readonly transport: string;
  /** Null where nothing is required; see SendingOptions. */
  readonly requireTls: boolean | null;
  readonly nextAttemptAt: Instant;
  readonly lastAttemptAt: Instant | null;
  /** Attempts begun so far. */
  readonly attempts: number;
  /** An attempt has begun and not ended. */
  readonly inAttempt: boolean;
  readonly isHeld: boolean;
  /** It ends when the attempt in progress does not deliver it. */
  readonly canceling: Cancelling | null;
  /** Whom the latest attempts tried to reach, in order. */
  readonly dialed: readonly Remote[];
}

export interface QueueItem extends QueuedMessage, QueueProgress {}

/** An item in its two parts. */
export function partsOf(item: QueueItem): {
  readonly message: QueuedMessage;
  readonly progress: QueueProgress;
} {
  const { transport, requireTls, nextAttemptAt, lastAttemptAt, attempts, ...others } = item;
  const { inAttempt, isHeld, canceling, dialed, ...message } = others;
  const times = { nextAttemptAt, lastAttemptAt, attempts };
  return {
    message,
    progress: { transport, requireTls, ...times, inAttempt, isHeld, canceling, dialed },
  };
}

/** An item that mail coming in may be about, queued or retired. */
export type SentItem = Pick<
  QueuedMessage,
  'queueId' | 'recipient' | 'fromId' | 'headerId' | 'body' | 'extra' | 'report'
>;

/** How mail that came in says which message it is about. */
export type SentReference =
  | { readonly type: 'from-id'; readonly fromId: string }
  | { readonly type: 'envelope-id'; readonly envelopeId: string; readonly recipient: string }
  | { readonly type: 'header-id'; readonly headerId: string; readonly recipient: string };

/** What a message that came in says about one that went out. */
export interface ReceivedBounce {
  /** In the order of trust; the first that fits tells which item it is about. */
  readonly references: readonly SentReference[];
  readonly isDsn: boolean;
  readonly action: BounceAction;
  readonly reply: AttemptReply;
}

export interface QueueState {
  queueItem(queueId: QueueId): QueueItem | undefined;
  /** Items whose attempt never ended. */
  openAttempts(): readonly QueueItem[];
  /** Octets of all items, a message counted once per recipient. */
  queuedBytes(): number;
  /** What was sent and is queued or remembered; the newest item when several fit. */
  sentItem(reference: SentReference): SentItem | undefined;
  sentItemOf(queueId: QueueId): SentItem | undefined;
  /** True when finished items are remembered that RetiredForgotten would let go of. */
  remembersUpTo(upTo: Instant): boolean;
}

/** Finished items can be found by what comes back for so long, also when they are not shown. */
export const SENT_KEPT_MS: number = 14 * 24 * 3_600_000;

/** What stays of a finished item. */
export interface SentRecord extends SentItem {
  readonly envelopeId?: string;
  /** Until when it is shown; absent when it is not, or not any more. */
  readonly keepUntil?: Instant;
  /** Absent when it says nothing of its recipient: canceled, suppressed, a report. */
  readonly ending?: { readonly failed: boolean; readonly activeAt: Instant };
  readonly forgetAt: Instant;
}

/** The reference model: the messages in the queue, and what stays of those that left it. */
export interface QueueRecords {
  readonly items: Map<QueueId, QueueItem>;
  readonly sent: Map<QueueId, SentRecord>;
  nextCounter: number;
}

export function emptyQueue(): QueueRecords {
  return { items: new Map(), sent: new Map(), nextCounter: 1 };
}

const DIALED_KEPT = 32;

/** How long an item is found by what comes back after it left the queue. */
export function forgetSentAt(retiredAt: Instant, keepUntil: Instant | undefined): Instant {
  return Math.max(retiredAt + SENT_KEPT_MS, keepUntil ?? 0);
}

export function evolveQueue(records: QueueRecords, fact: AccountFact): void {
  const { event, at } = fact;
  switch (event.type) {
    case 'MessageQueued':
      return messageQueued(records, event, at);
    case 'MessageRetired': {
      const item = records.items.get(event.queueId);
      if (item === undefined) return;
      records.items.delete(event.queueId);
      const { queueId, envelopeId, report } = item;
      const { keepUntil, outcome } = event;
      records.sent.set(queueId, {
        ...sentPart(item),
        ...(envelopeId === undefined ? {} : { envelopeId }),
        ...(keepUntil === undefined ? {} : { keepUntil }),
        ...(tellsOfRecipient(outcome, report)
          ? { ending: { failed: outcome === 'failed', activeAt: at } }
          : {}),
        forgetAt: forgetSentAt(at, keepUntil),
      });
      return;
    }
    case 'BounceRelated': {
      const record = records.sent.get(event.queueId);
      if (record?.ending === undefined) return;
      const failed = record.ending.failed || tellsOfFailure(event);
      records.sent.set(event.queueId, { ...record, ending: { failed, activeAt: at } });
      return;
    }
    case 'RetiredForgotten':
      return retiredForgotten(records, event.upTo);
    case 'MailboxesRenumbered':
      records.nextCounter += event.modSeqRaise;
      return;
    default:
      for (const queueId of changedItems(event)) {
        const item = records.items.get(queueId);
        if (item === undefined) continue;
        records.items.set(queueId, { ...item, ...progressAfter(item, queueId, event, at) });
      }
  }
}

/** What is known of an item for as long as mail may come back about it. */
export function sentPart(item: SentItem): SentItem {
  const { queueId, recipient, fromId, headerId, body, extra, report } = item;
  return {
    queueId,
    recipient,
    ...(fromId === undefined ? {} : { fromId }),
    headerId,
    body,
    ...(extra === undefined ? {} : { extra }),
    ...(report === undefined ? {} : { report }),
  };
}

/** What we decided ourselves tells nothing of the recipient, and a report nothing to the sender. */
export function tellsOfRecipient(
  outcome: RetiredOutcome,
  report: SendingOptions['report'],
): boolean {
  return report === undefined && (outcome === 'delivered' || outcome === 'failed');
}

/** What the next hop took, and could not deliver. */
export function tellsOfFailure({ action, mayBeForged = false }: BounceRelated): boolean {
  return action === 'failed' && !mayBeForged;
}

function retiredForgotten({ sent }: QueueRecords, upTo: Instant): void {
  for (const { keepUntil, ...record } of sent.values()) {
    const { queueId, forgetAt } = record;
    if (forgetAt < upTo) sent.delete(queueId);
    else if (keepUntil !== undefined && keepUntil < upTo) sent.set(queueId, record);
  }
}

/** The items that a fact changes and leaves in the queue. */
export function changedItems(event: AccountEvent): readonly QueueId[] {
  switch (event.type) {
    case 'MessagesHeld':
    case 'MessagesReleased':
    case 'TransportForced':
    case 'TlsRequirementSet':
    case 'CancelRequested':
    case 'AttemptStarted':
      return event.queueIds;
    case 'MessagesRescheduled':
      return event.items.map(({ queueId }) => queueId);
    case 'AttemptSucceeded':
    case 'AttemptFailed':
    case 'AttemptInterrupted':
      return [event.queueId];
    default:
      return [];
  }
}

/** How far one of the items has come after a fact that changes it. */
export function progressAfter(
  progress: QueueProgress,
  queueId: QueueId,
  event: AccountEvent,
  at: Instant,
): QueueProgress {
  switch (event.type) {
    case 'MessagesHeld':
      return { ...progress, isHeld: true };
    case 'MessagesReleased':
      return { ...progress, isHeld: false };
    case 'TransportForced':
      return { ...progress, transport: event.transport ?? '' };
    case 'TlsRequirementSet':
      return { ...progress, requireTls: event.requireTls ?? null };
    case 'CancelRequested':
      return { ...progress, canceling: event.how };
    case 'MessagesRescheduled': {
      const moved = event.items.find((item) => item.queueId === queueId);
      return { ...progress, nextAttemptAt: moved?.nextAttemptAt ?? progress.nextAttemptAt };
    }
    case 'AttemptStarted': {
      const { attempt: attempts, nextAttemptAt } = event;
      return { ...progress, attempts, nextAttemptAt, lastAttemptAt: at, inAttempt: true };
    }
    case 'AttemptFailed': {
      const { nextAttemptAt = progress.nextAttemptAt, dialed = [] } = event;
      const recent = [...progress.dialed, ...dialed].slice(-DIALED_KEPT);
      return { ...progress, nextAttemptAt, inAttempt: false, dialed: recent };
    }
    case 'AttemptSucceeded':
    case 'AttemptInterrupted':
      return { ...progress, inAttempt: false };
    default:
      return progress;
  }
}

function messageQueued(records: QueueRecords, event: MessageQueued, at: Instant): void {
  for (const item of itemsQueued(event, at)) {
    records.items.set(item.queueId, item);
    records.nextCounter = Math.max(records.nextCounter, counterOfServerWideId(item.queueId) + 1);
  }
}

/** The items that a message in the queue consists of. */
export function itemsQueued(event: MessageQueued, at: Instant): readonly QueueItem[] {
  const { type: _, items, transport = '', requireTls = null, ...message } = event;
  const progress = {
    lastAttemptAt: null,
    attempts: 0,
    inAttempt: false,
    canceling: null,
    dialed: [],
  } as const;
  return items.map(({ queueId, recipient, fromId, heldBy }) => ({
    ...message,
    ...(fromId === undefined ? {} : { mailFrom: fromId.mailFrom, fromId: fromId.id }),
    ...progress,
    queueId,
    recipient,
    queuedAt: at,
    transport,
    requireTls,
    isHeld: heldBy !== undefined,
  }));
}

/** True when finished items could be forgotten; see RetiredForgotten. */
function forgettable(records: QueueRecords, upTo: Instant): boolean {
  return [...records.sent.values()].some(
    ({ keepUntil = Infinity, forgetAt }) => Math.min(keepUntil, forgetAt) < upTo,
  );
}

/** The newest item that a reference fits. */
function sentItemIn(records: QueueRecords, reference: SentReference): SentItem | undefined {
  const all = [...records.sent.values(), ...records.items.values()];
  const fitting = all.filter((one) => fits(one, reference)).map(({ queueId }) => queueId);
  const newest = all.find(({ queueId }) => queueId === Math.max(...fitting));
  return newest && sentPart(newest);
}

export function queueState(records: QueueRecords): QueueState {
  const items = (): readonly QueueItem[] => [...records.items.values()];
  return {
    queueItem: (queueId) => records.items.get(queueId),
    openAttempts: () => items().filter(({ inAttempt }) => inAttempt),
    queuedBytes: () => items().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    sentItem: (reference) => sentItemIn(records, reference),
    sentItemOf: (queueId) => {
      const found = records.sent.get(queueId) ?? records.items.get(queueId);
      return found && sentPart(found);
    },
    remembersUpTo: (upTo) => forgettable(records, upTo),
  };
}

/** See SuppressionState. */
export function failuresInRowIn(
  { sent }: QueueRecords,
  recipient: string,
  besides: QueueId,
): number {
  const latest = [...sent.values()]
    .filter((one) => one.recipient === recipient && one.queueId !== besides)
    .flatMap(({ queueId, keepUntil, ending }) =>
      keepUntil === undefined || ending === undefined ? [] : [{ queueId, ...ending }],
    )
    .sort((a, b) => b.activeAt - a.activeAt || b.queueId - a.queueId)
    .slice(0, FAILURES_BEFORE_MAX);
  const others = latest.findIndex(({ failed }) => !failed);
  return others < 0 ? latest.length : others;
}

function fits(
  one: Pick<SentRecord, 'fromId' | 'envelopeId' | 'headerId' | 'recipient'>,
  reference: SentReference,
): boolean {
  if (reference.type === 'from-id') return one.fromId === reference.fromId;
  if (one.recipient !== reference.recipient) return false;
  return reference.type === 'envelope-id'
    ? one.envelopeId === reference.envelopeId
    : one.headerId === reference.headerId;
}
