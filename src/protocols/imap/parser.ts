/**
 * Token primitives of IMAP over one command: atoms, strings, lists, numbers, sets, dates.
 *
 * Strict about spaces and escapes; nothing is guessed. Texts come out as JavaScript strings,
 * decoded from UTF-8, mailbox names from modified UTF-7 where that is still spoken.
 *
 * Diagnostics: BadSyntax, and nothing else, for every command that the grammar does not know.
 *
 * RFC 9051 §9
 */

import { IMAP_NESTING_MAX } from '../limits.ts';
import { civilDay, DATE_TIME, readDateTime, type DateTime } from './calendar.ts';
import { ASTRING, ATOM, classAt, DIGIT, LIST_CHAR, WORD } from './characters.ts';
import { decodeUtf7 } from './utf7.ts';
import { STAR, type Partial, type SequenceSet } from './words.ts';
import { canonicalFlag } from '#domain/values/flags';
import type { ModSeq } from '#domain/values/ids';
import { normalUidSet, type UidRange } from '#domain/values/uid-set';
import type { Command, LiteralMark } from './reader.ts';

/** The command is not IMAP; the message is for the client. Ends at the connection as BAD. */
export class BadSyntax extends Error {
  override readonly name = 'BadSyntax';
}

export interface ParserModes {
  /** IMAP4rev2 or UTF8=ACCEPT is enabled: quoted strings and mailbox names are UTF-8. */
  readonly utf8: boolean;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const QUOTE = 0x22;
const STAR_CHAR = 0x2a;
const BACKSLASH = 0x5c;
const END_OF_LINE = -1;

const NUMBER_MAX = 4_294_967_295;
const NUMBER64_MAX = 9_223_372_036_854_775_807n;

export class Parser {
  readonly #command: Command;
  readonly #utf8: boolean;
  #line: string;
  /** Which line we are in; literal i stands between lines i and i + 1. */
  #lineIndex = 0;
  #at = 0;
  #depth = 0;

  constructor(command: Command, modes: ParserModes = { utf8: false }) {
    this.#command = command;
    this.#utf8 = modes.utf8;
    this.#line = command.lines[0] ?? '';
  }

  /** RFC 9051 §9 tag: what an astring may hold, but no `+`. */
  tag(): string {
    const tag = this.#run(ASTRING, 'a tag');
    if (tag.includes('+')) throw new BadSyntax('A tag cannot contain "+".');
    return tag;
  }

  /** The name of the command in capitals; of UID commands with the word behind it. */
  verb(): string {
    const verb = this.word();
    if (verb !== 'UID') return verb;
    this.space();
    return `UID ${this.word()}`;
  }

  space(): void {
    this.expect(' ');
  }

  /** True, and the space is read, if there is one. */
  trySpace(): boolean {
    return this.tryChar(' ');
  }

  expect(char: string): void {
    if (!this.tryChar(char)) {
      throw new BadSyntax(`Expected ${char === ' ' ? 'a space' : `"${char}"`}.`);
    }
  }

