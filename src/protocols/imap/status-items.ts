/**
 * The line of STATUS, which LIST can ask for too.
 *
 * RFC 9051 §6.3.11, RFC 5819 (LIST-STATUS), RFC 8438 (SIZE), RFC 7889 §4 (APPENDLIMIT), RFC 9208
 * §3.1.4 (DELETED-STORAGE)
 */

import { unreachable } from '#domain/values/decision';
import type { MailboxSummary } from '#projections/account-views';
import { mailboxObjectId } from './object-ids.ts';
import type { Session } from './session.ts';
import type { StatusItem } from './words.ts';
import { mailboxName } from './writer.ts';

/** With its CRLF. */
export function statusLine(
  mailbox: MailboxSummary,
  items: readonly StatusItem[],
  session: Session,
): string {
  const values = items.map((item) => `${item} ${valueOf(item, mailbox, session)}`);
  return `* STATUS ${mailboxName(mailbox.name, session.utf8)} (${values.join(' ')})\r\n`;
}

function valueOf(item: StatusItem, mailbox: MailboxSummary, session: Session): number | string {
  switch (item) {
    case 'MESSAGES':
      return mailbox.exists;
    case 'UIDNEXT':
      return mailbox.uidNext;
    case 'UIDVALIDITY':
      return mailbox.uidValidity;
    case 'UNSEEN':
      return mailbox.unseen;
    case 'DELETED':
      return mailbox.deleted;
    case 'SIZE':
      return mailbox.sizeBytes;
    case 'RECENT':
      // RFC 9051 appendix E: \Recent is gone.
      return 0;
    case 'HIGHESTMODSEQ':
      return mailbox.highestModSeq;
    case 'APPENDLIMIT':
      return session.options.messageBytesMax;
    case 'DELETED-STORAGE':
      return mailbox.deletedBytes;
    case 'MAILBOXID':
      return `(${mailboxObjectId(mailbox.mailboxId)})`;
    default:
      return unreachable(item);
  }
}
