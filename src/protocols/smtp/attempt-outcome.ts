/**
 * What an SMTP server made of a transaction, in the words of the queue: an outcome per item.
 */

import type { AttemptOutcome } from '#domain/queue/attempts';
import type { AttemptReply, AttemptRemotes } from '#domain/queue/events';
import type { QueueItem } from '#domain/queue/state';
import type { DeliveryResult, RecipientResult } from './client-delivery.ts';
import type { SmtpClientError } from './client-error.ts';
import type { SmtpReply } from './client-reply.ts';
import type { AttemptOutcomes } from './runner.ts';

const REPLY_TEXT_CHARS_MAX = 1000;

export type FailedOutcome = Extract<AttemptOutcome, { readonly type: 'failed' }>;

/** Says of a failure whether it is final; by default the error knows. */
export type Permanence = (error: SmtpClientError) => boolean;

/** The results stand in the order of the items. */
export function outcomesOf(
  items: readonly QueueItem[],
  { recipients, failure }: DeliveryResult,
  remotes: AttemptRemotes,
  isFinal: Permanence = ({ permanent }) => permanent,
): AttemptOutcomes {
  const outcomes = new Map<number, AttemptOutcome>();
  for (const [i, { queueId }] of items.entries()) {
    const result = recipients[i];
    if (result !== undefined) outcomes.set(queueId, outcomeOf(result, remotes, isFinal));
    else if (failure !== undefined) outcomes.set(queueId, failedBy(failure, remotes, isFinal));
  }
  return outcomes;
}

function outcomeOf(
  result: RecipientResult,
  remotes: AttemptRemotes,
  isFinal: Permanence,
): AttemptOutcome {
  if (result.type === 'failed') return failedBy(result.error, remotes, isFinal);
  return { type: 'delivered', reply: deliveredReply(result.taken, result.ended), ...remotes };
}

/** The text is that behind the message: it may name the id that the server gave it. */
function deliveredReply(taken: SmtpReply, ended: SmtpReply): AttemptReply {
  const { code, lines } = ended;
  return { code, enhancedCode: taken.enhanced, text: textIn(lines) };
}

export function failedBy(
  error: SmtpClientError,
  remotes: AttemptRemotes,
  isFinal: Permanence = ({ permanent }) => permanent,
): FailedOutcome {
  const { reply, mayBeTaken } = error;
  // Only what a server said, or would have said, is about the connection to it.
  const { remote, ...others } = remotes;
  return {
    type: 'failed',
    reply: {
      code: error.replyCode,
      enhancedCode: error.enhanced,
      text: textOf(error),
    },
    permanent: isFinal(error),
    ...(mayBeTaken ? { mayBeTaken } : {}),
    ...(reply === undefined || remote === undefined ? others : remotes),
  };
}

/** RFC 5321 §4.5.3.2.6: the sender reads why the message may come twice. */
function textOf({ reply, message, mayBeTaken }: SmtpClientError): string {
  if (reply !== undefined) return textIn(reply.lines);
  return mayBeTaken ? `${message} It had all of the message and may have taken it.` : message;
}

/** What strangers say is kept for ever: as much as anybody reads of it. */
function textIn(lines: readonly string[]): string {
  return lines.join(' ').slice(0, REPLY_TEXT_CHARS_MAX);
}

/** The same for every item. */
export function allOf(items: readonly QueueItem[], outcome: AttemptOutcome): AttemptOutcomes {
  return new Map(items.map(({ queueId }) => [queueId, outcome]));
}

/** A failure that no server spoke of. */
export function failedWith(
  text: string,
  permanent: boolean,
  reply: Partial<AttemptReply> = {},
): FailedOutcome {
  return { type: 'failed', reply: { code: 0, enhancedCode: '', text, ...reply }, permanent };
}
