/**
 * A command on its way out: wire text and literals, put together so that nothing a caller gives can
 * break out of its place.
 *
 * RFC 9051 §4.3 and §9; RFC 3501 §5.1.3 (names in modified UTF-7)
 */

import type { UidRange, UidSet } from '#domain/values/uid-set';
import { uidSetParts } from '#domain/values/uid-set';
import { IMAP_CLIENT_SET_CHARS_MAX } from '../limits.ts';
import { ImapClientError } from './client-error.ts';
import { astring, mailboxName, quotedOrLiteral } from './writer.ts';
import { STAR } from './words.ts';

/** Octets that follow their announced length. */
export interface OutgoingLiteral {
  readonly bytes: number;
  readonly octets: Uint8Array | AsyncIterable<Uint8Array>;
  /** A literal8: NUL may occur. */
  readonly binary: boolean;
}

export type Piece = string | OutgoingLiteral;

/**
 * The messages that a command is about, by UID or by sequence number. A range that ends in STAR
 * ends at the last message; `$` is the result that the last SEARCH has saved.
 */
export type MessageSet = { readonly uids: UidSet | '$' } | { readonly seqs: UidSet | '$' };

const NUMBER_MAX = 4_294_967_295;

export class CommandLine {
  readonly verb: string;
  readonly pieces: Piece[];

  constructor(verb: string) {
    this.verb = verb;
    this.pieces = [verb];
  }

  /** Wire text as it is. */
  put(text: string): this {
    if (/[\0\r\n\u0100-\uffff]/.test(text)) throw badArgument('A text breaks the line.');
    this.pieces.push(text);
    return this;
  }

  /** An atom as given by a caller: a flag, an attribute, an option. */
  atom(text: string): this {
    if (!/^\\?[^\x00-\x20\x7f-\uffff(){%*"\\]+$/.test(text)) {
      throw badArgument(`This is no atom: ${JSON.stringify(text)}`);
    }
    return this.put(text);
  }

  /** Any text, in the simplest form that can hold it. */
  string(text: string): this {
    if (!/[\0\r\n\x80-\uffff]/.test(text)) return this.put(astring(text));
    // RFC 9051 §9 literal: CHAR8 leaves NUL out.
    if (text.includes('\0')) throw badArgument('A text cannot contain NUL.');
    const octets = Buffer.from(text, 'utf8');
    return this.literal({ bytes: octets.length, octets, binary: false });
  }

  /** A quoted string, where nothing else will do. */
  quoted(text: string): this {
    if (/[\0\r\n\x80-\uffff]/.test(text)) {
      throw badArgument(`This cannot be quoted: ${JSON.stringify(text)}`);
    }
    return this.put(quotedOrLiteral(text));
  }

  /** `utf8`: what names look like since ENABLE. */
  mailbox(name: string, utf8: boolean): this {
    if (/[\0\r\n]/.test(name) || !name.isWellFormed()) {
      throw badArgument(`No mailbox can have this name: ${JSON.stringify(name)}`);
    }
    return this.put(mailboxName(name, utf8));
  }

  literal(literal: OutgoingLiteral): this {
    this.pieces.push(literal);
    return this;
  }

  /** ` (a b)` */
  atoms(names: readonly string[]): this {
    this.put(' (');
    for (const [i, name] of names.entries()) {
      if (i > 0) this.put(' ');
      this.atom(name);
    }
    return this.put(')');
  }
}

/**
 * The set as one or more texts, each short enough for every server. Sequence numbers may change
 * between commands, so that sets of them cannot be cut.
 */
export function setTexts(messages: MessageSet): readonly string[] {
  const set = 'uids' in messages ? messages.uids : messages.seqs;
  if (set === '$') return ['$'];
  for (const range of set) checkRange(range);
  const parts = uidSetParts(set, IMAP_CLIENT_SET_CHARS_MAX);
  if (parts.length > 1 && 'seqs' in messages) {
    throw badArgument('The set of sequence numbers is too long for one command.');
  }
  return parts.map((part) => part.map(rangeText).join(','));
}

/** The set as one text, for commands of which there can be only one. */
export function setText(messages: MessageSet): string {
  const texts = setTexts(messages);
  const [text] = texts;
  if (text === undefined || texts.length > 1) {
    throw badArgument('The set of messages is empty, or too long for one command.');
  }
  return text;
}

/** `UID ` in front of a verb where messages are named by UID. */
export function verbFor(messages: MessageSet, verb: string): string {
  return 'uids' in messages ? `UID ${verb}` : verb;
}

function checkRange([first, last]: UidRange): void {
  if (!isMessageNumber(first) || !isMessageNumber(last) || first > last) {
    throw badArgument(`These are no numbers of messages: ${first}:${last}`);
  }
}

function isMessageNumber(number: number): boolean {
  return number === STAR || (Number.isInteger(number) && number >= 1 && number <= NUMBER_MAX);
}

function rangeText([first, last]: UidRange): string {
  return first === last ? numberText(first) : `${numberText(first)}:${numberText(last)}`;
}

function numberText(number: number): string {
  return number === STAR ? '*' : `${number}`;
}

export function badArgument(sentence: string): ImapClientError {
  return new ImapClientError('BadArgument', sentence);
}
