/**
 * Texts in the form in which they are searched: what a reader takes for the same is the same.
 *
 * Letters have no case (ß is ss, ς is σ), characters are decomposed (é is e and an accent, ﬁ is
 * f and i), any white space is one space, so that a phrase is found across the ends of lines, and
 * characters that nobody sees are gone. Texts and what is searched in them are folded alike.
 *
 * Invariants: what was a substring is one afterwards, but for accents cut from their letter; the
 * result never holds NUL, a lone surrogate or TEXT_BREAK.
 *
 * RFC 5051 §2 (i;unicode-casemap) as far as it says what is equal; RFC 9051 §6.4.4
 */

const NOT_ASCII = /[^\x01-\x7f]/;
/** Not to be seen: soft hyphens, joiners, byte order marks. */
const UNSEEN = /\p{Default_Ignorable_Code_Point}/gu;
/** Characters that mean nothing, or something to SQLite. */
const MEANINGLESS = /[\0\ufdd0-\ufdef\ufffe\uffff]/g;
/** White space that is more, or other, than one space: in ASCII, which is faster, and in all. */
const WIDE_ASCII_SPACE = /[\t-\r]\s*| \s+/g;
const WIDE_SPACE = /[^\S ]\s*| \s+/g;

export function foldText(text: string): string {
  if (!NOT_ASCII.test(text)) return text.toLowerCase().replace(WIDE_ASCII_SPACE, ' ');
  return text
    .toWellFormed()
    .replace(UNSEEN, '')
    .replace(MEANINGLESS, '\ufffd')
    .normalize('NFKD')
    .toUpperCase()
    .toLowerCase()
    .replaceAll('ς', 'σ')
    .normalize('NFKD')
    .replace(WIDE_SPACE, ' ');
}
