/**
 * What we answer: codes, enhanced codes, public sentences; what refusals and faults become.
 *
 * Invariants: every error ends with the receipt, so that the logs of a refused mail can be found;
 * no public sentence names configuration, paths or policy.
 * RFC 5321 §4.2, RFC 2034 (enhanced codes), RFC 3463.
 */

import type { Refusal, RefusalCode } from '#domain/values/decision';
import type { Fault } from '#domain/values/fault';

export interface Reply {
  readonly code: number;
  /** `5.1.1`; '' where RFC 2034 §3 wants none. */
  readonly enhanced: string;
  readonly lines: readonly string[];
  /** The connection ends behind it. */
  readonly closes?: boolean;
}

export function reply(code: number, enhanced: string, ...lines: readonly string[]): Reply {
  return { code, enhanced, lines };
}

export function closing(code: number, enhanced: string, ...lines: readonly string[]): Reply {
  return { code, enhanced, lines, closes: true };
}

export const OK: Reply = reply(250, '2.0.0', 'OK');
export const BAD_SEQUENCE: Reply = reply(503, '5.5.1', 'That command cannot come here.');
export const BAD_ARGUMENTS: Reply = reply(501, '5.5.4', 'The arguments cannot be understood.');
export const UNKNOWN_ADDRESS: Reply = reply(550, '5.1.1', 'There is no such address here.');
export const MEMBERS_ONLY: Reply = reply(550, '5.7.2', 'Only members may write to this address.');
export const TOO_LARGE: Reply = reply(552, '5.3.4', 'The message is larger than allowed.');
export const DISABLED_SENDER: Reply = reply(451, '4.3.0', 'No mail goes from this domain for now.');
export const LOOP: Reply = reply(550, '5.4.6', 'The message has been going round in circles.');
export const OUR_FAULT: Reply = reply(
  451,
  '4.3.0',
  'Something went wrong here, please try again later.',
);
const NO_SPACE = 'There is no space left here, please try again later.';
/** RFC 5321 §4.2.3: too little system storage. */
const DISK_FULL = reply(452, '4.3.1', NO_SPACE);
/** Behind many recipients 452 means that they are too many (RFC 5321 §4.5.3.1.10). */
const DISK_FULL_IN_QUEUE = reply(451, '4.3.1', NO_SPACE);

const MAILBOX_FULL = reply(452, '4.2.2', 'The mailbox can take no more messages.');
const QUEUE_FULL = reply(452, '4.2.2', 'There is too much mail of yours waiting already.');
const TODAYS_LIMIT = reply(451, '4.7.1', 'You have sent too much today, please go on tomorrow.');
const FROM_ID_USED = reply(554, '5.1.7', 'That MAIL FROM was used for another message.');
const NOT_MAIL = OUR_FAULT;

