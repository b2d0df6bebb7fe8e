/**
 * Texts that must not be longer than so many octets, cut between characters.
 */

import type { Buffer } from 'node:buffer';

/** The first octets of UTF-8 as text; a character that would be cut in two is left out. */
export function cutUtf8(octets: Buffer, bytesMax: number): string {
  if (octets.length <= bytesMax) return octets.toString('utf8');
  let end = bytesMax;
  // RFC 3629 §3: octets that go on with a character begin with the bits 10, three at most.
  while (end > bytesMax - 3 && isContinuation(octets[end])) end--;
  return octets.toString('utf8', 0, isContinuation(octets[end]) ? bytesMax : end);
}

function isContinuation(octet: number | undefined): boolean {
  return octet !== undefined && (octet & 0xc0) === 0x80;
}
