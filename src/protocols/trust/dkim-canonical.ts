/**
 * The forms of header fields and bodies that DKIM signs.
 *
 * `simple` takes octets as they are, `relaxed` forgives what relays do to white space and folding.
 * A body passes through once, in pieces of any size, and nothing of it is kept.
 * RFC 6376 §3.4
 */

import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';

export type Canonical = 'simple' | 'relaxed';

/** A field (one character per octet) with its line end, as it is signed. */
export function canonicalField(field: string, form: Canonical): string {
  if (form === 'simple') return field;
  // RFC 6376 §3.4.2, its steps in their order; only SP and TAB are white space.
  const colon = field.indexOf(':');
  const name = field
    .slice(0, colon)
    .replace(/[ \t]+$/, '')
    .toLowerCase();
  const value = field
    .slice(colon + 1)
    .replace(/\r?\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .replace(/^ | $/g, '');
  return `${name}:${value}\r\n`;
}

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;

const HASHED_BYTES_AT_ONCE: number = 16 * 1024;

/** SHA-256 of a body in one of the forms. */
export class BodyDigest {
  readonly #relaxed: boolean;
  readonly #hash = createHash('sha256');
  readonly #room = Buffer.allocUnsafe(HASHED_BYTES_AT_ONCE);
  #filled = 0;
  /** Line ends that may be those of the empty lines at the end, which do not count. */
  #lineEnds = 0;
  /** White space that may stand at the end of a line. */
  #blank = false;
  /** The last octet was CR: half of a line end, or an octet like others. */
  #halfEnd = false;
  #empty = true;

  constructor(form: Canonical) {
    this.#relaxed = form === 'relaxed';
  }

  update(octets: Uint8Array): void {
    for (let at = 0; at < octets.length;) {
      const octet = octets[at] as number;
      if (this.#halfEnd) {
        this.#halfEnd = false;
        if (octet === LF) {
          // RFC 6376 §3.4.4 (a): white space at the end of a line is no part of it.
          this.#blank = false;
          this.#lineEnds++;
          at++;
        } else {
          this.#addBareCr();
        }
      } else if (octet === CR) {
        this.#halfEnd = true;
        at++;
      } else if (this.#relaxed && (octet === SPACE || octet === TAB)) {
        this.#blank = true;
        at++;
      } else {
        at = this.#addRun(octets, at);
      }
    }
  }

  /** In base64; to be called once. */
  digest(): string {
    if (this.#halfEnd) this.#addBareCr();
    // RFC 6376 §3.4.3: an empty body is one line end; §3.4.4: it is nothing.
    if (!this.#empty || !this.#relaxed) this.#putLineEnd();
    return this.#hash.update(this.#room.subarray(0, this.#filled)).digest('base64');
  }

  /** Octets that mean themselves, up to the next one that may not; gives where that is. */
  #addRun(octets: Uint8Array, start: number): number {
    this.#release();
    const room = this.#room;
    const relaxed = this.#relaxed;
    let filled = this.#filled;
    let at = start;
    for (const end = Math.min(octets.length, at + room.length - filled); at < end; at++) {
      const octet = octets[at] as number;
      if (octet === CR || (relaxed && (octet === SPACE || octet === TAB))) break;
      room[filled++] = octet;
    }
    this.#filled = filled;
    return at;
  }

  #addBareCr(): void {
    this.#release();
    this.#room[this.#filled++] = CR;
  }

  /** What was held back turns out to stand within the body; leaves room for an octet. */
  #release(): void {
    for (; this.#lineEnds > 0; this.#lineEnds--) this.#putLineEnd();
    this.#makeRoom();
    // RFC 6376 §3.4.4 (b): white space within a line is one space.
    if (this.#blank) this.#room[this.#filled++] = SPACE;
    this.#blank = false;
    this.#empty = false;
  }

  #putLineEnd(): void {
    this.#makeRoom();
    this.#room[this.#filled++] = CR;
    this.#room[this.#filled++] = LF;
  }

  /** For two octets at least. */
  #makeRoom(): void {
    if (this.#filled + 2 <= this.#room.length) return;
    this.#hash.update(this.#room.subarray(0, this.#filled));
    this.#filled = 0;
  }
}
