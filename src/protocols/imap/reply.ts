/**
 * What IMAP answers: tagged and untagged status lines, and the tables refusal → NO and fault → NO.
 *
 * The tables are complete: a new refusal or fault does not compile until it has its answer here.
 *
 * RFC 9051 §7.1, RFC 5530 (response codes), RFC 7889 (TOOBIG), RFC 6154 §3 (USEATTR)
 */

import { encodeUtf7 } from './utf7.ts';
import { wireText } from './writer.ts';
import { ANNOTATION_BYTES_MAX } from '#domain/mailbox/annotations';
import { REFUSALS, type Refusal, type RefusalCode } from '#domain/values/decision';
import type { Fault, FaultCode } from '#domain/values/fault';

type TaggedStatus = 'OK' | 'NO' | 'BAD';
type UntaggedStatus = TaggedStatus | 'BYE' | 'PREAUTH';

/** `a NO [CANNOT] text`, without CRLF. */
export function tagged(tag: string, status: TaggedStatus, text: string, code?: string): string {
  return `${tag} ${statusText(status, text, code)}`;
}

/** `* OK [CLOSED] text`, without CRLF. */
export function untagged(status: UntaggedStatus, text: string, code?: string): string {
  return `* ${statusText(status, text, code)}`;
}

function statusText(status: UntaggedStatus, text: string, code: string | undefined): string {
  return code === undefined ? `${status} ${oneLine(text)}` : `${status} [${code}] ${oneLine(text)}`;
}

/** RFC 9051 §9 resp-text: no line breaks; controls have no business there either. */
function oneLine(text: string): string {
  return wireText(text.replace(/[\x00-\x1f\x7f]+/g, ' '));
}

const NO_CODE = undefined;
const CANNOT = 'CANNOT';
const NONEXISTENT = 'NONEXISTENT';
const ALREADYEXISTS = 'ALREADYEXISTS';
const LIMIT = 'LIMIT';

/** All of them are NO. */
const REFUSAL_CODES: Readonly<Record<RefusalCode, string | undefined>> = {
  NoSuchMailbox: NONEXISTENT,
  // RFC 9051 §6.3.12, §6.4.7: the client may make the mailbox and try again.
  NoSuchTarget: 'TRYCREATE',
  // RFC 5530 §3
  NoSuchMessage: 'EXPUNGEISSUED',
  MailboxExists: ALREADYEXISTS,
  MailboxNameForbidden: CANNOT,
  MailboxHasChildren: 'HASCHILDREN',
  MailboxIsInbox: CANNOT,
  SameMailbox: CANNOT,
  AnnotationNameForbidden: NO_CODE,
  // RFC 5464 §4.3
  TooManyAnnotations: 'METADATA TOOMANY',
  AnnotationsTooLarge: `METADATA MAXSIZE ${ANNOTATION_BYTES_MAX}`,
  SpecialUseUnknown: 'USEATTR',
  NotSubscribed: NO_CODE,
  TooManyMailboxes: LIMIT,
  TooMuchAtOnce: LIMIT,
  // RFC 9208 §4.3.1
  OverQuota: 'OVERQUOTA',
  UidsExhausted: LIMIT,
  NoSuchQueueItem: NONEXISTENT,
  AttemptNotCurrent: NO_CODE,
  NoSuchAccount: NONEXISTENT,
  AccountExists: ALREADYEXISTS,
  AccountNameForbidden: CANNOT,
  DomainForbidden: CANNOT,
  NoSuchDomain: NONEXISTENT,
  DomainExists: ALREADYEXISTS,
  AccountIsPostmaster: CANNOT,
  LoginReasonForbidden: CANNOT,
  DomainInUse: CANNOT,
  AddressNeeded: CANNOT,
  AddressTaken: ALREADYEXISTS,
  AddressForbidden: CANNOT,
  NoSuchAddress: NONEXISTENT,
  AliasExists: CANNOT,
  NoSuchAlias: CANNOT,
  AliasMemberTwice: CANNOT,
  NotAliasMember: CANNOT,
  LastAliasMember: CANNOT,
  TooManyAliasMembers: CANNOT,
  AddressOfAnother: CANNOT,
  TlsKeyForbidden: CANNOT,
  TlsKeyTaken: ALREADYEXISTS,
  NoSuchTlsKey: NONEXISTENT,
  TlsKeyNameForbidden: CANNOT,
  QueueFull: LIMIT,
  FromIdUsed: NO_CODE,
  AddressSuppressedAlready: ALREADYEXISTS,
  AddressNotSuppressed: NONEXISTENT,
  NoSuchTransport: NONEXISTENT,
  NoSuchHoldRule: NONEXISTENT,
  DkimKeyForbidden: CANNOT,
  DkimKeyExists: CANNOT,
  NoSuchDkimKey: NONEXISTENT,
  MessageLimit: LIMIT,
  NewRecipientLimit: LIMIT,
  TooManyTlsKeys: LIMIT,
  NoSuchWebhook: NONEXISTENT,
  WebhookUrlForbidden: CANNOT,
  WebhookEventUnknown: CANNOT,
  PeriodNegative: CANNOT,
};

