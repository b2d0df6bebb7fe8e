/**
 * Who gets a copy of a message: the accounts behind its recipients.
 *
 * Invariants: each address of an account gets a copy, as `Delivered-To` and filters may tell them
 * apart; through aliases an account gets one copy at most, and none when it gets one of its own or
 * has sent the message. What came in an earlier transaction counts like what comes in this one.
 */

import type { Addressee } from '#domain/directory/mail-targets';
import type { Address } from '#domain/values/address';
import type { AccountId } from '#domain/values/ids';
import { combinedReply, type Reply } from './reply.ts';
import type { Recipient } from './session.ts';
import type { EarlierCopies } from './split-mail.ts';
import { isMembersOnly } from './targets.ts';

/** What is to be done for a recipient. */
export interface RecipientCopies {
  readonly rcptTo: Address;
  readonly to: readonly Addressee[];
  /** Who gets it here gets the message as another recipient of it, too. */
  readonly reachedOtherwise: boolean;
}

/** `senders` are those who need no copy of what they have sent to an alias. */
export function copiesFor(
  recipients: readonly Recipient[],
  senders: readonly AccountId[],
  earlier: EarlierCopies,
): readonly RecipientCopies[] {
  const reached = new Set(
    recipients.some(({ target }) => isMembersOnly(target))
      ? earlier.closed.union(earlier.other)
      : earlier.closed,
  );
  for (const { target } of recipients) {
    if (target.type === 'account') reached.add(target.accountId);
  }
  return recipients.flatMap(({ address, target }): RecipientCopies[] => {
    if (target.type === 'account') {
      const { accountId, mailbox } = target;
      const hasIt = earlier.closed.has(accountId);
      const to = hasIt ? [] : [{ accountId, mailbox }];
      return [{ rcptTo: address, to, reachedOtherwise: hasIt }];
    }
    if (target.type !== 'alias') return [];
    const reachedOtherwise = target.members.some(({ accountId }) => reached.has(accountId));
    const to = target.members.filter(
      ({ accountId }) => !reached.has(accountId) && !senders.includes(accountId),
    );
    for (const { accountId } of to) reached.add(accountId);
    return [{ rcptTo: address, to, reachedOtherwise }];
  });
}

/** What became of one copy. */
export type CopyOutcome =
  | { readonly type: 'taken' }
  /** The account does not take it. */
  | { readonly type: 'refused'; readonly reply: Reply }
  /** Nobody knows whether the account has it. */
  | { readonly type: 'failed'; readonly reply: Reply };

/**
 * What stands against a recipient; undefined when the message is where it belongs. Members of an
 * alias who do not take it are passed over, as long as somebody has it.
 */
export function recipientReply(
  { reachedOtherwise }: RecipientCopies,
  outcomes: readonly CopyOutcome[],
): Reply | undefined {
  const failed = outcomes.find((outcome) => outcome.type === 'failed');
  if (failed !== undefined) return failed.reply;
  const refusals = outcomes.filter((outcome) => outcome.type === 'refused');
  if (refusals.length < outcomes.length || refusals.length === 0 || reachedOtherwise) {
    return undefined;
  }
  return combinedReply(refusals.map(({ reply }) => reply));
}
