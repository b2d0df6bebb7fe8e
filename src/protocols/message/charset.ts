/**
 * Octets of a text part as text, whatever charset its sender names.
 *
 * Never refuses: what cannot be read in the charset becomes replacement characters; a charset that
 * nobody knows is read as UTF-8.
 */

import { isUtf8, type Buffer } from 'node:buffer';
import charsets from 'libmime/lib/charset';

const UTF8 = /^utf-?8$/i;
/** What senders say who do not know: they send UTF-8 too, or what Windows wrote. */
const NAMES_NOTHING = /^(?:(?:us-)?ascii|unknown-8bit|x-unknown)$/i;

export function decodeCharset(octets: Buffer, charset: string): string {
  if (UTF8.test(charset)) return octets.toString('utf8');
  if (NAMES_NOTHING.test(charset)) {
    return isUtf8(octets)
      ? octets.toString('utf8')
      : new TextDecoder('windows-1252').decode(octets);
  }
  return knownDecoder(charset)?.decode(octets) ?? charsets.decode(octets, charset);
}

/** Those of the web; undefined for the others. */
function knownDecoder(charset: string): TextDecoder | undefined {
  try {
    return new TextDecoder(charset);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
