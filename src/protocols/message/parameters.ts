/**
 * Content-Type and Content-Disposition: a value with parameters.
 *
 * Read leniently: comments are skipped, unquoted values may hold spaces and special characters.
 * Parameters cut into pieces are joined and stay encoded. RFC 2045 §5.1, RFC 2183, RFC 2231 §3–6.
 */

import { MIME_PARAMETERS_MAX } from '../limits.ts';

/** Octets of the value as latin1 characters; the name in lower case. */
export interface Parameter {
  readonly name: string;
  readonly value: string;
}

export interface ContentType {
  /** Lower-case, like the subtype. */
  readonly type: string;
  readonly subtype: string;
  readonly parameters: readonly Parameter[];
}

export interface Disposition {
  readonly type: string;
  readonly parameters: readonly Parameter[];
}

/** RFC 2045 §5.2: what a part is that does not say. */
export const PLAIN_TEXT: ContentType = {
  type: 'text',
  subtype: 'plain',
  parameters: [{ name: 'charset', value: 'us-ascii' }],
};

const TOKEN = /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+$/;

/** Undefined when the value does not begin with `type/subtype`. */
export function parseContentType(value: string): ContentType | undefined {
  const cursor = { text: value, at: 0 };
  const parts = takeUntil(cursor, ';').split('/', 2);
  const type = (parts[0] ?? '').trim().toLowerCase();
  const subtype = (parts[1] ?? '').trim().toLowerCase();
  if (!TOKEN.test(type) || !TOKEN.test(subtype)) return undefined;
  return { type, subtype, parameters: joinPieces(takeParameters(cursor)) };
}

/** Undefined when the value does not begin with a token. */
export function parseDisposition(value: string): Disposition | undefined {
  const cursor = { text: value, at: 0 };
  const type = takeUntil(cursor, ';').trim().toLowerCase();
  if (!TOKEN.test(type)) return undefined;
  return { type, parameters: joinPieces(takeParameters(cursor)) };
}

export function parameterOf(parameters: readonly Parameter[], name: string): string | undefined {
  return parameters.find((parameter) => parameter.name === name)?.value;
}

interface Cursor {
  readonly text: string;
  at: number;
}

/** The parameters from the semicolon on at which the cursor stands. */
function takeParameters(cursor: Cursor): Parameter[] {
  const parameters: Parameter[] = [];
  const names = new Set<string>();
  while (cursor.text[cursor.at] === ';' && parameters.length < MIME_PARAMETERS_MAX) {
    cursor.at++;
    const name = takeUntil(cursor, '=;').trim().toLowerCase();
    // A word without a value says nothing.
    if (cursor.text[cursor.at] !== '=') continue;
    cursor.at++;
    const value = takeValue(cursor);
    // Of two parameters of one name the first counts.
    if (!TOKEN.test(name) || names.has(name)) continue;
    names.add(name);
    parameters.push({ name, value });
  }
  return parameters;
}

/** The text before one of `stops` or the end, without comments. */
function takeUntil(cursor: Cursor, stops: string): string {
  const { text } = cursor;
  let taken = '';
  let start = cursor.at;
  for (; cursor.at < text.length; cursor.at++) {
    const char = text[cursor.at] as string;
    if (stops.includes(char)) break;
    // RFC 5322 §3.2.2. Inside a word a parenthesis is taken as part of it: `name=a(1).pdf`.
    if (char !== '(' || !/[\s=;]/.test(text[cursor.at - 1] ?? ' ')) continue;
    taken += text.slice(start, cursor.at);
    skipComment(cursor);
    start = cursor.at--;
  }
  return taken + text.slice(start, cursor.at);
}

/** A quoted string, or text up to the next semicolon, at which the cursor is left. */
function takeValue(cursor: Cursor): string {
  const { text } = cursor;
  while (text[cursor.at] === ' ' || text[cursor.at] === '\t') cursor.at++;
  if (text[cursor.at] !== '"') return takeUntil(cursor, ';').trim();
  let value = '';
  for (cursor.at++; cursor.at < text.length && text[cursor.at] !== '"'; cursor.at++) {
    if (text[cursor.at] === '\\') cursor.at++;
    value += text[cursor.at] ?? '';
  }
  takeUntil(cursor, ';');
  return value;
}

/** Steps over a comment and those inside it. */
function skipComment(cursor: Cursor): void {
  let depth = 0;
  for (; cursor.at < cursor.text.length; cursor.at++) {
    const char = cursor.text[cursor.at];
    if (char === '\\') cursor.at++;
    else if (char === '(') depth++;
    else if (char === ')' && --depth === 0) {
      cursor.at++;
      return;
    }
  }
}

/**
 * RFC 2231 §3: `name*0`, `name*1*`, … become one parameter, in the place of the first piece seen.
 * It is `name*`, with its charset and percent signs, when any piece is encoded (RFC 2231 §4.1);
 * RFC 2231 §6 asks IMAP servers for just that. Pieces behind a gap are left out.
 */
function joinPieces(parameters: readonly Parameter[]): readonly Parameter[] {
  if (!parameters.some(({ name }) => name.includes('*'))) return parameters;
  const pieces = new Map<string, Parameter>();
  for (const parameter of parameters) pieces.set(parameter.name, parameter);
  const joined: Parameter[] = [];
  const done = new Set<string>();
  for (const parameter of parameters) {
    const base = /^(.+)\*\d+\*?$/.exec(parameter.name)?.[1];
    if (base === undefined) joined.push(parameter);
    else if (!done.has(base)) joined.push(...piecesOf(base, pieces));
    if (base !== undefined) done.add(base);
  }
  return joined;
}

function piecesOf(base: string, pieces: ReadonlyMap<string, Parameter>): Parameter[] {
  const values: { readonly text: string; readonly encoded: boolean }[] = [];
  for (let index = 0; ; index++) {
    const plain = pieces.get(`${base}*${index}`);
    const encoded = pieces.get(`${base}*${index}*`);
    const piece = encoded ?? plain;
    if (piece === undefined) break;
    values.push({ text: piece.value, encoded: encoded !== undefined });
  }
  if (values.length === 0) return [];
  if (!values.some(({ encoded }) => encoded)) {
    return [{ name: base, value: values.map(({ text }) => text).join('') }];
  }
  const value = values.map(({ text, encoded }) => (encoded ? text : percentEncoded(text))).join('');
  // A plain first piece names no charset.
  return [{ name: `${base}*`, value: values[0]?.encoded === true ? value : `''${value}` }];
}

/** RFC 2231 §7: all but attribute-char. */
function percentEncoded(text: string): string {
  return text.replace(
    /[^!#$&+\-.0-9A-Z^_`a-z{|}~]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
