/**
 * Log lines: fields to `key=value` text, or to JSON.
 *
 * Invariants: a line is one line whatever the values hold; every value can be told from its
 * neighbours; what is not ASCII shows, in `"☺.example/xn--74h.example"` by its two forms; values
 * whose key speaks of a secret are never shown.
 */

import { domainToASCII } from 'node:url';
import type { LogFields } from '#protocols/ports';

type Shown = string | number | boolean;
export type LogEntry = readonly [key: string, value: Shown];

const LOG_VALUE_CHARS_MAX = 2000;
const KEY_CHARS_MAX = 40;
const ENTRIES_MAX = 50;
const CAUSES_MAX = 5;

const SECRET_KEY = /passw|secret|token|authoriz|cookie|credential|private|proof|verifier/i;
const HIDDEN = '***';

/** Fields as they may be shown; `withStacks` for lines about what went badly wrong. */
export function logEntries(fields: LogFields, withStacks: boolean): LogEntry[] {
  const entries: LogEntry[] = [];
  for (const [name, value] of Object.entries(fields).slice(0, ENTRIES_MAX)) {
    if (value === undefined) continue;
    const key = name.replaceAll(/[^A-Za-z0-9_.-]/g, '_').slice(0, KEY_CHARS_MAX) || '_';
    entries.push([key, SECRET_KEY.test(key) ? HIDDEN : shown(value)]);
    if (withStacks && value instanceof Error && value.stack !== undefined) {
      entries.push([`${key}.stack`, cut(value.stack)]);
    }
  }
  return entries;
}

/** ` key=value key=value`, with the space in front. */
export function formatLogfmt(entries: readonly LogEntry[]): string {
  let text = '';
  for (const [key, value] of entries) {
    text += ` ${key}=${typeof value === 'string' ? formatText(value) : String(value)}`;
  }
  return text;
}

/** A JSON object in ASCII; of entries with the same key the last one counts. */
export function formatJson(entries: readonly LogEntry[]): string {
  return JSON.stringify(Object.fromEntries(entries)).replaceAll(
    /[\x7f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A text as a logfmt value: bare where that is clear, quoted else. */
export function formatText(text: string): string {
  if (/^[!#-<>-[\]-~]+$/.test(text)) return text;
  if (/^[\x00-\x7f]*$/.test(text)) return `"${escaped(text, false)}"`;
  return `"${escaped(text, false)}/${asciiForm(text)}"`;
}

function shown(value: unknown): Shown {
  switch (typeof value) {
    case 'string':
      return cut(value);
    case 'number':
    case 'boolean':
      return value;
    case 'object':
      return value === null ? 'null' : cut(shownObject(value));
    default:
      return cut(String(value));
  }
}

function shownObject(value: object): string {
  if (value instanceof Uint8Array) {
    return Buffer.from(value.subarray(0, LOG_VALUE_CHARS_MAX)).toString('base64url');
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'never' : value.toISOString();
  if (value instanceof Error) return errorText(value);
  const seen = new Set<unknown>();
  const text = JSON.stringify(value, (key, inner: unknown) => {
    if (SECRET_KEY.test(key)) return HIDDEN;
    if (typeof inner === 'bigint') return String(inner);
    if (inner instanceof Error) return errorText(inner);
    if (typeof inner !== 'object' || inner === null) return inner;
    if (seen.has(inner)) return '(again)';
    seen.add(inner);
    return inner;
  });
  return text ?? '';
}

/** The sentence of an error and of what caused it, with codes. */
function errorText(error: Error): string {
  const parts: string[] = [];
  let next: unknown = error;
  while (next instanceof Error && parts.length < CAUSES_MAX) {
    const code = 'code' in next ? ` (${String(next.code)})` : '';
    parts.push(`${next.message || next.name}${code}`);
    next = next.cause;
  }
  return parts.join(': ');
}

function cut(text: string): string {
  if (text.length <= LOG_VALUE_CHARS_MAX) return text;
  return `${text.slice(0, LOG_VALUE_CHARS_MAX)}...`;
}

/** What does not show, or moves what stands beside it, is written as `\u{…}`. */
const UNSEEN = /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u;
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function escaped(text: string, asciiOnly: boolean): string {
  let out = '';
  for (const letter of text) {
    const short = SHORT_ESCAPES[letter];
    if (short !== undefined) out += short;
    else if (letter >= ' ' && letter <= '~') out += letter;
    else if (asciiOnly || UNSEEN.test(letter)) out += hexEscape(letter);
    else out += letter;
  }
  return out;
}

function hexEscape(letter: string): string {
  return `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`;
}

/** Domains with A-labels, localparts and all other text with escapes. */
function asciiForm(text: string): string {
  const at = text.lastIndexOf('@');
  const domain = text.slice(at + 1);
  const looksLikeDomain = /^[\p{L}\p{M}\p{N}\p{S}-]+(?:\.[\p{L}\p{M}\p{N}\p{S}-]+)+$/u;
  const ascii = looksLikeDomain.test(domain) ? domainToASCII(domain) : '';
  if (ascii === '') return escaped(text, true);
  return escaped(text.slice(0, at + 1), true) + ascii;
}