  tryChar(char: string): boolean {
    if (this.#line[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  /** True when the next character, or that `ahead` characters later, is `char`; reads nothing. */
  sees(char: string, ahead = 0): boolean {
    return this.#line[this.#at + ahead] === char;
  }

  /** True when a digit comes next, or `ahead` characters later. */
  seesDigit(ahead = 0): boolean {
    return (classAt(this.#line, this.#at + ahead) & DIGIT) !== 0;
  }

  /** Reads `text` (given in capitals) if it comes next, in any case. */
  tryText(text: string): boolean {
    const end = this.#at + text.length;
    if (this.#line.slice(this.#at, end).toUpperCase() !== text) return false;
    this.#at = end;
    return true;
  }

  atEnd(): boolean {
    return this.#peek() === END_OF_LINE && !this.#seesLiteral() && this.openLiteral() === undefined;
  }

  end(): void {
    if (!this.atEnd()) throw new BadSyntax('There is more than the command needs.');
  }

  /** The mark of a literal that is not read yet, when the command is read up to it. */
  openLiteral(): LiteralMark | undefined {
    const last = this.#lineIndex === this.#command.lines.length - 1;
    return last && this.#peek() === END_OF_LINE ? this.#command.open : undefined;
  }

  /** A name of the grammar, in capitals: letters, digits and `. - + _`. */
  word(): string {
    return this.#run(WORD, 'a word').toUpperCase();
  }

  /** Reads `word` (given in capitals) if it comes next as a whole. */
  tryWord(word: string): boolean {
    if ((classAt(this.#line, this.#at + word.length) & WORD) !== 0) return false;
    return this.tryText(word);
  }

  atom(): string {
    return this.#run(ATOM, 'an atom');
  }

  astring(): string {
    return this.#seesString() ? this.string() : this.#run(ASTRING, 'a string');
  }

  string(): string {
    return this.#seesLiteral() ? this.#literal() : this.#quoted();
  }

  /** Undefined for NIL. */
  nstring(): string | undefined {
    if (this.tryWord('NIL')) return undefined;
    return this.string();
  }

  /** True when a literal8 comes next, which may hold NUL. */
  seesLiteral8(): boolean {
    return this.#seesLiteral() && this.#command.literals[this.#lineIndex]?.binary === true;
  }

  /** The octets of a string as they came, UTF-8 or not; undefined when none comes next. */
  tryOctets(): Buffer | undefined {
    if (this.#seesLiteral()) return this.#literalOctets();
    return this.#peek() === QUOTE ? Buffer.from(this.#quotedText(), 'latin1') : undefined;
  }

  /** What is left of the line, one character per octet. */
  rest(): string {
    const rest = this.#line.slice(this.#at);
    this.#at = this.#line.length;
    return rest;
  }

  mailbox(): string {
    return this.#mailboxName(this.astring());
  }

  /** RFC 9051 §9 list-mailbox: `%` and `*` may stand without quotes. */
  listMailbox(): string {
    const text = this.#seesString() ? this.string() : this.#run(LIST_CHAR, 'a pattern');
    return this.#mailboxName(text);
  }

  /** 0 … 2^32 − 1 */
  number(): number {
    const value = Number(this.#digits());
    if (value > NUMBER_MAX) throw new BadSyntax('The number is too large.');
    return value;
  }

  /** 1 … 2^32 − 1. RFC 9051 §9 nz-number: no leading zero. */
  nzNumber(): number {
    if (this.sees('0')) throw new BadSyntax('Expected a number above 0.');
    return this.number();
  }

  /** 0 … 2^63 − 1; above 2^53 − 1 it is that. */
  number64(): number {
    const digits = this.#digits();
    if (digits.length < 16) return Number(digits);
    const value = BigInt(digits);
    if (value > NUMBER64_MAX) throw new BadSyntax('The number is too large.');
    return Number(value < BigInt(Number.MAX_SAFE_INTEGER) ? value : Number.MAX_SAFE_INTEGER);
  }

  /** RFC 7162 §7 mod-sequence-value: 1 … 2^63 − 1 */
  modSeq(): ModSeq {
    const value = this.number64();
    if (value === 0) throw new BadSyntax('A mod-sequence is above 0.');
    return value;
  }

  /** RFC 7162 §7 mod-sequence-valzer: 0 too */
  modSeqOrZero(): ModSeq {
    return this.number64();
  }

  sequenceSet(): SequenceSet {
    if (this.tryChar('$')) return { type: 'saved' };
    return { type: 'numbers', ranges: normalUidSet(this.ranges()) };
  }

  /** The ranges of a set in the order given, each with its lower end first; `*` is STAR. */
  ranges(): UidRange[] {
    const ranges: UidRange[] = [];
    do {
      const first = this.#seqNumber();
      const last = this.tryChar(':') ? this.#seqNumber() : first;
      ranges.push(first <= last ? [first, last] : [last, first]);
    } while (this.tryChar(','));
    return ranges;
  }

  /** `<start.length>` if it comes next. RFC 9051 §9 partial */
  tryPartial(): Partial | undefined {
    if (!this.tryChar('<')) return undefined;
    const start = this.number64();
    this.expect('.');
    const length = this.number64();
    if (length === 0) throw new BadSyntax('A part of no octets cannot be asked for.');
    this.expect('>');
    return { start, length };
  }

  /** A flag that can be stored, as we spell it. */
  flag(): string {
    const name = this.tryChar('\\') ? `\\${this.atom()}` : this.atom();
    const flag = canonicalFlag(name);
    if (flag === undefined) throw new BadSyntax('The flag is not one that can be stored.');
    return flag;
  }

  /** `(\Seen $x)`; may be empty. */
  flagList(): string[] {
    return this.list(() => this.flag(), 'may be empty');
  }

  /** Items in parentheses with single spaces between them. */
  list<Item>(item: () => Item, size: 'not empty' | 'may be empty' = 'not empty'): Item[] {
    this.expect('(');
    const items: Item[] = [];
    if (size === 'may be empty' && this.tryChar(')')) return items;
    this.deeper(() => {
      do items.push(item());
      while (this.trySpace());
    });
    this.expect(')');
    return items;
  }

  /** Guards the stack: `read` is one nesting further in. */
  deeper<Result>(read: () => Result): Result {
    if (++this.#depth > IMAP_NESTING_MAX) throw new BadSyntax('The command is nested too deeply.');
    const result = read();
    this.#depth--;
    return result;
  }

  /** RFC 9051 §9 date, quoted or not, as YYYYMMDD. */
  date(): number {
    const quoted = this.tryChar('"');
    const match = this.#match(/([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})/y);
    const day = match && civilDay(Number(match[3]), match[2] ?? '', Number(match[1]));
    if (day === undefined || day === null) throw new BadSyntax('Expected a date.');
    if (quoted) this.expect('"');
    return day;
  }

  /** RFC 9051 §9 date-time: `" 1-Jan-2022 10:10:00 +0100"` */
  dateTime(): DateTime {
    const match = this.#match(DATE_TIME);
    const dateTime = match === null ? undefined : readDateTime(match);
    if (dateTime === undefined) throw new BadSyntax('Expected a date and time.');
    return dateTime;
  }

  #peek(): number {
    return this.#at < this.#line.length ? this.#line.charCodeAt(this.#at) : END_OF_LINE;
  }

  #run(kind: number, what: string): string {
    let end = this.#at;
    while ((classAt(this.#line, end) & kind) !== 0) end++;
    if (end === this.#at) throw new BadSyntax(`Expected ${what}.`);
    const text = this.#line.slice(this.#at, end);
    this.#at = end;
    return text;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#line);
    if (match !== null) this.#at += match[0].length;
    return match;
  }

  #digits(): string {
    const digits = this.#run(DIGIT, 'a number');
    if (digits.length > 30) throw new BadSyntax('The number is too large.');
    return digits;
  }

  #seqNumber(): number {
    if (this.#peek() !== STAR_CHAR) return this.nzNumber();
    this.#at++;
    return STAR;
  }

  #seesString(): boolean {
    return this.#peek() === QUOTE || this.#seesLiteral();
  }

  #seesLiteral(): boolean {
    return this.#peek() === END_OF_LINE && this.#lineIndex < this.#command.literals.length;
  }

  #literal(): string {
    const octets = this.#literalOctets();
    // RFC 9051 §9 literal: CHAR8 leaves NUL out.
    if (octets.includes(0)) throw new BadSyntax('A string cannot contain NUL.');
    return decoded(octets);
  }

  #literalOctets(): Buffer {
    const literal = this.#command.literals[this.#lineIndex];
    if (literal === undefined) throw new BadSyntax('Expected a string.');
    this.#lineIndex++;
    this.#line = this.#command.lines[this.#lineIndex] ?? '';
    this.#at = 0;
    return literal.octets;
  }

  #quoted(): string {
    const text = this.#quotedText();
    return /[^\x00-\x7f]/.test(text) ? decoded(Buffer.from(text, 'latin1')) : text;
  }

  /** A quoted string, one character per octet. */
  #quotedText(): string {
    if (this.#peek() !== QUOTE) throw new BadSyntax('Expected a string.');
    let from = this.#at + 1;
    let text = '';
    for (let at = from; at < this.#line.length; at++) {
      const code = this.#line.charCodeAt(at);
      if (code === QUOTE) {
        text += this.#line.slice(from, at);
        this.#at = at + 1;
        return text;
      }
      if (code === BACKSLASH) {
        const next = this.#line[at + 1];
        // RFC 9051 §9 QUOTED-CHAR: only these two can be escaped.
        if (next !== '"' && next !== '\\') throw new BadSyntax('Only \\ and " can be escaped.');
        text += this.#line.slice(from, at);
        from = at + 1;
        at++;
      } else if (code === 0 || code === 10 || code === 13) {
        throw new BadSyntax('A quoted string cannot contain NUL, CR or LF.');
      } else if (code > 0x7f && !this.#utf8) {
        throw new BadSyntax('Eight-bit characters need a literal.');
      }
    }
    throw new BadSyntax('The quoted string has no end.');
  }

  #mailboxName(text: string): string {
    if (this.#utf8) return text;
    const name = decodeUtf7(text);
    if (name === undefined) throw new BadSyntax('The mailbox name is not modified UTF-7.');
    return name;
  }
}

function decoded(octets: Buffer): string {
  try {
    return utf8.decode(octets);
  } catch {
    throw new BadSyntax('The string is not UTF-8.');
  }
}
