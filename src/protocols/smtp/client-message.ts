/**
 * A message on its way out: looked through before anything of it is sent, then cut into pieces with
 * its dots doubled.
 *
 * Invariants: only CRLF ends a line (what is a line to others but not to us could smuggle commands
 * past them); the octets are the same in every run, or the caller is told.
 *
 * RFC 5321 §2.3.8 (line ends), §4.5.2 (dots)
 */

import { Buffer, isAscii } from 'node:buffer';
import { SMTP_CLIENT_PIECE_BYTES } from '../limits.ts';

/** Gives the octets behind the prefix, from the beginning each time. */
export type BodySource = () => AsyncIterable<Uint8Array>;

/** Header fields that were put in front, then the rest. */
export interface OutgoingMessage {
  readonly prefix?: Uint8Array;
  readonly body: BodySource;
}

export interface Survey {
  readonly sizeBytes: number;
  readonly has8bit: boolean;
  /** A CR or LF that stands alone. */
  readonly hasBareLineEnd: boolean;
}

/** Runs work of the caller; it may give up waiting. */
export type Guard = <T>(work: Promise<T>) => Promise<T>;

const CR = 13;
const LF = 10;
const DOT = 46;
const DOTS: Buffer = Buffer.from('.');

/** Finds a CR or LF that stands alone, however the octets are cut. */
class LineEnds {
  isGood = true;
  #wasCr = false;

  add(chunk: Buffer): void {
    if (chunk.length === 0 || !this.isGood) return;
    let from = 0;
    if (this.#wasCr) {
      if (chunk[0] !== LF) this.isGood = false;
      from = 1;
    }
    this.#wasCr = false;
    while (this.isGood && from < chunk.length) {
      const cr = chunk.indexOf(CR, from);
      const lf = chunk.indexOf(LF, from);
      if (cr < 0 && lf < 0) return;
      if (cr >= 0 && cr === chunk.length - 1 && lf < 0) {
        this.#wasCr = true;
        return;
      }
      this.isGood = cr >= 0 && lf === cr + 1;
      from = lf + 1;
    }
  }

  end(): void {
    if (this.#wasCr) this.isGood = false;
  }
}

/** Looks through the whole message. */
export async function surveyed(message: OutgoingMessage, guard: Guard): Promise<Survey> {
  const ends = new LineEnds();
  let sizeBytes = 0;
  let has8bit = false;
  for await (const piece of pieces(message, guard)) {
    ends.add(piece);
    sizeBytes += piece.length;
    has8bit ||= !isAscii(piece);
  }
  ends.end();
  return { sizeBytes, has8bit, hasBareLineEnd: !ends.isGood };
}

/** The octets as they go over the wire, with the lone dot at their end as the last piece. */
export async function* dotted(
  message: OutgoingMessage,
  survey: Survey,
  guard: Guard,
): AsyncGenerator<{ readonly octets: Buffer; readonly isLast: boolean }> {
  const ends = new LineEnds();
  let isAtLineStart = true;
  let left = survey.sizeBytes;
  let held: Buffer[] = [];
  let heldBytes = 0;
  for await (const piece of pieces(message, guard)) {
    ends.add(piece);
    left -= piece.length;
    if (!ends.isGood || left < 0) break;
    const octets = withDots(piece, isAtLineStart);
    isAtLineStart = piece[piece.length - 1] === LF;
    if (heldBytes + octets.length > SMTP_CLIENT_PIECE_BYTES && heldBytes > 0) {
      yield { octets: Buffer.concat(held), isLast: false };
      held = [];
      heldBytes = 0;
    }
    held.push(octets);
    heldBytes += octets.length;
  }
  // The end of what is not the message must never be sent.
  if (!ends.isGood || left !== 0) throw new Error('The message has changed while it was sent.');
  const end = Buffer.from(isAtLineStart ? '.\r\n' : '\r\n.\r\n');
  yield { octets: Buffer.concat([...held, end]), isLast: true };
}

async function* pieces(message: OutgoingMessage, guard: Guard): AsyncGenerator<Buffer> {
  if (message.prefix !== undefined) yield* cut(message.prefix);
  const iterator = message.body()[Symbol.asyncIterator]();
  let isOver = false;
  try {
    for (;;) {
      const { done, value } = await guard(iterator.next());
      isOver = done === true;
      if (done === true) return;
      yield* cut(value);
    }
  } finally {
    // Who does not answer is not waited for again.
    if (!isOver) iterator.return?.().then(undefined, () => undefined);
  }
}

function* cut(octets: Uint8Array): Generator<Buffer> {
  const whole = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  for (let at = 0; at < whole.length; at += SMTP_CLIENT_PIECE_BYTES) {
    yield whole.subarray(at, at + SMTP_CLIENT_PIECE_BYTES);
  }
}

/** RFC 5321 §4.5.2 */
function withDots(piece: Buffer, isAtLineStart: boolean): Buffer {
  const parts: Buffer[] = isAtLineStart && piece[0] === DOT ? [DOTS] : [];
  let from = 0;
  for (let at = piece.indexOf('\n.'); at >= 0; at = piece.indexOf('\n.', from)) {
    parts.push(piece.subarray(from, at + 1), DOTS);
    from = at + 1;
  }
  return parts.length === 0 ? piece : Buffer.concat([...parts, piece.subarray(from)]);
}
