/**
 * What can be searched of an HTML text: what its reader sees, and where its links lead.
 *
 * Not a parser of HTML: tags are taken out, those that only mark letters without a trace, others
 * leave a space; the texts of links and pictures follow. One pass, whatever the text is; what is
 * never closed is text.
 */

/** Tags within a word. */
const INLINE: ReadonlySet<string> = new Set(
  (
    'a abbr acronym b bdi bdo big code del em font i ins kbd mark nobr o:p q s samp small span ' +
    'strike strong sub sup tt u var wbr'
  ).split(' '),
);
/** Elements of which nothing is seen. */
const HIDDEN: ReadonlySet<string> = new Set(['script', 'style', 'template']);

const TAG_NAME = /^<\/?([a-z][^\s/>]*)/i;
const ATTRIBUTE = /\s(?:href|src|alt|title|value)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/gi;
/** Longer ones hold pictures. */
const ATTRIBUTE_CHARS_MAX = 4096;

/** What is seen first, then one text for each attribute. */
export function htmlTexts(html: string): readonly string[] {
  const ends = new Ends(html);
  const attributes: string[] = [];
  let seen = '';
  let at = 0;
  for (let open = html.indexOf('<'); open >= 0; open = html.indexOf('<', at)) {
    const close = endOfMarkup(ends, open);
    if (close < 0) {
      // No tag: a sign that stands for itself.
      seen += html.slice(at, open + 1);
      at = open + 1;
      continue;
    }
    seen += html.slice(at, open);
    const markup = html.slice(open, close);
    const name = TAG_NAME.exec(markup)?.[1]?.toLowerCase() ?? '';
    if (name !== '' && !INLINE.has(name)) seen += ' ';
    if (name !== '' && markup.includes('=')) collectAttributes(markup, attributes);
    const hides = HIDDEN.has(name) && !markup.startsWith('</');
    at = hides ? ends.before(`</${name}`, close) : close;
  }
  return [seen + html.slice(at), ...attributes].map(decodeEntities);
}

/** Finds ends; what is not there is looked for only once. */
class Ends {
  /** With small letters, in their places. */
  readonly text: string;
  readonly #missing = new Set<string>();

  constructor(html: string) {
    this.text = html.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  }

  /** Offset behind the next `end`, written small; −1 when there is none. */
  behind(end: string, from: number): number {
    if (this.#missing.has(end)) return -1;
    const index = this.text.indexOf(end, from);
    if (index < 0) this.#missing.add(end);
    return index < 0 ? -1 : index + end.length;
  }

  /** Offset of the next `end`; `from` when there is none. */
  before(end: string, from: number): number {
    return Math.max(from, this.behind(end, from) - end.length);
  }
}

/** Offset behind the tag or comment that begins at `open`; −1 when none begins or ends. */
function endOfMarkup(ends: Ends, open: number): number {
  if (ends.text.startsWith('<!--', open)) return ends.behind('-->', open + 4);
  return /[a-z/!?]/.test(ends.text.charAt(open + 1)) ? ends.behind('>', open) : -1;
}

function collectAttributes(tag: string, attributes: string[]): void {
  for (const [, double, single, bare] of tag.matchAll(ATTRIBUTE)) {
    const value = double ?? single ?? bare ?? '';
    if (value !== '' && value.length <= ATTRIBUTE_CHARS_MAX) attributes.push(value);
  }
}

/** U+00A0 … U+00FF, in this order. */
const LATIN1 =
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn ' +
  'sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave ' +
  'Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ' +
  'ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN ' +
  'szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave ' +
  'iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ' +
  'ucirc uuml yacute thorn yuml';

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ...LATIN1.split(' ').map((name, i): [string, string] => [name, String.fromCharCode(0xa0 + i)]),
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['OElig', 'Œ'],
  ['oelig', 'œ'],
  ['Scaron', 'Š'],
  ['scaron', 'š'],
  ['Zcaron', 'Ž'],
  ['zcaron', 'ž'],
  ['ensp', ' '],
  ['emsp', ' '],
  ['thinsp', ' '],
  ['zwnj', '\u200c'],
  ['zwj', '\u200d'],
  ['ndash', '–'],
  ['mdash', '—'],
  ['lsquo', '‘'],
  ['rsquo', '’'],
  ['sbquo', '‚'],
  ['ldquo', '“'],
  ['rdquo', '”'],
  ['bdquo', '„'],
  ['bull', '•'],
  ['hellip', '…'],
  ['lsaquo', '‹'],
  ['rsaquo', '›'],
  ['euro', '€'],
  ['trade', '™'],
]);

/** Those that HTML 4 has for Latin letters and for punctuation, and numbers. */
export function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z][a-z\d]{1,7}));/gi, decodeEntity);
}

function decodeEntity(
  entity: string,
  decimal: string | undefined,
  hex: string | undefined,
  name: string | undefined,
): string {
  if (name !== undefined) return ENTITIES.get(name) ?? entity;
  const code = decimal === undefined ? parseInt(hex ?? '', 16) : Number(decimal);
  return code <= 0x10ffff ? String.fromCodePoint(code) : entity;
}