/** How much we repeat of what a client named. */
const DETAIL_CHARS_MAX = 200;

/** The tagged answer to a command that was refused; `utf8` as in ParserModes. */
export function taggedRefusal(tag: string, refusal: Refusal, utf8: boolean): string {
  const code = REFUSAL_CODES[refusal.refused];
  const sentence = REFUSALS[refusal.refused];
  if (refusal.detail === undefined) return tagged(tag, 'NO', sentence, code);
  const detail = shortened(refusal.detail);
  // RFC 3501 §9 TEXT-CHAR: seven bits for who did not ask for more, names as they are written.
  const text = `${sentence.slice(0, -1)}: ${utf8 ? detail : encodeUtf7(detail)}`;
  return tagged(tag, 'NO', text, code);
}

function shortened(detail: string): string {
  if (detail.length <= DETAIL_CHARS_MAX) return detail;
  return `${detail.slice(0, DETAIL_CHARS_MAX).toWellFormed()}...`;
}

interface FaultReply {
  readonly code: string;
  readonly text: string;
}

const UNAVAILABLE: FaultReply = {
  code: 'UNAVAILABLE',
  text: 'The server cannot do that now; please try again later.',
};

const FAULT_REPLIES: Readonly<Record<FaultCode, FaultReply>> = {
  LogUnavailable: UNAVAILABLE,
  // The account is no more.
  StreamDropped: UNAVAILABLE,
  ViewsUnavailable: UNAVAILABLE,
  // RFC 5530 §3: too much for one command; fewer messages at a time will do.
  AppendTooLarge: { code: 'LIMIT', text: 'That is more than one command may change.' },
  // RFC 5530 §3: the code that clients show as "no room left".
  DiskFull: { code: 'OVERQUOTA', text: 'There is no room left on the server.' },
  BodyTooLarge: { code: 'TOOBIG', text: 'The message is too large.' },
  BodyMissing: { code: 'SERVERBUG', text: 'The content of the message is missing.' },
  LaneBusy: UNAVAILABLE,
  LoginsBusy: UNAVAILABLE,
  CannotListen: UNAVAILABLE,
  CannotConnect: UNAVAILABLE,
  TlsHandshakeFailed: UNAVAILABLE,
  // RFC 5530 §3: only a person can mend that.
  SecretUnreadable: { code: 'CONTACTADMIN', text: 'The server needs its administrator.' },
  ConflictsSpent: UNAVAILABLE,
  Closing: { code: 'UNAVAILABLE', text: 'The server is shutting down.' },
};

/** The tagged answer to a command during which the world failed. */
export function taggedFault(tag: string, fault: Fault): string {
  const { code, text } = FAULT_REPLIES[fault.code];
  return tagged(tag, 'NO', text, code);
}
