/**
 * What each octet may be part of, one look-up per octet.
 *
 * RFC 9051 §9: ATOM-CHAR is every printable ASCII character that is not among the atom-specials.
 */

export const ATOM = 1;
/** An atom, or `]`. */
export const ASTRING = 2;
/** An astring, or one of the wildcards. */
export const LIST_CHAR = 4;
/** Letters, digits and `. - + _`: what the names of commands, items and options consist of. */
export const WORD = 8;
export const DIGIT = 16;

const CLASSES: Uint8Array = classes();

/** The classes of the character at `at`; none outside the text. */
export function classAt(text: string, at: number): number {
  return at < text.length ? (CLASSES[text.charCodeAt(at)] ?? 0) : 0;
}

function classes(): Uint8Array {
  const table = new Uint8Array(256);
  for (let code = 0x21; code < 0x7f; code++) {
    const char = String.fromCharCode(code);
    let bits = 0;
    if (!'(){%*"\\]'.includes(char)) bits |= ATOM | ASTRING | LIST_CHAR;
    if (char === ']') bits |= ASTRING | LIST_CHAR;
    if (char === '%' || char === '*') bits |= LIST_CHAR;
    if (/[A-Za-z0-9.\-+_]/.test(char)) bits |= WORD;
    if (/[0-9]/.test(char)) bits |= DIGIT;
    table[code] = bits;
  }
  return table;
}
