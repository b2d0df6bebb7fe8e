/**
 * What FETCH asks for: items, macros, sections and modifiers; and how answers name the items.
 *
 * RFC 9051 §6.4.5 and §9 (fetch-att, section), RFC 3516 (BINARY), RFC 7162 §3.1.4.1, §3.2.6,
 * RFC 8474 §5.3, RFC 8514 §4.2, RFC 8970 §3, RFC 9394 §3.3
 */

import { BadSyntax, type Parser } from './parser.ts';
import { resultRange } from './partial.ts';
import { astring } from './writer.ts';
import type { ModSeq } from '#domain/values/ids';
import type { FetchItem, FetchWords, Partial, ResultRange, Section } from './words.ts';

type PlainName = Extract<FetchItem, { readonly type: 'UID' | 'RFC822' }>['type'];

const PLAIN_ITEMS: Readonly<Record<PlainName, true>> = {
  UID: true,
  FLAGS: true,
  INTERNALDATE: true,
  'RFC822.SIZE': true,
  ENVELOPE: true,
  BODY: true,
  BODYSTRUCTURE: true,
  MODSEQ: true,
  SAVEDATE: true,
  EMAILID: true,
  THREADID: true,
  RFC822: true,
  'RFC822.HEADER': true,
  'RFC822.TEXT': true,
};

function isPlainName(name: string): name is PlainName {
  return Object.hasOwn(PLAIN_ITEMS, name);
}

/** RFC 9051 §6.4.5: a macro stands alone, never inside a list. */
const MACROS: Readonly<Record<string, readonly FetchItem[]>> = {
  FAST: [{ type: 'FLAGS' }, { type: 'INTERNALDATE' }, { type: 'RFC822.SIZE' }],
  ALL: [{ type: 'FLAGS' }, { type: 'INTERNALDATE' }, { type: 'RFC822.SIZE' }, { type: 'ENVELOPE' }],
  FULL: [
    { type: 'FLAGS' },
    { type: 'INTERNALDATE' },
    { type: 'RFC822.SIZE' },
    { type: 'ENVELOPE' },
    { type: 'BODY' },
  ],
};

/** FETCH and UID FETCH. */
export function fetch(p: Parser): FetchWords {
  p.space();
  const set = p.sequenceSet();
  p.space();
  const items = p.sees('(') ? p.list(() => fetchItem(p, p.word())) : itemOrMacro(p);
  const modified = p.trySpace() ? modifiers(p) : { vanished: false };
  p.end();
  return { set, items: withoutRepeats(items), ...modified };
}

function itemOrMacro(p: Parser): readonly FetchItem[] {
  const name = p.word();
  const macro = Object.hasOwn(MACROS, name) ? MACROS[name] : undefined;
  return macro ?? [fetchItem(p, name)];
}

/** Items in parentheses. */
export function fetchItems(p: Parser): readonly FetchItem[] {
  return withoutRepeats(p.list(() => fetchItem(p, p.word())));
}

/** One item, whose name is read already. */
function fetchItem(p: Parser, name: string): FetchItem {
  const bracket = p.sees('[');
  if (bracket) {
    switch (name) {
      case 'BODY':
      case 'BODY.PEEK':
        return withPartial(p, { type: 'SECTION', peek: name !== 'BODY', section: section(p) });
      case 'BINARY':
      case 'BINARY.PEEK':
        return withPartial(p, { type: 'BINARY', peek: name !== 'BINARY', part: binaryPart(p) });
      case 'BINARY.SIZE':
        return { type: 'BINARY.SIZE', part: binaryPart(p) };
    }
  }
  if (name === 'PREVIEW') return { type: 'PREVIEW', lazy: lazy(p) };
  if (bracket || !isPlainName(name)) throw new BadSyntax('The item is not known.');
  return { type: name };
}

function withPartial<Item extends FetchItem>(
  p: Parser,
  item: Item,
): Item & { readonly partial?: Partial } {
  const partial = p.tryPartial();
  return partial === undefined ? item : { ...item, partial };
}

/** RFC 8970 §3.1: `PREVIEW (LAZY)`; a list behind PREVIEW may also be that of the modifiers. */
function lazy(p: Parser): boolean {
  return p.tryText(' (LAZY)');
}

/** RFC 9051 §9 section, with its brackets. */
export function section(p: Parser): Section {
  p.expect('[');
  const part = partNumbers(p);
  let text: string | undefined;
  if (part.length === 0) {
    if (!p.sees(']')) text = p.word();
  } else if (p.tryChar('.')) {
    text = p.word();
  }
  const result = sectionOf(p, part, text);
  p.expect(']');
  return result;
}

