/**
 * The octets behind DATA: finds the end, takes the dots out, refuses what can be read in two ways.
 *
 * Invariants: only CRLF.CRLF ends the data (RFC 5321 §4.1.1.4); the same octets give the same
 * result however they are cut into chunks; time is linear and one output buffer per chunk is
 * enough, also for a body that is nothing but dots. A bare CR, and a dot line that a bare LF begins
 * or ends, are flaws: other servers may see the end of the message there (smuggling). Any other
 * bare LF becomes CRLF.
 */

const CR = 13;
const LF = 10;
const DOT = 46;

/** Why data cannot be taken, although it must be read to its end. */
export type DataFlaw = 'line-ends' | 'too-large';

// What came directly before the next octet.
const AFTER_CRLF = 0;
const AFTER_LF = 1;
const IN_LINE = 2;
const AFTER_CR = 3;
/** A dot behind CRLF; it is not part of the message, whatever follows. */
const AFTER_DOT = 4;
const AFTER_DOT_CR = 5;
/** A dot behind a bare LF; it is part of the message, unless the line ends here. */
const AFTER_LF_DOT = 6;
const AFTER_LF_DOT_CR = 7;

const NOTHING: Buffer = Buffer.alloc(0);

export class DataDecoder {
  readonly #limitBytes: number;
  #state = AFTER_CRLF;
  #sizeBytes = 0;
  #bits = 0;
  #flaw: DataFlaw | undefined;
  #rest: Buffer | undefined;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** What came behind the end, undefined as long as there was no end. */
  get rest(): Buffer | undefined {
    return this.#rest;
  }

  get flaw(): DataFlaw | undefined {
    return this.#flaw;
  }

  /** Octets of the message so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** True when an octet above 127 was among them. */
  get eightBit(): boolean {
    return (this.#bits & 0x80808080) !== 0;
  }

  /** The part of the message that a chunk holds; nothing any more once there is a flaw. */
  push(chunk: Buffer): Buffer {
    const clean = this.#scanClean(chunk);
    const decoded = clean === chunk.length ? chunk : this.#rewrite(chunk, clean);
    this.#sizeBytes += decoded.length;
    if (this.#flaw === undefined && this.#sizeBytes > this.#limitBytes) this.#flaw = 'too-large';
    return this.#flaw === undefined ? decoded : NOTHING;
  }

  /** How many octets from the start can be taken as they are. */
  #scanClean(chunk: Buffer): number {
    const wordsStart = -chunk.byteOffset & 3;
    const wordCount = Math.max(0, (chunk.length - wordsStart) >> 2);
    const wordsOffset = wordCount === 0 ? 0 : chunk.byteOffset + wordsStart;
    const words = new Uint32Array(chunk.buffer, wordsOffset, wordCount);
    let state = this.#state;
    let bits = this.#bits;
    let i = 0;
    for (; i < chunk.length && state <= AFTER_CR; i++) {
      if (state === IN_LINE && ((i - wordsStart) & 3) === 0) {
        // Most octets are passed here, four at a time.
        let at = (i - wordsStart) >> 2;
        for (; at < wordCount; at++) {
          const word = words[at] as number;
          if (mayEndLine(word)) break;
          bits |= word;
        }
        i = at * 4 + wordsStart;
        if (i === chunk.length) break;
      }
      const octet = chunk[i] as number;
      if (octet === LF) {
        if (state !== AFTER_CR) break;
        state = AFTER_CRLF;
      } else if (state === AFTER_CR || (octet === DOT && state <= AFTER_LF)) {
        break;
      } else {
        bits |= octet;
        state = octet === CR ? AFTER_CR : IN_LINE;
      }
    }
    this.#state = state;
    this.#bits = bits;
    return i;
  }

  /** The slow way, from the first octet on that cannot be taken as it is. */
  #rewrite(chunk: Buffer, from: number): Buffer {
    // A bare LF grows by one octet.
    const out = Buffer.allocUnsafe(from + 2 * (chunk.length - from) + 1);
    let length = chunk.copy(out, 0, 0, from);
    let state = this.#state;
    let bits = this.#bits;
    for (let i = from; i < chunk.length; i++) {
      const octet = chunk[i] as number;
      if (octet === DOT && state === AFTER_CRLF) {
        state = AFTER_DOT;
        continue;
      }
      if (octet === CR) {
        if (isAfterCr(state)) this.#flaw ??= 'line-ends';
        if (state === AFTER_DOT) {
          state = AFTER_DOT_CR;
        } else {
          out[length++] = CR;
          state = state === AFTER_LF_DOT ? AFTER_LF_DOT_CR : AFTER_CR;
        }
        continue;
      }
      if (octet === LF) {
        if (state === AFTER_DOT_CR) {
          this.#rest = chunk.subarray(i + 1);
          break;
        }
        if (state === AFTER_DOT || state >= AFTER_LF_DOT) this.#flaw ??= 'line-ends';
        const bare = state !== AFTER_CR && state !== AFTER_LF_DOT_CR;
        if (bare) out[length++] = CR;
        out[length++] = LF;
        state = bare ? AFTER_LF : AFTER_CRLF;
        continue;
      }
      if (isAfterCr(state)) this.#flaw ??= 'line-ends';
      out[length++] = octet;
      bits |= octet;
      state = octet === DOT && state === AFTER_LF ? AFTER_LF_DOT : IN_LINE;
    }
    this.#state = state;
    this.#bits = bits;
    return out.subarray(0, length);
  }
}

function isAfterCr(state: number): boolean {
  return state === AFTER_CR || state === AFTER_DOT_CR || state === AFTER_LF_DOT_CR;
}

/** Whether one of four octets is CR or lower: subtracting borrows through those that are. */
function mayEndLine(word: number): boolean {
  return ((word - 0x0e0e0e0e) & ~word & 0x80808080) !== 0;
}
