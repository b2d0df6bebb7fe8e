/**
 * What `* n FETCH (…)` says of a message.
 *
 * RFC 9051 §7.5.2, RFC 7162 §3.1.4.2 (MODSEQ), RFC 3516 §4.2 (BINARY), RFC 8474 §5.1 (EMAILID),
 * RFC 8514 §4.2 (SAVEDATE), RFC 8970 §3 (PREVIEW)
 */

import type { SeqNo } from '#domain/values/ids';
import type { DateTime } from './calendar.ts';
import { bodyStructure, envelope } from './client-structure.ts';
import { flag, nstringOctets, nstringText, skipValue } from './client-tokens.ts';
import type { FetchedMessage } from './client-words.ts';
import { binaryPart, fetchItemName, section } from './fetch-items.ts';
import type { Parser } from './parser.ts';
import type { FetchItem } from './words.ts';

/** A message of which fields are still being read. */
type Draft = { -readonly [Name in keyof FetchedMessage]: FetchedMessage[Name] } & {
  readonly sections: Map<string, Buffer | undefined>;
  readonly binarySizes: Map<string, number>;
};

export function fetchedMessage(p: Parser, seq: SeqNo): FetchedMessage {
  const message: Draft = { seq, sections: new Map(), binarySizes: new Map() };
  p.list(() => item(p, message), 'may be empty');
  return message;
}

/** The octets that an answer has for an item; undefined when it has none. */
export function sectionOf(message: FetchedMessage, item: FetchItem): Buffer | undefined {
  return message.sections.get(sectionKey(item));
}

/** Names of fields are the same in any case. */
function sectionKey(item: FetchItem): string {
  return fetchItemName(item).toUpperCase();
}

function item(p: Parser, message: Draft): void {
  const name = p.word();
  if (p.sees('[')) return sectionItem(p, name, message);
  p.space();
  switch (name) {
    case 'UID':
      message.uid = p.number();
      return;
    case 'FLAGS':
      message.flags = p.list(() => flag(p), 'may be empty');
      return;
    case 'MODSEQ':
      message.modSeq = p.list(() => p.modSeqOrZero())[0] ?? 0;
      return;
    case 'INTERNALDATE':
      message.internalDate = p.dateTime();
      return;
    case 'RFC822.SIZE':
      message.sizeBytes = p.number64();
      return;
    case 'ENVELOPE':
      message.envelope = envelope(p);
      return;
    case 'BODY':
    case 'BODYSTRUCTURE':
      message.structure = bodyStructure(p);
      return;
    case 'RFC822':
    case 'RFC822.HEADER':
    case 'RFC822.TEXT':
      message.sections.set(name, nstringOctets(p));
      return;
    default:
      return newerItem(p, name, message);
  }
}

function newerItem(p: Parser, name: string, message: Draft): void {
  switch (name) {
    case 'EMAILID':
      message.emailId = p.list(() => p.astring())[0] ?? '';
      return;
    case 'THREADID':
      message.threadId = p.tryWord('NIL') ? null : (p.list(() => p.astring())[0] ?? null);
      return;
    case 'SAVEDATE':
      message.saveDate = nullableDate(p);
      return;
    case 'PREVIEW':
      message.preview = nstringText(p) ?? null;
      return;
    default:
      skipValue(p);
  }
}

function nullableDate(p: Parser): DateTime | null {
  return p.tryWord('NIL') ? null : p.dateTime();
}

/** `BODY[1.MIME]<0> "…"`, and of binary sizes a number. */
function sectionItem(p: Parser, name: string, message: Draft): void {
  if (name === 'BINARY.SIZE') {
    const key = sectionKey({ type: 'BINARY.SIZE', part: binaryPart(p) });
    p.space();
    message.binarySizes.set(key, p.number64());
    return;
  }
  const base: FetchItem =
    name === 'BINARY'
      ? { type: 'BINARY', peek: false, part: binaryPart(p) }
      : { type: 'SECTION', peek: false, section: section(p) };
  const start = origin(p);
  p.space();
  const octets = nstringOctets(p);
  const partial = start === undefined ? undefined : { start, length: octets?.length ?? 0 };
  message.sections.set(sectionKey({ ...base, ...(partial && { partial }) }), octets);
}

/** `<0>`: where the octets begin. */
function origin(p: Parser): number | undefined {
  if (!p.tryChar('<')) return undefined;
  const start = p.number64();
  p.expect('>');
  return start;
}
