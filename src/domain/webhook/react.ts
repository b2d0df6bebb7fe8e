/**
 * What applications are told of a decision, in the same append: what became of mail that was sent,
 * and that mail came in.
 *
 * Invariants: of one message that was sent at most one webhook waits, the newest, and beside it one
 * that may be forged and came later: it replaces none but its like. Those about mail that came in
 * replace nothing. Whom to call is settled here, whatever is set afterwards.
 */

import type { AccountEvent } from '../log/streams.ts';
import type { MailboxState } from '../mailbox/state.ts';
import type { MessageDelivered } from '../message/events.ts';
import type { AttemptFailed, AttemptReply, BounceAction, MessageRetired } from '../queue/events.ts';
import type { QueueState } from '../queue/state.ts';
import { unreachable, type DecisionContext } from '../values/decision.ts';
import { serverWideId, type QueueId } from '../values/ids.ts';
import { retiringHook } from './decide.ts';
import type {
  HookOccasion,
  OutgoingEvent,
  WebhookEvent,
  WebhookQueued,
  WebhookTarget,
} from './events.ts';
import { mayBeForged, type Webhook, type WebhookState } from './state.ts';

type State = WebhookState & QueueState & MailboxState;

/** `isArrival`: what is delivered in this decision came from somebody else. */
export function webhooksAfter(
  events: readonly AccountEvent[],
  isArrival: boolean,
  state: State,
  context: DecisionContext,
): readonly WebhookEvent[] {
  const { settings, isClosed } = context.policy;
  const { outgoingWebhook, incomingWebhook } = settings;
  if (isClosed || (outgoingWebhook === null && incomingWebhook === null)) return [];
  const calls = events.flatMap((event): Call[] => {
    const told = outgoingWebhook && toldOf(event, events);
    if (told && isWanted(outgoingWebhook.events, told.event)) {
      const occasion = outgoingOccasion(told, events, state);
      return occasion === undefined ? [] : [{ target: outgoingWebhook, occasion }];
    }
    if (incomingWebhook === null || !isArrival || event.type !== 'MessageDelivered') return [];
    if (isBounce(event, events)) return [];
    return [{ target: incomingWebhook, occasion: incomingOccasion(event, events, state) }];
  });
  return eventsOf(calls, state, context);
}

interface Call {
  readonly target: WebhookTarget;
  readonly occasion: HookOccasion;
}

/** What there is to tell of a message. */
interface Told {
  readonly queueId: QueueId;
  readonly event: OutgoingEvent;
  readonly reply: AttemptReply;
  readonly isDsn: boolean;
  readonly mayBeForged?: boolean;
}

function isGood(action: BounceAction): boolean {
  return action === 'delivered' || action === 'relayed' || action === 'expanded';
}

function isWanted(wanted: readonly OutgoingEvent[], event: OutgoingEvent): boolean {
  return wanted.length === 0 || wanted.includes(event);
}

const NO_ERROR: AttemptReply = { code: 0, enhancedCode: '', text: '' };
const CANCELED: AttemptReply = { ...NO_ERROR, text: 'delivery canceled by admin' };

function toldOf(event: AccountEvent, events: readonly AccountEvent[]): Told | undefined {
  switch (event.type) {
    case 'AttemptFailed': {
      if (event.nextAttemptAt === undefined) return undefined;
      const { queueId } = event;
      return { queueId, event: 'delayed', reply: replyIn(event), isDsn: false };
    }
    case 'MessageRetired':
      return { queueId: event.queueId, ...endOf(event, events), isDsn: false };
    case 'BounceRelated': {
      const { queueId, action, isDsn, mayBeForged: isForged = false } = event;
      const reply = replyIn(event);
      // Nothing is wrong then, whatever the report says beside it.
      return {
        queueId,
        event: action,
        reply: isGood(action) ? { ...reply, text: '' } : reply,
        isDsn,
        ...(isForged ? { mayBeForged: true } : {}),
      };
    }
    default:
      return undefined;
  }
}

