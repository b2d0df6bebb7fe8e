/**
 * Content-Transfer-Encoding: its name, and the octets behind it.
 *
 * Decoding takes what is there: characters that do not belong are skipped or kept, nothing is
 * refused but an encoding that nobody knows. RFC 2045 §6.
 */

import { Buffer } from 'node:buffer';
import { valueOf } from './header.ts';
import type { Part } from './part.ts';

const LF = 10;
const CR = 13;
const SPACE = 32;
const TAB = 9;
const EQUALS = 61;
const DASH = 45;
const UNDERSCORE = 95;

/** Lower-case; RFC 2045 §6.1: `7bit` where nothing is said. */
export function encodingOf(part: Part): string {
  const value = valueOf(part.header, 'content-transfer-encoding');
  const name = value === undefined ? '' : /^[^\s;(]*/.exec(value)?.[0];
  return name === undefined || name === '' ? '7bit' : name.toLowerCase();
}

/** The octets that were encoded; undefined when the encoding is unknown. */
export function decodeTransfer(encoding: string, octets: Buffer): Buffer | undefined {
  switch (encoding) {
    case '7bit':
    case '8bit':
    case 'binary':
      return octets;
    case 'base64':
      return decodeBase64(octets);
    case 'quoted-printable':
      return decodeQuotedPrintable(octets);
    default:
      return undefined;
  }
}

/** RFC 2045 §6.8: characters outside the alphabet are skipped. */
function decodeBase64(octets: Buffer): Buffer {
  // Node takes these two for letters of another alphabet (base64url).
  if (octets.includes(DASH) || octets.includes(UNDERSCORE)) return decodePieces(octets);
  const padding = octets.indexOf(EQUALS);
  for (let at = padding; at >= 0 && at < octets.length; at++) {
    if ((SEXTETS[octets[at] as number] as number) < SKIPPED) return decodePieces(octets);
  }
  return Buffer.from(octets.toString('latin1'), 'base64');
}

/** Base64 with anything between, or with more behind its padding: encoded piece by piece. */
function decodePieces(octets: Buffer): Buffer {
  const decoded = Buffer.allocUnsafe(octets.length);
  let length = 0;
  let bits = 0;
  let count = 0;
  for (let at = 0; at < octets.length; at++) {
    const sextet = SEXTETS[octets[at] as number] as number;
    if (sextet < SKIPPED) {
      bits = ((bits << 6) | sextet) & 0xffff;
      count += 6;
      if (count >= 8) decoded[length++] = (bits >> (count -= 8)) & 0xff;
    } else if (octets[at] === EQUALS) {
      count = 0;
    }
  }
  return decoded.subarray(0, length);
}

const SKIPPED = 64;
/** Value of each octet in base64, SKIPPED for those outside the alphabet. */
const SEXTETS = new Uint8Array(256).fill(SKIPPED);
Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/').forEach(
  (octet, value) => {
    SEXTETS[octet] = value;
  },
);

/** RFC 2045 §6.7 */
function decodeQuotedPrintable(octets: Buffer): Buffer {
  const decoded = Buffer.allocUnsafe(octets.length);
  let length = 0;
  // What stands before this was encoded: a blank there was meant.
  let meant = 0;
  for (let at = 0; at < octets.length;) {
    const octet = octets[at] as number;
    if (octet === EQUALS) {
      const softEnd = lineEndBehindBlanks(octets, at + 1);
      const value = softEnd > 0 ? -1 : hexPairAt(octets, at + 1);
      if (softEnd > 0) {
        // RFC 2045 §6.7 (5): a soft line break.
        at = softEnd;
      } else if (value >= 0) {
        decoded[length++] = value;
        meant = length;
        at += 3;
      } else {
        // No code at all: shown as it stands.
        decoded[length++] = octet;
        at++;
      }
    } else {
      decoded[length++] = octet;
      at++;
      // RFC 2045 §6.7 (3): blanks at the end of a line were added on the way.
      if (octet === LF) length = withoutBlanks(decoded, length, meant);
    }
  }
  return decoded.subarray(0, length);
}

/** Offset behind the line end that follows blanks at `at`, or behind the last octet; else 0. */
function lineEndBehindBlanks(octets: Buffer, at: number): number {
  let end = at;
  while (octets[end] === SPACE || octets[end] === TAB) end++;
  if (octets[end] === CR && octets[end + 1] === LF) return end + 2;
  if (octets[end] === LF) return end + 1;
  return end >= octets.length ? octets.length : 0;
}

/** The octet that two hexadecimal digits say; −1 when they are none. */
function hexPairAt(octets: Buffer, at: number): number {
  const high = hexDigit(octets[at]);
  const low = hexDigit(octets[at + 1]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/** RFC 2045 §6.7 (1) wants capitals; small letters are common. */
function hexDigit(octet = 0): number {
  if (octet >= 48 && octet <= 57) return octet - 48;
  const capital = octet & 0xdf;
  return capital >= 65 && capital <= 70 ? capital - 55 : -1;
}

/** Takes blanks away that stand before the line end at the end of `decoded`, back to `from`. */
function withoutBlanks(decoded: Buffer, length: number, from: number): number {
  const lineEnd = decoded[length - 2] === CR ? length - 2 : length - 1;
  let end = lineEnd;
  while (end > from && (decoded[end - 1] === SPACE || decoded[end - 1] === TAB)) end--;
  decoded.copyWithin(end, lineEnd, length);
  return length - (lineEnd - end);
}
