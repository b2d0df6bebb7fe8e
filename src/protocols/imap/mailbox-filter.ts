/**
 * Mailboxes named by a rule instead of one by one, in NOTIFY and in searches of many mailboxes.
 *
 * RFC 5465 §6, RFC 7377 §2.2
 */

import { canonicalMailboxName, INBOX, isBelow } from '#domain/values/mailbox-name';
import { IMAP_FILTER_NAMES_MAX } from '../limits.ts';
import { BadSyntax, type Parser } from './parser.ts';
import type { MailboxFilter } from './words.ts';

/** The filter of that name (in capitals), with the mailbox names behind it. */
export function mailboxFilter(name: string, p: Parser): MailboxFilter {
  switch (name) {
    case 'INBOXES':
      return { type: 'inboxes' };
    case 'PERSONAL':
      return { type: 'personal' };
    case 'SUBSCRIBED':
      return { type: 'subscribed' };
    case 'SUBTREE':
      return { type: 'subtree', names: mailboxNames(p) };
    case 'SUBTREE-ONE':
      return { type: 'subtree-one', names: mailboxNames(p) };
    case 'MAILBOXES':
      return { type: 'mailboxes', names: mailboxNames(p) };
    default:
      throw new BadSyntax('The mailbox filter is not known.');
  }
}

/** One name, or some in parentheses. A name that no mailbox can have means none. */
function mailboxNames(p: Parser): readonly string[] {
  p.space();
  const given = p.sees('(') ? p.list(() => p.mailbox()) : [p.mailbox()];
  if (given.length > IMAP_FILTER_NAMES_MAX) throw new BadSyntax('There are too many mailboxes.');
  return given.flatMap((name) => canonicalMailboxName(name) ?? []);
}

/** Whether the filter means a mailbox of that canonical name. */
export function fitsFilter(
  filter: MailboxFilter,
  name: string,
  isSubscribed: (name: string) => boolean,
): boolean {
  switch (filter.type) {
    case 'personal':
      // RFC 2342 §5: all namespaces that there are, are personal.
      return true;
    case 'subscribed':
      return isSubscribed(name);
    case 'inboxes':
      return name === INBOX || isBelow(name, INBOX);
    case 'mailboxes':
      return filter.names.includes(name);
    case 'subtree':
      return filter.names.some((top) => name === top || isBelow(name, top));
    case 'subtree-one':
      return filter.names.some(
        (top) => name === top || (isBelow(name, top) && !name.includes('/', top.length + 1)),
      );
  }
}
