/**
 * What a message is sorted and threaded by: texts of its header, in the form in which they are
 * compared.
 *
 * RFC 5256 §3 (SORT: CC, FROM, SUBJECT, TO), RFC 5957 §3 (DISPLAYFROM, DISPLAYTO)
 */

import type { MessageFacts } from '#domain/values/facts';
import { baseSubject } from '../imap/base-subject.ts';
import { parseAddresses, type Address } from './addresses.ts';
import { collationKey } from './collation.ts';
import { decodeWords, joinedValueOf, valueOf, type Header } from './header.ts';
import { messageLinks } from './message-ids.ts';

type SortFacts = Pick<
  MessageFacts,
  | 'sortSubject'
  | 'isReply'
  | 'sortFrom'
  | 'sortTo'
  | 'sortCc'
  | 'displayFrom'
  | 'displayTo'
  | 'threadKey'
  | 'threadReferences'
>;

/** Texts that are alike up to here count as the same: nobody sees more of them in a list. */
const SORTED_CHARS_MAX = 500;
/** What of an address field is looked at for its first address. */
const ADDRESS_CHARS_MAX = 4000;

export function sortFacts(header: Header): SortFacts {
  const written = decodeWords((valueOf(header, 'subject') ?? '').slice(0, 4 * SORTED_CHARS_MAX));
  const subject = baseSubject(written.slice(0, 2 * SORTED_CHARS_MAX));
  const from = firstAddress(header, 'from');
  const to = firstAddress(header, 'to');
  const cc = firstAddress(header, 'cc');
  const { key, references } = messageLinks(header);
  return {
    sortSubject: sortText(subject.text),
    isReply: subject.isReply,
    sortFrom: sortText(mailboxOf(from)),
    sortTo: sortText(mailboxOf(to)),
    sortCc: sortText(mailboxOf(cc)),
    displayFrom: sortText(displayOf(from)),
    displayTo: sortText(displayOf(to)),
    threadKey: key,
    threadReferences: references.join(' '),
  };
}

function firstAddress(header: Header, name: string): Address | undefined {
  const value = joinedValueOf(header, name);
  return value === undefined ? undefined : parseAddresses(value.slice(0, ADDRESS_CHARS_MAX), 1)[0];
}

/** RFC 5256 §3: addr-mailbox of the first address, the empty string when there is none. */
function mailboxOf(address: Address | undefined): string {
  return decodeWords(address?.mailbox ?? '');
}

/** RFC 5957 §3: the name, else mailbox and host, else the name of the group. */
function displayOf(address: Address | undefined): string {
  if (address === undefined) return '';
  if (address.name !== undefined) return decodeWords(address.name);
  const mailbox = mailboxOf(address);
  return (address.host ?? '') === '' ? mailbox : `${mailbox}@${address.host}`;
}

function sortText(text: string): string {
  return collationKey(text).slice(0, SORTED_CHARS_MAX);
}
