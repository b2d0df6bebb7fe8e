/**
 * What a decision is: facts and an answer, or a refusal with a code from a closed list.
 *
 * A refusal says what is the case; how it is told to a client stands in each protocol's `reply.ts`,
 * a table over all codes that the compiler keeps complete.
 */

import type { AccountPolicy } from '../directory/settings.ts';
import type { AccountId, Instant } from './ids.ts';

export const REFUSALS = {
  NoSuchMailbox: 'The mailbox does not exist.',
  NoSuchTarget: 'The mailbox that messages should go to does not exist.',
  NoSuchMessage: 'The message does not exist any more.',
  MailboxExists: 'A mailbox of that name exists already.',
  MailboxNameForbidden: 'The name cannot be the name of a mailbox.',
  MailboxHasChildren: 'The mailbox has children.',
  MailboxIsInbox: 'Inbox cannot be deleted.',
  SameMailbox: 'Source and target are the same mailbox.',
  AnnotationNameForbidden: 'The name cannot be the name of an annotation.',
  TooManyAnnotations: 'The account has as many annotations as it may have.',
  AnnotationsTooLarge: 'The annotations of the account would be too large.',
  SpecialUseUnknown: 'The special use cannot be given to a mailbox.',
  NotSubscribed: 'Neither a subscription nor a mailbox of that name exists.',
  TooManyMailboxes: 'The account has as many mailboxes as it may have.',
  TooMuchAtOnce: 'The request changes more than can be recorded in one step.',
  OverQuota: 'The messages of the account would take more room than it may have.',
  UidsExhausted: 'The mailbox has given out all of its UIDs.',
  NoSuchQueueItem: 'The message is not in the queue.',
  AttemptNotCurrent: 'The attempt is not the one in progress.',
  NoSuchAccount: 'The account does not exist.',
  AccountExists: 'An account of that name exists already.',
  AccountNameForbidden: 'The name cannot be the name of an account.',
  AccountIsPostmaster: 'The account is that of the postmaster and stays.',
  LoginReasonForbidden:
    'The reason must be 1 to 256 printable ASCII characters, and not begin with a bracket.',
  DomainForbidden: 'The name cannot be the name of a mail domain.',
  NoSuchDomain: 'The domain is not one of ours.',
  DomainExists: 'The domain is one of ours already.',
  AddressTaken: 'The address belongs to an account already.',
  DomainInUse: 'The domain is in use.',
  AddressNeeded: 'The address is needed.',
  AddressForbidden: 'The address cannot be given to an account.',
  NoSuchAddress: 'No account has this address.',
  AliasExists: 'An alias of that address exists already.',
  NoSuchAlias: 'No alias has this address.',
  AliasMemberTwice: 'The alias would have a member twice.',
  NotAliasMember: 'The alias has no such member.',
  LastAliasMember: 'An alias needs at least one member.',
  TooManyAliasMembers: 'The alias would have more members than it may.',
  AddressOfAnother: 'The address belongs to another account.',
  TlsKeyForbidden:
    'The key must be Ed25519, ECDSA on P-256, P-384 or P-521, or RSA of 2048 bits or more.',
  TlsKeyTaken: 'The key is registered already.',
  NoSuchTlsKey: 'No such key is registered.',
  TlsKeyNameForbidden: 'The name cannot be the name of a key.',
  QueueFull: 'The account has as much mail waiting in the queue as it may have.',
  FromIdUsed: 'The reverse-path was used for another message.',
  AddressSuppressedAlready: 'The address is on the suppression list already.',
  AddressNotSuppressed: 'The address is not on the suppression list.',
  NoSuchTransport: 'No transport has this name.',
  NoSuchHoldRule: 'No hold rule has this number.',
  DkimKeyForbidden: 'The name cannot be the selector of a signing key.',
  DkimKeyExists: 'The domain has a signing key with this selector already.',
  NoSuchDkimKey: 'The domain has no signing key with this selector.',
  MessageLimit: 'The account has sent as much in a day as it may.',
  NewRecipientLimit: 'The account has sent to as many new addresses in a day as it may.',
  TooManyTlsKeys: 'The account has as many keys as it may have.',
  NoSuchWebhook: 'The webhook does not wait to be called.',
  WebhookUrlForbidden: 'A webhook must be the URL of an HTTP server, without a password in it.',
  WebhookEventUnknown: 'A webhook tells of no such event.',
  PeriodNegative: 'A period cannot be negative.',
} as const;

export type RefusalCode = keyof typeof REFUSALS;

/** The request cannot be granted; `detail` may name what it was about, for the asker only. */
export interface Refusal {
  readonly refused: RefusalCode;
  readonly detail?: string;
}

/** What a decision about an account knows besides the state; makes it repeatable. */
export interface DecisionContext {
  readonly accountId: AccountId;
  readonly at: Instant;
  /** What the administrator has decided about the account, as of now. */
  readonly policy: AccountPolicy;
}

/** What is to be recorded, and what the asker learns. No events: nothing changes, no new modseq. */
export interface Decided<Event, Answer> {
  readonly events: readonly Event[];
  readonly answer: Answer;
}

export type Decision<Event, Answer> = Decided<Event, Answer> | Refusal;

export function decided<Event, Answer>(
  events: readonly Event[],
  answer: Answer,
): Decided<Event, Answer> {
  return { events, answer };
}

export function refuse(refused: RefusalCode, detail?: string): Refusal {
  return detail === undefined ? { refused } : { refused, detail };
}

export function isRefusal(value: object): value is Refusal {
  return 'refused' in value;
}

/** Ends an exhaustive switch; reaching it is a bug. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
