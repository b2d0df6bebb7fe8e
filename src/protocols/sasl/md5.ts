/**
 * MD5 with a state that can be kept half-way, which the digests of Node do not let out: CRAM-MD5
 * keeps two states in place of the password.
 *
 * Only for that: MD5 is broken wherever somebody else chooses what is hashed.
 * RFC 1321 (MD5), RFC 2104 §4 (states of a key for HMAC).
 */

import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';

const BLOCK_BYTES = 64;
const WORDS_PER_BLOCK = 16;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** RFC 1321 §3.3: the words A, B, C, D at the start, as octets. */
const START: Buffer = Buffer.from('0123456789abcdeffedcba9876543210', 'hex');

/** RFC 1321 §3.4: how far each of the four steps of a round rotates. */
const ROTATIONS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
] as const;

const SINES: Uint32Array = Uint32Array.from({ length: 64 }, (_, i) =>
  Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32),
);

/** RFC 2104 §4: the states of MD5 behind the two padded keys, 16 octets each. */
export interface HmacStates {
  readonly inner: Buffer;
  readonly outer: Buffer;
}

/** What can be kept of a key. Whoever has it can make digests, but not the key. */
export function hmacMd5States(key: Buffer): HmacStates {
  // RFC 2104 §2: a longer key is hashed first.
  const short = key.length > BLOCK_BYTES ? createHash('md5').update(key).digest() : key;
  const padded = (pad: number): Buffer =>
    Buffer.from(Array.from({ length: BLOCK_BYTES }, (_, i) => (short[i] ?? 0) ^ pad));
  return {
    inner: afterBlock(START, padded(INNER_PAD), 0),
    outer: afterBlock(START, padded(OUTER_PAD), 0),
  };
}

/** HMAC-MD5 of a message under the key that the states were made of. */
export function hmacMd5(states: HmacStates, message: Buffer): Buffer {
  return finished(states.outer, finished(states.inner, message));
}

/** The digest of one block, of which `state` tells, and a rest. RFC 1321 §3.1, §3.2 (padding). */
function finished(state: Buffer, rest: Buffer): Buffer {
  const blocks = Math.ceil((rest.length + 9) / BLOCK_BYTES);
  const padded = Buffer.alloc(blocks * BLOCK_BYTES);
  rest.copy(padded);
  padded[rest.length] = 0x80;
  const bits = BigInt(BLOCK_BYTES + rest.length) * 8n;
  padded.writeBigUInt64LE(bits, padded.length - 8);
  let digest = state;
  for (let at = 0; at < padded.length; at += BLOCK_BYTES) digest = afterBlock(digest, padded, at);
  return digest;
}

/** RFC 1321 §3.4: the state after the block that begins at `at`. */
function afterBlock(state: Buffer, octets: Buffer, at: number): Buffer {
  const word = (i: number): number => octets.readUInt32LE(at + i * 4);
  const start = [0, 4, 8, 12].map((i) => state.readUInt32LE(i)) as [number, number, number, number];
  let [a, b, c, d] = start;
  for (let step = 0; step < 4 * WORDS_PER_BLOCK; step++) {
    const round = Math.floor(step / WORDS_PER_BLOCK);
    const [mixed, index] = mixedOf(round, step, b, c, d);
    const sum = (a + mixed + (SINES[step] ?? 0) + word(index % WORDS_PER_BLOCK)) | 0;
    const turn = ROTATIONS[round]?.[step % 4] ?? 0;
    [a, d, c, b] = [d, c, b, (b + ((sum << turn) | (sum >>> (32 - turn)))) | 0];
  }
  const after = Buffer.alloc(START.length);
  for (const [i, value] of [a, b, c, d].entries()) {
    after.writeUInt32LE((value + (start[i] ?? 0)) >>> 0, i * 4);
  }
  return after;
}

/** What a step mixes of three words, and which word of the block (modulo 16) it takes. */
function mixedOf(round: number, step: number, b: number, c: number, d: number): [number, number] {
  switch (round) {
    case 0:
      return [(b & c) | (~b & d), step];
    case 1:
      return [(b & d) | (c & ~d), 5 * step + 1];
    case 2:
      return [b ^ c ^ d, 3 * step + 5];
    default:
      return [c ^ (b | ~d), 7 * step];
  }
}
