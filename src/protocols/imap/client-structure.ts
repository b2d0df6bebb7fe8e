/**
 * ENVELOPE and BODYSTRUCTURE of an answer, read into values.
 *
 * Invariants: the depth is bounded; what the grammar lets servers add behind what we know is read
 * over. RFC 9051 §7.5.2 and §9 (envelope, body)
 */

import { IMAP_CLIENT_NESTING_MAX } from '../limits.ts';
import { nstringText, skipValue, stringText } from './client-tokens.ts';
import type {
  BodyStructure,
  Envelope,
  EnvelopeAddress,
  MultipartStructure,
  PartStructure,
} from './client-words.ts';
import { BadSyntax, type Parser } from './parser.ts';

export function envelope(p: Parser): Envelope {
  p.expect('(');
  const date = then(p, nstringText);
  const subject = then(p, nstringText);
  const from = then(p, addresses);
  const sender = then(p, addresses);
  const replyTo = then(p, addresses);
  const to = then(p, addresses);
  const cc = then(p, addresses);
  const bcc = then(p, addresses);
  const inReplyTo = then(p, nstringText);
  const headerId = nstringText(p);
  p.expect(')');
  return { date, subject, from, sender, replyTo, to, cc, bcc, inReplyTo, headerId };
}

/** What `read` gives, and the space behind it. */
function then<Result>(p: Parser, read: (p: Parser) => Result): Result {
  const result = read(p);
  p.space();
  return result;
}

function addresses(p: Parser): readonly EnvelopeAddress[] {
  if (p.tryWord('NIL')) return [];
  const list: EnvelopeAddress[] = [];
  p.expect('(');
  do {
    p.expect('(');
    const name = then(p, nstringText);
    // RFC 5322 §4.4: source routes mean nothing any more.
    then(p, nstringText);
    const localpart = then(p, nstringText);
    const domain = nstringText(p);
    p.expect(')');
    list.push({ name, localpart, domain });
    // Some servers write spaces between addresses.
    p.trySpace();
  } while (!p.tryChar(')'));
  return list;
}

export function bodyStructure(p: Parser, depth = 0): BodyStructure {
  if (depth > IMAP_CLIENT_NESTING_MAX) throw new BadSyntax('The structure is nested too deeply.');
  p.expect('(');
  const structure = p.sees('(') ? multipart(p, depth) : part(p, depth);
  p.expect(')');
  return structure;
}

function multipart(p: Parser, depth: number): MultipartStructure {
  const parts: BodyStructure[] = [];
  do {
    parts.push(bodyStructure(p, depth + 1));
    if (p.trySpace()) break;
  } while (p.sees('('));
  const subtype = stringText(p).toLowerCase();
  const base = { type: 'multipart', subtype, parts } as const;
  if (!p.trySpace()) return base;
  return { ...base, parameters: parameters(p), ...extension(p) };
}

function part(p: Parser, depth: number): PartStructure {
  const type = then(p, stringText).toLowerCase();
  const subtype = then(p, stringText).toLowerCase();
  const mediaType = `${type}/${subtype}`;
  const base = {
    type: 'part',
    mediaType,
    parameters: then(p, parameters),
    contentId: then(p, nstringText),
    description: then(p, nstringText),
    encoding: then(p, stringText).toLowerCase(),
    sizeBytes: p.number64(),
  } as const;
  const content = typeContent(p, depth);
  if (!content.more) return { ...base, ...content.fields };
  const md5 = nstringText(p);
  return { ...base, ...content.fields, ...(md5 !== undefined && { md5 }), ...extension(p) };
}

interface TypeContent {
  readonly fields: Pick<PartStructure, 'lines' | 'message'>;
  /** Extension data follow; the space in front of them is read. */
  readonly more: boolean;
}

/**
 * What only texts and attached messages have. Told by its form and not by the media type: servers
 * do not agree on which messages they look into.
 */
function typeContent(p: Parser, depth: number): TypeContent {
  if (!p.trySpace()) return { fields: {}, more: false };
  if (p.sees('(')) {
    const enclosed = { envelope: then(p, envelope), structure: bodyStructure(p, depth + 1) };
    p.space();
    return { fields: { message: enclosed, lines: p.number64() }, more: p.trySpace() };
  }
  if (p.seesDigit()) return { fields: { lines: p.number64() }, more: p.trySpace() };
  return { fields: {}, more: true };
}

/** Disposition, language, location, and whatever later standards put behind them. */
function extension(p: Parser): Pick<PartStructure, 'disposition' | 'languages' | 'location'> {
  if (!p.trySpace()) return {};
  const disposed = disposition(p);
  const fields = { ...(disposed !== undefined && { disposition: disposed }) };
  if (!p.trySpace()) return fields;
  const spoken = languages(p);
  const more = { ...fields, ...(spoken.length > 0 && { languages: spoken }) };
  if (!p.trySpace()) return more;
  const location = nstringText(p);
  while (p.trySpace()) skipValue(p);
  return { ...more, ...(location !== undefined && { location }) };
}

function disposition(p: Parser): PartStructure['disposition'] {
  if (p.tryWord('NIL')) return undefined;
  p.expect('(');
  const type = then(p, stringText).toLowerCase();
  const result = { type, parameters: parameters(p) };
  p.expect(')');
  return result;
}

function languages(p: Parser): readonly string[] {
  if (p.sees('(')) return p.list(() => stringText(p));
  const language = nstringText(p);
  return language === undefined ? [] : [language];
}

function parameters(p: Parser): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  if (p.tryWord('NIL')) return map;
  p.list(() => {
    const name = then(p, stringText).toLowerCase();
    map.set(name, stringText(p));
  }, 'may be empty');
  return map;
}
