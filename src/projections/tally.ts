/**
 * What messages count for in the mailbox that holds them.
 */

import type { NewMessage } from '#domain/message/events';
import { DELETED, flagSetOf, SEEN } from '#domain/values/flags';
import { effectOn, type FlagTerms } from './flag-edits.ts';

export type Tally = {
  readonly messages: number;
  readonly unseen: number;
  readonly deleted: number;
  readonly deletedBytes: number;
  readonly sizeBytes: number;
};

export const NO_TALLY: Tally = {
  messages: 0,
  unseen: 0,
  deleted: 0,
  deletedBytes: 0,
  sizeBytes: 0,
};

export function tallySum(a: Tally, b: Tally): Tally {
  return {
    messages: a.messages + b.messages,
    unseen: a.unseen + b.unseen,
    deleted: a.deleted + b.deleted,
    deletedBytes: a.deletedBytes + b.deletedBytes,
    sizeBytes: a.sizeBytes + b.sizeBytes,
  };
}

export function tallyOfNew(messages: readonly NewMessage[]): Tally {
  let { unseen, deleted, deletedBytes, sizeBytes } = NO_TALLY;
  for (const message of messages) {
    const { bits } = flagSetOf(message.flags);
    sizeBytes += message.sizeBytes;
    if ((bits & SEEN) === 0) unseen++;
    if ((bits & DELETED) === 0) continue;
    deleted++;
    deletedBytes += message.sizeBytes;
  }
  return { messages: messages.length, unseen, deleted, deletedBytes, sizeBytes };
}

export function tallyNegated(tally: Tally): Tally {
  return {
    messages: -tally.messages,
    unseen: -tally.unseen,
    deleted: -tally.deleted,
    deletedBytes: -tally.deletedBytes,
    sizeBytes: -tally.sizeBytes,
  };
}

/** The tally of messages when their flags are edited. */
export function tallyAfter(before: Tally, terms: FlagTerms): Tally {
  const { messages, sizeBytes } = before;
  const after = { ...before };
  const seen = effectOn(terms, SEEN);
  if (seen !== 'none') after.unseen = seen === 'set' ? 0 : messages;
  const deleted = effectOn(terms, DELETED);
  if (deleted !== 'none') {
    after.deleted = deleted === 'set' ? messages : 0;
    after.deletedBytes = deleted === 'set' ? sizeBytes : 0;
  }
  return after;
}