/** How a message left the queue. */
function endOf(
  { queueId, outcome }: MessageRetired,
  events: readonly AccountEvent[],
): Pick<Told, 'event' | 'reply'> {
  switch (outcome) {
    case 'delivered':
      return { event: 'delivered', reply: NO_ERROR };
    case 'failed':
    case 'suppressed': {
      const failure = events.find(
        (event): event is AttemptFailed =>
          event.type === 'AttemptFailed' && event.queueId === queueId,
      );
      return { event: outcome, reply: failure === undefined ? NO_ERROR : replyIn(failure) };
    }
    case 'canceled': {
      const isFailure = events.some(
        (event) =>
          event.type === 'DeliveryCanceled' && event.queueId === queueId && event.how === 'fail',
      );
      return { event: isFailure ? 'failed' : 'canceled', reply: CANCELED };
    }
    default:
      return unreachable(outcome);
  }
}

function replyIn({ code, enhancedCode, text }: AttemptReply): AttemptReply {
  return { code, enhancedCode, text };
}

/** Nothing about what no application sent: reports of the server. */
function outgoingOccasion(
  { queueId, event, reply, ...how }: Told,
  events: readonly AccountEvent[],
  state: State,
): HookOccasion | undefined {
  const sent = state.sentItemOf(queueId);
  if (sent === undefined || sent.report !== undefined) return undefined;
  const { fromId, headerId, extra, body } = sent;
  const suppressing =
    event === 'failed' &&
    events.some((other) => other.type === 'AddressSuppressed' && other.queueId === queueId);
  return {
    type: 'outgoing',
    event,
    ...how,
    suppressing,
    ...reply,
    queueId,
    ...(fromId === undefined ? {} : { fromId }),
    headerId,
    ...(extra === undefined ? {} : { extra }),
    body,
  };
}

/** It is told as what became of the message that it is about. */
function isBounce({ message }: MessageDelivered, events: readonly AccountEvent[]): boolean {
  return events.some(
    (event) => event.type === 'BounceRelated' && event.messageId === message.messageId,
  );
}

function incomingOccasion(
  { mailboxId, message, arrival }: MessageDelivered,
  events: readonly AccountEvent[],
  state: State,
): HookOccasion {
  const { messageId, receivedAt, body, prefix, sizeBytes } = message;
  const made = events.flatMap((event) =>
    event.type === 'MailboxesCreated' ? event.mailboxes : [],
  );
  const { name: mailbox = '' } =
    state.mailbox(mailboxId) ?? made.find((one) => one.mailboxId === mailboxId) ?? {};
  const where = { messageId, mailboxId, mailbox };
  return { type: 'incoming', ...where, arrival, receivedAt, body, prefix, sizeBytes };
}

function eventsOf(
  calls: readonly Call[],
  state: State,
  context: DecisionContext,
): readonly WebhookEvent[] {
  const number = calls.length === 0 ? 0 : state.nextHookNumber();
  const waiting = new Map<QueueId, readonly Pick<Webhook, 'hookId' | 'occasion'>[]>();
  return calls.flatMap(({ target, occasion }, i): WebhookEvent[] => {
    const hookId = serverWideId(context.accountId, number + i);
    const { url, authorization } = target;
    const secret = authorization === undefined ? {} : { authorization };
    const queued: WebhookQueued = { type: 'WebhookQueued', hookId, url, ...secret, occasion };
    if (occasion.type === 'incoming') return [queued];
    const { queueId } = occasion;
    const before = waiting.get(queueId) ?? state.pendingWebhooksOf(queueId);
    const isOlder = (one: Pick<Webhook, 'occasion'>): boolean =>
      !mayBeForged(queued) || mayBeForged(one);
    waiting.set(queueId, [...before.filter((one) => !isOlder(one)), queued]);
    const superseded = before
      .filter(isOlder)
      .map((one) => retiringHook(one.hookId, 'superseded', context, hookId));
    return [queued, ...superseded];
  });
}
