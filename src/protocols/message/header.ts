/**
 * Header fields: find them, unfold them, decode their words, write them folded.
 *
 * A header is held as a string with one character per octet (latin1), so that offsets are octet
 * offsets and raw 8-bit octets survive. Malformed lines stay in place: a line that is no field
 * has the empty name. RFC 5322 §2.2, RFC 2047.
 */

import { Buffer, isUtf8 } from 'node:buffer';
import libmime from 'libmime';

/** One field with its continuation lines. Offsets count from the start of the header's text. */
export interface Field {
  /** Lower-case, without the colon; '' for a line that is no field. */
  readonly name: string;
  readonly start: number;
  readonly valueStart: number;
  /** Behind the line end of the last line. */
  readonly end: number;
}

export interface Header {
  readonly text: string;
  readonly fields: readonly Field[];
}

const TAB = 9;
const SPACE = 32;

/** The fields of a header text; the empty line that ends a header may be there or not. */
export function readHeader(text: string): Header {
  const fields: Field[] = [];
  let start = 0;
  // The next colon, wherever it is: looked for again only when passed.
  let colon = -1;
  while (start < text.length) {
    let end = lineEnd(text, start);
    if (isEmptyLine(text, start, end)) break;
    for (let first = text.charCodeAt(end); first === SPACE || first === TAB;) {
      end = lineEnd(text, end);
      first = text.charCodeAt(end);
    }
    if (colon < start) colon = indexOrEnd(text, ':', start);
    fields.push(fieldAt(text, start, colon, end));
    start = end;
  }
  return { text, fields };
}

/** Unfolded raw value of the first field of that (lower-case) name. */
export function valueOf(header: Header, name: string): string | undefined {
  for (const field of header.fields) {
    if (field.name === name) return fieldValue(header, field);
  }
  return undefined;
}

/** The text of the header, less some of its fields. */
export function withoutFields(header: Header, unwanted: (field: Field) => boolean): string {
  let text = '';
  let start = 0;
  for (const field of header.fields) {
    if (!unwanted(field)) continue;
    text += header.text.slice(start, field.start);
    start = field.end;
  }
  return text + header.text.slice(start);
}

/** Unfolded raw values of all fields of that name, joined by `, `. */
export function joinedValueOf(header: Header, name: string): string | undefined {
  let joined: string | undefined;
  for (const field of header.fields) {
    if (field.name !== name) continue;
    const value = fieldValue(header, field);
    joined = joined === undefined ? value : `${joined}, ${value}`;
  }
  return joined;
}

/** Unfolded raw value. RFC 5322 §2.2.3: line ends go, the white space behind them stays. */
export function fieldValue({ text }: Header, field: Field): string {
  let start = field.valueStart;
  let end = field.end;
  // Not trim(): what is a space of latin1 may be half of a character (à ends in one).
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  const raw = text.slice(start, end);
  return raw.includes('\n') ? raw.replace(/\r?\n/g, '') : raw;
}

/** TAB, LF, VT, FF, CR, SP. */
function isBlank(code: number): boolean {
  return code === SPACE || (code >= TAB && code <= 13);
}

/**
 * A raw value for people: encoded words decoded (RFC 2047), raw 8-bit octets read as UTF-8
 * (RFC 6532) or, where they are none, as latin1.
 */
export function decodeWords(raw: string): string {
  let text = raw;
  if (/[^\x00-\x7f]/.test(raw)) {
    const octets = Buffer.from(raw, 'latin1');
    if (isUtf8(octets)) text = octets.toString('utf8');
  }
  return text.includes('=?') ? libmime.decodeWords(text) : text;
}

const FOLD_COLUMN = 78;

/**
 * A field with its line end, folded at spaces where lines grow beyond 78 characters. The words
 * must hold no line ends.
 */
export function formatField(name: string, words: readonly string[]): string {
  let field = `${name}:`;
  let column = field.length;
  for (const word of words) {
    if (column + 1 + word.length > FOLD_COLUMN && column > name.length + 1) {
      field += '\r\n\t';
      column = 8;
    } else {
      field += ' ';
      column++;
    }
    field += word;
    column += word.length;
  }
  return `${field}\r\n`;
}

function lineEnd(text: string, start: number): number {
  return Math.min(indexOrEnd(text, '\n', start) + 1, text.length);
}

function indexOrEnd(text: string, sought: string, start: number): number {
  const index = text.indexOf(sought, start);
  return index < 0 ? text.length : index;
}

function isEmptyLine(text: string, start: number, end: number): boolean {
  const length = end - start;
  return (
    (length === 1 && text[start] === '\n') ||
    (length === 2 && text[start] === '\r' && text[start + 1] === '\n')
  );
}

function fieldAt(text: string, start: number, colon: number, end: number): Field {
  // RFC 5322 §4.5: white space before the colon is obsolete but a field all the same.
  const name = colon >= end ? '' : text.slice(start, colon).trimEnd();
  if (name === '' || /[\x00-\x20\x7f]/.test(name)) {
    return { name: '', start, valueStart: start, end };
  }
  return { name: name.toLowerCase(), start, valueStart: colon + 1, end };
}
