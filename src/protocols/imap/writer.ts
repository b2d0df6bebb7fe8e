/**
 * Response primitives: strings, names, flags, dates and sets as IMAP writes them, and the buffer
 * that carries them to the client in few writes.
 *
 * Invariants: formatters give *wire text*, one character per octet, so that collecting answers
 * joins strings and encodes nothing; nothing they give breaks a line except a literal. Octets leave
 * in the order given; a caller that flushes when `full` says so keeps memory bounded, because a
 * flush waits until a slow peer has taken what was sent.
 *
 * Diagnostics: when the stream is gone, what is written is dropped: the reader tells of the end.
 *
 * RFC 9051 §9, RFC 7162 §3.2.10 (VANISHED), §3.1.5 (SEARCH with MODSEQ)
 */

import { IMAP_REPLY_LINE_BYTES, IMAP_SEARCH_LINE_NUMBERS } from '../limits.ts';
import { formatDateTime } from './calendar.ts';
import { encodeUtf7 } from './utf7.ts';
import { flagNames, type FlagSet } from '#domain/values/flags';
import type { Instant, ModSeq, SeqNo, Uid } from '#domain/values/ids';
import type { UidSet } from '#domain/values/uid-set';
import type { Writable } from 'node:stream';

/** Any text as wire text: its UTF-8 octets, one character each. */
export function wireText(text: string): string {
  return /[^\x00-\x7f]/.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** `"text"`, or a literal when a quoted string cannot hold it. */
export function quotedOrLiteral(text: string): string {
  // RFC 3501 §9: eight-bit characters in quoted strings are for those who enabled them.
  return /^[^\x00\r\n\x80-\uffff]*$/.test(text) ? quoted(text) : literalText(text);
}

/** An atom where that is enough, else as `quotedOrLiteral`. */
export function astring(text: string): string {
  return isBare(text) ? text : quotedOrLiteral(text);
}

export function nstring(text: string | undefined): string {
  return text === undefined ? 'NIL' : quotedOrLiteral(text);
}

/** The name of a mailbox; `utf8` as in ParserModes. RFC 9051 §5.1, RFC 3501 §5.1.3 */
export function mailboxName(name: string, utf8: boolean): string {
  const text = utf8 ? name : encodeUtf7(name);
  if (isBare(text)) return text;
  return /[\x00\r\n]/.test(text) ? literalText(text) : quoted(wireText(text));
}

function isBare(text: string): boolean {
  return /^[^\x00-\x20\x7f-\uffff(){%*"\\]+$/.test(text) && !/^nil$/i.test(text);
}

function quoted(text: string): string {
  return `"${/["\\]/.test(text) ? text.replace(/["\\]/g, '\\$&') : text}"`;
}

function literalText(text: string): string {
  const octets = wireText(text);
  return `{${octets.length}}\r\n${octets}`;
}

/** `(\Seen $Junk x)` */
export function flagList(names: readonly string[]): string {
  return `(${names.join(' ')})`;
}

/** Names of the fixed flags of each combination of bits, made when first asked for. */
const fixedFlagTexts: string[] = [];

/** `(\Seen $Junk x)` of stored flags. */
export function flagSetText(set: FlagSet): string {
  const fixed = (fixedFlagTexts[set.bits] ??= flagNames({ bits: set.bits, keywords: '' }).join(
    ' ',
  ));
  if (set.keywords === '') return `(${fixed})`;
  return fixed === '' ? `(${set.keywords})` : `(${fixed} ${set.keywords})`;
}

/** `* 3 FETCH (`, under UIDONLY `* 17 UIDFETCH (`. RFC 9586 §3.3 */
export function fetchStart(seq: SeqNo, uid: Uid, uidOnly: boolean): string {
  return uidOnly ? `* ${uid} UIDFETCH (` : `* ${seq} FETCH (`;
}

/** `" 1-Jan-2022 10:10:00 +0100"`, with its quotes. */
export function internalDate(at: Instant, zoneMinutes: number): string {
  return formatDateTime(at, zoneMinutes);
}

/** `* VANISHED (EARLIER) 3:4` in lines of bounded length, without CRLF; none for no UIDs. */
export function vanishedLines(uids: UidSet, earlier: boolean): string[] {
  const start = earlier ? '* VANISHED (EARLIER) ' : '* VANISHED ';
  const lines: string[] = [];
  let line = '';
  for (const [first, last] of uids) {
    line += line === '' ? start : ',';
    line += first === last ? `${first}` : `${first}:${last}`;
    if (line.length >= IMAP_REPLY_LINE_BYTES) {
      lines.push(line);
      line = '';
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}

/**
 * `* SEARCH 2 5 (MODSEQ 9)` in lines of bounded length, without CRLF; one for no numbers, which
 * then has no MODSEQ.
 */
export function searchLines(numbers: UidSet, modSeq?: ModSeq): string[] {
  const suffix = modSeq === undefined ? '' : ` (MODSEQ ${modSeq})`;
  const lines: string[] = [];
  let line = '* SEARCH';
  let count = 0;
  for (const [first, last] of numbers) {
    for (let number = first; number <= last; number++) {
      line += ` ${number}`;
      if (++count % IMAP_SEARCH_LINE_NUMBERS === 0) {
        lines.push(line + suffix);
        line = '* SEARCH';
      }
    }
  }
  if (count === 0) lines.push(line);
  else if (line !== '* SEARCH') lines.push(line + suffix);
  return lines;
}

/** Above this many octets, a caller should flush. */
const FULL_BYTES = 64 * 1024;
/** Above this many octets, a literal leaves in pieces. */
const LARGE_BYTES = 1024 * 1024;
/** Text is turned into octets when it has grown to this, so that it never becomes a long chain. */
const TEXT_BYTES = 16 * 1024;
/** A text of this length is not put behind others, which would copy it once more. */
const LONG_BYTES = 4 * 1024;

export class ReplyWriter {
  readonly #stream: Writable;
  readonly #blocked: () => () => void;
  #text = '';
  #chunks: Uint8Array[] = [];
  #chunkBytes = 0;
  #isGivenUp = false;

  /**
   * `blocked` is called when the peer does not take our octets as fast as we give them; what it
   * returns is called when that is over.
   */
  constructor(stream: Writable, blocked: () => () => void = () => () => undefined) {
    this.#stream = stream;
    this.#blocked = blocked;
  }

  /** Wire text and a CRLF. */
  line(text: string): void {
    this.put(`${text}\r\n`);
  }

  /** Wire text as it is. */
  put(text: string): void {
    if (text.length >= LONG_BYTES) {
      this.#packText();
      this.#pack(text);
      return;
    }
    this.#text += text;
    if (this.#text.length >= TEXT_BYTES) this.#packText();
  }

  octets(octets: Uint8Array): void {
    this.#packText();
    this.#chunks.push(octets);
    this.#chunkBytes += octets.length;
  }

  /** `{n}` and the octets; as literal8 when they are said to be binary. */
  async literal(octets: Uint8Array, binary = false): Promise<void> {
    this.put(`${binary ? '~' : ''}{${octets.length}}\r\n`);
    if (octets.length <= LARGE_BYTES) return this.octets(octets);
    // In pieces: TLS takes its time for much, and others have their turn in between.
    for (let at = 0; at < octets.length; at += FULL_BYTES) {
      this.octets(octets.subarray(at, at + FULL_BYTES));
      await this.flush();
    }
  }

  /** True when so much waits that the caller should flush. */
  get full(): boolean {
    return this.#chunkBytes + this.#text.length >= FULL_BYTES;
  }

  /** True when nothing of what is written arrives any more. */
  get isOver(): boolean {
    return this.#isGivenUp || this.#stream.destroyed || this.#stream.writableEnded;
  }

  /** Octets that were announced cannot be given: whatever is said now would be taken for them. */
  giveUp(): void {
    this.#isGivenUp = true;
  }

  /** Hands over what was collected; resolves when the peer keeps up, or is gone. */
  async flush(): Promise<void> {
    this.#packText();
    const chunks = this.#chunks;
    if (chunks.length === 0 || this.isOver) {
      this.#drop();
      return;
    }
    this.#chunks = [];
    this.#chunkBytes = 0;
    const stream = this.#stream;
    let taken = true;
    stream.cork();
    for (const chunk of chunks) taken = stream.write(chunk);
    stream.uncork();
    if (!taken && stream.writableNeedDrain && !this.isOver) await this.#drained();
  }

  #drop(): void {
    this.#chunks = [];
    this.#chunkBytes = 0;
  }

  #packText(): void {
    const text = this.#text;
    this.#text = '';
    if (text !== '') this.#pack(text);
  }

  #pack(text: string): void {
    const octets = Buffer.from(text, 'latin1');
    this.#chunks.push(octets);
    this.#chunkBytes += octets.length;
  }

  async #drained(): Promise<void> {
    const stream = this.#stream;
    const over = this.#blocked();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stream.off('drain', done);
        stream.off('close', done);
        stream.off('error', done);
        resolve();
      };
      stream.on('drain', done);
      stream.on('close', done);
      stream.on('error', done);
    });
    over();
  }
}

export function linesOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\r\n`).join('');
}
