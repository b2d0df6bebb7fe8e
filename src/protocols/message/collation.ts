/**
 * Texts in the form in which they are compared: letters without case, characters without the
 * different ways to write them.
 *
 * Invariant: two texts are equal to a reader of mail if their keys are equal octets, and their
 * order is that of the octets of the keys in UTF-8.
 *
 * RFC 5051 §2 (i;unicode-casemap), which RFC 5256 §2.2 wants for SORT and THREAD
 */

/** The letters that have a title case of their own. */
const TITLE_LETTERS = 'ǅǈǋǲᾈᾉᾊᾋᾌᾍᾎᾏᾘᾙᾚᾛᾜᾝᾞᾟᾨᾩᾪᾫᾬᾭᾮᾯᾼῌῼ';

/** All their forms → the title form. */
const TITLES: ReadonlyMap<string, string> = new Map(
  Array.from(TITLE_LETTERS).flatMap((title) => [
    [title, title],
    [title.toLowerCase(), title],
    [title.toUpperCase(), title],
  ]),
);

/** RFC 5051 §2: title case, one character for one, then decomposed as far as that goes. */
export function collationKey(text: string): string {
  if (/^[\x00-\x7f]*$/.test(text)) return text.toUpperCase();
  let titled = '';
  for (const char of text) titled += titleOf(char);
  return titled.normalize('NFKD');
}

function titleOf(char: string): string {
  const title = TITLES.get(char);
  if (title !== undefined) return title;
  // The title form of these Georgian letters are they themselves.
  if (char >= '\u10d0' && char <= '\u10ff') return char;
  const upper = char.toUpperCase();
  // A letter whose capital form is several has no simple one (ß).
  return upper.length === char.length ? upper : char;
}