/** Refusals of commands that no mail gives are our fault, should they ever come. */
const REFUSAL_REPLIES: Record<RefusalCode, Reply> = {
  NoSuchMailbox: NOT_MAIL,
  NoSuchTarget: NOT_MAIL,
  NoSuchMessage: NOT_MAIL,
  MailboxExists: NOT_MAIL,
  MailboxNameForbidden: NOT_MAIL,
  MailboxHasChildren: NOT_MAIL,
  MailboxIsInbox: NOT_MAIL,
  SameMailbox: NOT_MAIL,
  AnnotationNameForbidden: NOT_MAIL,
  TooManyAnnotations: NOT_MAIL,
  AnnotationsTooLarge: NOT_MAIL,
  SpecialUseUnknown: NOT_MAIL,
  NotSubscribed: NOT_MAIL,
  TooManyMailboxes: MAILBOX_FULL,
  TooMuchAtOnce: reply(452, '4.5.3', 'These are too many recipients for one message.'),
  OverQuota: MAILBOX_FULL,
  UidsExhausted: MAILBOX_FULL,
  NoSuchQueueItem: NOT_MAIL,
  AttemptNotCurrent: NOT_MAIL,
  NoSuchAccount: UNKNOWN_ADDRESS,
  AccountExists: NOT_MAIL,
  AccountNameForbidden: NOT_MAIL,
  DomainForbidden: NOT_MAIL,
  NoSuchDomain: NOT_MAIL,
  DomainExists: NOT_MAIL,
  AccountIsPostmaster: NOT_MAIL,
  LoginReasonForbidden: NOT_MAIL,
  DomainInUse: NOT_MAIL,
  AddressNeeded: NOT_MAIL,
  AddressTaken: NOT_MAIL,
  AddressForbidden: NOT_MAIL,
  NoSuchAddress: NOT_MAIL,
  AliasExists: NOT_MAIL,
  NoSuchAlias: NOT_MAIL,
  AliasMemberTwice: NOT_MAIL,
  NotAliasMember: NOT_MAIL,
  LastAliasMember: NOT_MAIL,
  TooManyAliasMembers: NOT_MAIL,
  AddressOfAnother: NOT_MAIL,
  TlsKeyForbidden: NOT_MAIL,
  TlsKeyTaken: NOT_MAIL,
  NoSuchTlsKey: NOT_MAIL,
  TlsKeyNameForbidden: NOT_MAIL,
  QueueFull: QUEUE_FULL,
  FromIdUsed: FROM_ID_USED,
  AddressSuppressedAlready: NOT_MAIL,
  AddressNotSuppressed: NOT_MAIL,
  NoSuchTransport: NOT_MAIL,
  NoSuchHoldRule: NOT_MAIL,
  DkimKeyForbidden: NOT_MAIL,
  DkimKeyExists: NOT_MAIL,
  NoSuchDkimKey: NOT_MAIL,
  MessageLimit: TODAYS_LIMIT,
  NewRecipientLimit: TODAYS_LIMIT,
  TooManyTlsKeys: NOT_MAIL,
  NoSuchWebhook: NOT_MAIL,
  WebhookUrlForbidden: NOT_MAIL,
  WebhookEventUnknown: NOT_MAIL,
  PeriodNegative: NOT_MAIL,
};

export function refusalReply(refusal: Refusal): Reply {
  return REFUSAL_REPLIES[refusal.refused];
}

/** Of mail that was handed in to be queued. */
export function submissionFaultReply(fault: Fault): Reply {
  return fault.code === 'DiskFull' ? DISK_FULL_IN_QUEUE : faultReply(fault);
}

export function faultReply(fault: Fault): Reply {
  switch (fault.code) {
    case 'DiskFull':
      return DISK_FULL;
    case 'BodyTooLarge':
      return TOO_LARGE;
    default:
      return OUR_FAULT;
  }
}

/**
 * One answer for several recipients that were all refused: the common one, or one line each.
 * The message is refused for good if it is for one of them.
 */
export function combinedReply(replies: readonly Reply[]): Reply {
  const first = replies[0] ?? OUR_FAULT;
  if (replies.every((one) => one.code === first.code && one.enhanced === first.enhanced)) {
    return first;
  }
  const lines = replies.map((one) => `${one.code} ${one.enhanced} ${one.lines.join(' ')}`);
  return replies.some((one) => one.code >= 500)
    ? reply(554, '5.3.0', ...lines)
    : reply(451, '4.3.0', ...lines);
}

/** The reply as it goes over the wire. */
export function formatReply({ code, enhanced, lines }: Reply, receipt: string): string {
  let text = '';
  for (const [i, line] of lines.entries()) {
    const last = i === lines.length - 1;
    // Nothing that somebody else wrote may begin a line of ours.
    const clean = line.replace(/[\u0000-\u001f\u007f]/g, ' ');
    text += `${code}${last ? ' ' : '-'}${enhanced}${enhanced === '' ? '' : ' '}${clean}`;
    text += last && code >= 400 ? ` (${receipt})\r\n` : '\r\n';
  }
  return text;
}
