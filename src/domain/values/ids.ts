/**
 * The names of things: which number means what.
 *
 * A plain number may be given where an id is wanted, but one kind of id is never taken for another:
 * handing a MailboxId to something that wants a Uid does not compile.
 */

type Flavour<Base, Name extends string> = Base & { readonly flavour?: Name };

/** Number of an account; never reused, never a name. */
export type AccountId = Flavour<number, 'AccountId'>;
/** Number of a mailbox inside its account; never reused, survives a rename. */
export type MailboxId = Flavour<number, 'MailboxId'>;
/** Number of a message inside its account; kept by a move, new for a copy. */
export type MessageId = Flavour<number, 'MessageId'>;
/** Account number × 2^32 + the account's own counter: unique on the server, below 2^53. */
export type QueueId = Flavour<number, 'QueueId'>;
/** Of a webhook; made like a QueueId, from a counter of its own. */
export type HookId = Flavour<number, 'HookId'>;
/** RFC 9051 §2.3.1.1: ascending, never reused under one UIDVALIDITY. */
export type Uid = Flavour<number, 'Uid'>;
/** RFC 9051 §2.3.1.2: position in the mailbox as one session was told, counted from 1. */
export type SeqNo = Flavour<number, 'SeqNo'>;
/** RFC 7162 §3.1: 1 … 2^53−1 here; larger values of a client saturate. */
export type ModSeq = Flavour<number, 'ModSeq'>;
/** Position of an event in its stream, counted from 0; −1 is the revision of an empty stream. */
export type Revision = Flavour<number, 'Revision'>;
/** SHA-256 of a message body, 64 lower-case hex digits. */
export type BodyHash = Flavour<string, 'BodyHash'>;
/** Milliseconds since 1970-01-01 UTC. */
export type Instant = Flavour<number, 'Instant'>;
/** Name of a secret in the secret store; says nothing about the secret. */
export type SecretRef = Flavour<string, 'SecretRef'>;

const ID_COUNTER_RANGE = 2 ** 32;

/** The server-wide id of the `counter`-th thing of an account. */
export function serverWideId(accountId: AccountId, counter: number): number {
  return accountId * ID_COUNTER_RANGE + counter;
}

/** The account that a server-wide id belongs to. */
export function accountOfServerWideId(id: number): AccountId {
  return Math.floor(id / ID_COUNTER_RANGE);
}

/** What the account's own counter said when it gave out a server-wide id. */
export function counterOfServerWideId(id: number): number {
  return id % ID_COUNTER_RANGE;
}
