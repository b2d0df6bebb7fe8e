/**
 * Small questions about text that names and addresses share.
 */

/** Octets of the text in UTF-8. Surrogates without a partner count as the three of U+FFFD. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** A noncharacter that stands between folded texts and in none of them. */
export const TEXT_BREAK = '\ufdd0';

/** As much of the beginning as has so many octets in UTF-8, in whole characters. */
export function firstOctets(text: string, bytesMax: number): string {
  if (text.length * 3 <= bytesMax) return text;
  let bytes = 0;
  let end = 0;
  for (const char of text) {
    bytes += utf8Length(char);
    if (bytes > bytesMax) break;
    end += char.length;
  }
  return text.slice(0, end);
}