function sectionOf(p: Parser, part: readonly number[], text: string | undefined): Section {
  switch (text) {
    case undefined:
      return { part };
    case 'HEADER':
    case 'TEXT':
      return { part, text };
    case 'MIME':
      // RFC 9051 §6.4.5.1: the whole message has a header, not a MIME header.
      if (part.length === 0) throw new BadSyntax('MIME needs a part number.');
      return { part, text };
    case 'HEADER.FIELDS':
    case 'HEADER.FIELDS.NOT':
      p.space();
      return { part, text, fields: p.list(() => fieldName(p)) };
    default:
      throw new BadSyntax('The section is not known.');
  }
}

/** `1.2.3`; stops before the dot that leads to a name. RFC 9051 §9 section-part */
function partNumbers(p: Parser): number[] {
  const part: number[] = [];
  if (!p.seesDigit()) return part;
  do part.push(p.nzNumber());
  while (p.seesDigit(1) && p.tryChar('.'));
  return part;
}

/** RFC 9051 §9 section-binary, with its brackets. */
export function binaryPart(p: Parser): number[] {
  p.expect('[');
  const part = partNumbers(p);
  p.expect(']');
  return part;
}

/** RFC 5322 §3.6.8: printable ASCII without the colon. */
function fieldName(p: Parser): string {
  const name = p.astring();
  if (!/^[!-9;-~]+$/.test(name)) throw new BadSyntax('Expected the name of a header field.');
  return name;
}

function modifiers(p: Parser): Pick<FetchWords, 'changedSince' | 'vanished' | 'window'> {
  let changedSince: ModSeq | undefined;
  let window: ResultRange | undefined;
  let vanished = false;
  p.list(() => {
    if (changedSince === undefined && p.tryWord('CHANGEDSINCE')) {
      p.space();
      // not RFC 7162 §7: zero is no mod-sequence there, but iOS sends it and means everything.
      changedSince = p.modSeqOrZero();
    } else if (!vanished && p.tryWord('VANISHED')) {
      vanished = true;
    } else if (window === undefined && p.tryWord('PARTIAL')) {
      p.space();
      window = resultRange(p);
    } else {
      throw new BadSyntax('The modifier is not known, or occurs twice.');
    }
  });
  // RFC 7162 §3.2.6
  if (vanished && changedSince === undefined) throw new BadSyntax('VANISHED needs CHANGEDSINCE.');
  return {
    vanished,
    ...(changedSince !== undefined && { changedSince }),
    ...(window !== undefined && { window }),
  };
}

/** Asked twice is answered once: a short command cannot ask for one body a thousand times. */
function withoutRepeats(items: readonly FetchItem[]): readonly FetchItem[] {
  const byWords = new Map<string, FetchItem>();
  for (const item of items) {
    const words = formatFetchItem(item);
    if (!byWords.has(words)) byWords.set(words, item);
  }
  return byWords.size === items.length ? items : [...byWords.values()];
}

/** The item as a command asks for it. */
export function formatFetchItem(item: FetchItem): string {
  const range =
    'partial' in item && item.partial !== undefined
      ? `<${item.partial.start}.${item.partial.length}>`
      : '';
  switch (item.type) {
    case 'PREVIEW':
      return item.lazy ? 'PREVIEW (LAZY)' : 'PREVIEW';
    case 'SECTION':
      return `BODY${item.peek ? '.PEEK' : ''}[${sectionText(item.section)}]${range}`;
    case 'BINARY':
      return `BINARY${item.peek ? '.PEEK' : ''}[${item.part.join('.')}]${range}`;
    case 'BINARY.SIZE':
      return `BINARY.SIZE[${item.part.join('.')}]`;
    default:
      return item.type;
  }
}

/** The name of the item in an answer: `BODY[HEADER.FIELDS (From To)]<0>`. RFC 9051 §7.5.2 */
export function fetchItemName(item: FetchItem): string {
  switch (item.type) {
    case 'SECTION':
      return `BODY[${sectionText(item.section)}]${origin(item.partial)}`;
    case 'BINARY':
      return `BINARY[${item.part.join('.')}]${origin(item.partial)}`;
    case 'BINARY.SIZE':
      return `BINARY.SIZE[${item.part.join('.')}]`;
    case 'PREVIEW':
      return 'PREVIEW';
    default:
      return item.type;
  }
}

function origin(partial: Partial | undefined): string {
  return partial === undefined ? '' : `<${partial.start}>`;
}

function sectionText(section: Section): string {
  const path = section.part.join('.');
  const text = section.text ?? '';
  const fields = section.fields === undefined ? '' : ` (${section.fields.map(astring).join(' ')})`;
  return `${path}${path !== '' && text !== '' ? '.' : ''}${text}${fields}`;
}
