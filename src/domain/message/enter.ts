/**
 * How messages enter a mailbox: whether it has UIDs for them, and which flags they have there.
 *
 * A junk mailbox says what its owner thinks of what is put into it, and of what is taken out again.
 */

import type { Mailbox, MailboxState } from '../mailbox/state.ts';
import { refuse, type Refusal } from '../values/decision.ts';
import { editedFlags, flagNames, NO_FLAGS, withJunkPairs, type FlagEdit } from '../values/flags.ts';
import type { BodyHash, Instant, MessageId, Uid } from '../values/ids.ts';
import { canonicalMailboxName } from '../values/mailbox-name.ts';
import type { NewMessage } from './events.ts';

/** A body that is stored already, and how it enters a mailbox. */
export interface StoredMessage {
  readonly body: BodyHash;
  readonly prefix: string;
  /** Octets of prefix and body together. */
  readonly sizeBytes: number;
  /** Canonical flag names. */
  readonly flags: readonly string[];
  readonly receivedAt: Instant;
  readonly zoneMinutes: number;
}

/** RFC 9051 §9 nz-number: UIDNEXT must still fit into 32 bits. */
const UID_NEXT_MAX: number = 2 ** 32 - 1;

/** The mailbox of that name, if it still has `count` UIDs to give. */
export function targetFor(name: string, count: number, state: MailboxState): Mailbox | Refusal {
  const canonical = canonicalMailboxName(name);
  const target = canonical === undefined ? undefined : state.mailboxNamed(canonical);
  if (target === undefined) return refuse('NoSuchTarget', name);
  if (target.uidNext + count > UID_NEXT_MAX) return refuse('UidsExhausted', target.name);
  return target;
}

export function newMessage(
  stored: StoredMessage,
  uid: Uid,
  messageId: MessageId,
  target: Pick<Mailbox, 'specialUse'>,
): NewMessage {
  const flags = editedFlags(NO_FLAGS, withJunkPairs({ exactly: stored.flags }));
  const isJunk = target.specialUse === '\\Junk';
  return {
    uid,
    messageId,
    body: stored.body,
    prefix: stored.prefix,
    sizeBytes: stored.sizeBytes,
    flags: flagNames(isJunk ? editedFlags(flags, JUNK_EDIT) : flags),
    receivedAt: stored.receivedAt,
    zoneMinutes: stored.zoneMinutes,
  };
}

const JUNK_EDIT: FlagEdit = { add: ['$Junk'], remove: ['$NotJunk'] };
const NOT_JUNK_EDIT: FlagEdit = { add: ['$NotJunk'], remove: ['$Junk'] };

/** Into the junk mailbox marks as junk; out of it, unless into the trash, takes that back. */
export function editOnTheWay(source: Mailbox, target: Mailbox): { readonly edit?: FlagEdit } {
  if (target.specialUse === '\\Junk') return { edit: JUNK_EDIT };
  const released = source.specialUse === '\\Junk' && target.specialUse !== '\\Trash';
  return released ? { edit: NOT_JUNK_EDIT } : {};
}
