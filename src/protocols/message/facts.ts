/**
 * What a message says of itself: its octets become the facts that FETCH and SEARCH live on.
 *
 * Every sequence of octets has facts; the same octets always have the same ones.
 */

import type { Buffer } from 'node:buffer';
import type { MessageFacts } from '#domain/values/facts';
import { formatStructure } from '../imap/body-structure.ts';
import { parseDate } from './date.ts';
import { foldText } from './fold.ts';
import { decodeWords, joinedValueOf, valueOf, type Header } from './header.ts';
import { readStructure } from './part.ts';
import { sortFacts } from './sort-texts.ts';

/** To be raised with every change of what facts hold or how it is written; `messages` likewise. */
export const FACTS_VERSION = 4;

/** What of a field can be searched; nobody looks for words behind that. */
const SEARCHED_CHARS_MAX = 32 * 1024;

export function readFacts(body: Buffer): MessageFacts {
  const message = readStructure(body);
  const { header } = message;
  const date = parseDate(valueOf(header, 'date') ?? '');
  return {
    version: FACTS_VERSION,
    ...formatStructure(message),
    headerBytes: message.bodyStart,
    ...(date === undefined ? {} : { sentAt: date.at, sentDay: date.day }),
    subject: searchable(header, 'subject'),
    from: searchable(header, 'from'),
    to: searchable(header, 'to'),
    cc: searchable(header, 'cc'),
    bcc: searchable(header, 'bcc'),
    headerId: valueOf(header, 'message-id') ?? '',
    ...sortFacts(header),
  };
}

function searchable(header: Header, name: string): string {
  const value = joinedValueOf(header, name) ?? '';
  return foldText(decodeWords(value.slice(0, SEARCHED_CHARS_MAX)));
}
