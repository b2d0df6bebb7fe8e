/**
 * Annotations as IMAP writes them, and as facts keep them: a value that is readable text stands in
 * a fact as text, any other octets as base64, so that the log can be read and nothing is lost.
 *
 * RFC 5464 §4.4, §5
 */

import { SPECIAL_USE_ANNOTATION, type Annotation } from '#domain/mailbox/annotations';
import type { AnnotationEntry } from '#domain/mailbox/events';
import type { AccountViews, MailboxSummary } from '#projections/account-views';
import { astring, mailboxName, quotedOrLiteral, wireText } from './writer.ts';

/** Longer texts are sent as literals, for the line buffers of clients. */
const QUOTED_CHARS_MAX = 1000;

/** Control characters that are no line ends or tabs: each would take six octets of a fact. */
const UNREADABLE = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The entry that a client sets; without octets it is removed. */
export function annotationEntry(name: string, octets: Buffer | undefined): AnnotationEntry {
  if (octets === undefined) return { name, value: null };
  const text = readableText(octets);
  if (text !== undefined) return { name, value: text };
  return { name, value: octets.toString('base64'), encoding: 'base64' };
}

function readableText(octets: Buffer): string | undefined {
  try {
    const text = utf8.decode(octets);
    return UNREADABLE.test(text) ? undefined : text;
  } catch (error) {
    // What the decoder throws for octets that are not UTF-8; they are kept as they are.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** `* METADATA Inbox (/private/comment "x")` with its CRLF; NIL for what is not there. */
export function metadataLine(
  mailbox: string,
  entries: ReadonlyMap<string, Annotation | undefined>,
  utf8Names: boolean,
): string {
  const values = [...entries].map(
    ([name, annotation]) => `${astring(name)} ${valueWire(annotation)}`,
  );
  return `* METADATA ${mailboxName(mailbox, utf8Names)} (${values.join(' ')})\r\n`;
}

/** Wire text: one character per octet. */
function valueWire(annotation: Annotation | undefined): string {
  if (annotation === undefined) return 'NIL';
  const { value, encoding } = annotation;
  if (encoding === undefined && value.length <= QUOTED_CHARS_MAX) return quotedOrLiteral(value);
  const octets =
    encoding === undefined ? wireText(value) : Buffer.from(value, encoding).toString('latin1');
  // RFC 3516 §4.1: NUL is for literal8.
  return `${octets.includes('\0') ? '~' : ''}{${octets.length}}\r\n${octets}`;
}

/** All that a client may ask for, by name; of the account itself when no mailbox is given. */
export function annotationsTold(
  mailbox: MailboxSummary | undefined,
  views: AccountViews,
): readonly Annotation[] {
  const annotations = views.annotations(mailbox?.mailboxId);
  if (mailbox?.specialUse === undefined) return annotations;
  // RFC 6154 §4: tied to the attribute, so it is kept nowhere else.
  const use = { name: SPECIAL_USE_ANNOTATION, value: mailbox.specialUse };
  return [...annotations, use].sort((a, b) => (a.name < b.name ? -1 : 1));
}
