/**
 * The first words of a message, for lists: what its sender wrote, without what he quotes.
 *
 * The first text that has words is taken, a plain one before its HTML form. Left out are quoted
 * lines with the line that introduces them, the signature, forwarded headers, rules made of
 * characters, and attachments.
 *
 * Invariant: at most PREVIEW_CHARS characters, none of them a control.
 * RFC 8970 §2, §4; RFC 3676 §4.3 (signature), §4.5 (quoting)
 */

import type { Buffer } from 'node:buffer';
import { decodeCharset } from './charset.ts';
import { valueOf } from './header.ts';
import { decodeEntities } from './html.ts';
import { parameterOf, parseDisposition } from './parameters.ts';
import { readStructure, type Part } from './part.ts';
import { decodeTransfer, encodingOf } from './transfer-encoding.ts';

export const PREVIEW_CHARS = 200;
/** Octets of a text that are decoded; words rarely come later, styles often go so far. */
const DECODED_BYTES: number = 256 * 1024;
/** Characters of a text that are looked at. */
const READ_CHARS: number = 16 * 1024;
/** Texts that are looked at: whoever has more says nothing with them. */
const TEXTS_MAX = 10;

/** '' when the message has no words. */
export function readPreview(message: Buffer): string {
  const texts: Part[] = [];
  collectTexts(readStructure(message), texts);
  for (const part of texts.slice(0, TEXTS_MAX)) {
    const words = firstWords(linesOf(message, part));
    if (words !== '') return words;
  }
  return '';
}

/** The texts that are meant to be read, the best first. */
function collectTexts(part: Part, texts: Part[]): void {
  if (isAttachment(part)) return;
  if (part.kind === 'multipart') {
    const { subtype } = part.contentType;
    // RFC 2046 §5.1.4: all say the same; plain text is nearest to what was written.
    const isChoice = subtype === 'alternative';
    const children = isChoice ? part.children.toSorted(plainFirst) : part.children;
    for (const child of children) collectTexts(child, texts);
    return;
  }
  const { type, subtype } = part.contentType;
  const isText = type === 'text' && (subtype === 'plain' || subtype === 'html');
  if (part.kind === 'leaf' && isText) texts.push(part);
}

function plainFirst(a: Part, b: Part): number {
  return Number(isPlain(b)) - Number(isPlain(a));
}

function isPlain({ contentType: { type, subtype } }: Part): boolean {
  return type === 'text' && subtype === 'plain';
}

function isAttachment({ header }: Part): boolean {
  const value = valueOf(header, 'content-disposition');
  return value !== undefined && parseDisposition(value)?.type === 'attachment';
}

function linesOf(message: Buffer, part: Part): readonly string[] {
  const end = Math.min(part.bodyEnd, part.bodyStart + DECODED_BYTES);
  const raw = message.subarray(part.bodyStart, end);
  const octets = decodeTransfer(encodingOf(part), raw) ?? raw;
  const { parameters, subtype } = part.contentType;
  const text = decodeCharset(octets, parameterOf(parameters, 'charset') ?? 'us-ascii');
  const plain = subtype === 'html' ? seenText(text) : text;
  return plain.slice(0, READ_CHARS).split(/\r\n|[\r\n]/);
}

const QUOTED = /^\s*>/;
const SIGNATURE = /^--\s?$/;
const HAS_WORDS = /[\p{L}\p{N}\p{Extended_Pictographic}]/u;

/** The lines that were written for this message, as one. */
function firstWords(lines: readonly string[]): string {
  const words: string[] = [];
  let chars = 0;
  for (const [i, line] of lines.entries()) {
    if (SIGNATURE.test(line) || isDivider(line)) break;
    if (QUOTED.test(line) || !HAS_WORDS.test(line) || introducesQuote(lines, i)) continue;
    words.push(line);
    chars += line.length;
    // Twice as many: much of it may be space.
    if (chars > 2 * PREVIEW_CHARS && tidy(words).length > 2 * PREVIEW_CHARS) break;
  }
  return cut(tidy(words));
}

/** What clients put between an answer and the message that it answers. */
function isDivider(line: string): boolean {
  const text = line.trim();
  if (text.startsWith('--') && text.endsWith('--')) return HAS_WORDS.test(text);
  return text.length >= 10 && /^_+$/.test(text);
}

/** True for `On Monday, Bob wrote:` before a quoted line. */
function introducesQuote(lines: readonly string[], at: number): boolean {
  if (!/:\s*$/.test(lines[at] ?? '') && !/:\s*$/.test(lines[at + 1] ?? '')) return false;
  let next = at;
  // The introduction may be broken into two lines.
  if (!/:\s*$/.test(lines[at] ?? '')) next++;
  do next++;
  while (next < lines.length && /^\s*$/.test(lines[next] ?? ''));
  return QUOTED.test(lines[next] ?? '');
}

/** Characters without width, with which some fill what lists show, and turns of direction. */
const UNSEEN = /\u034f|[\u00ad\u200b\u200c\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g;

function tidy(words: readonly string[]): string {
  return words
    .join(' ')
    .replace(UNSEEN, '')
    .replace(/[\p{Cc}\p{Cs}\p{Z}]+/gu, ' ')
    .trim();
}

/** At most PREVIEW_CHARS characters, counted as Unicode does. */
function cut(text: string): string {
  if (text.length <= PREVIEW_CHARS) return text;
  return Array.from(text).slice(0, PREVIEW_CHARS).join('').trimEnd();
}

/** Tags within a word. */
const INLINE: ReadonlySet<string> = new Set(
  (
    'a abbr b bdi bdo big cite code del em font i ins kbd mark q s small span strike strong sub ' +
    'sup tt u var wbr'
  ).split(' '),
);
/** Elements of which nothing is seen. */
const HIDDEN: ReadonlySet<string> = new Set(['script', 'style', 'template', 'title']);
const TAG_NAME = /<(\/?[a-z][^\s/>]{0,20})/iy;

/** What the reader of an HTML text sees, in lines; a quotation becomes one quoted line. */
function seenText(html: string): string {
  let text = '';
  let quotes = 0;
  let at = 0;
  while (at < html.length && text.length < READ_CHARS) {
    const open = html.indexOf('<', at);
    if (quotes === 0) text += html.slice(at, open < 0 ? undefined : open).replace(/[\r\n]+/g, ' ');
    if (open < 0) break;
    const tag = tagAt(html, open);
    if (tag.type === 'none') {
      if (quotes === 0) text += '<';
      at = open + 1;
      continue;
    }
    at = tag.end;
    if (tag.name === 'blockquote' && quotes++ === 0) text += '\n>\n';
    else if (tag.name === '/blockquote') quotes = Math.max(quotes - 1, 0);
    if (quotes === 0 && tag.name !== '' && !INLINE.has(tag.name.replace('/', ''))) text += '\n';
  }
  return decodeEntities(text);
}

type Tag =
  | { readonly type: 'none' }
  | { readonly type: 'tag'; /** '' for a comment */ readonly name: string; readonly end: number };

/** What begins at `open`; what has no end reaches to the end of the text. */
function tagAt(html: string, open: number): Tag {
  const behind = (end: string, from: number): number => {
    const index = html.indexOf(end, from);
    return index < 0 ? html.length : index + end.length;
  };
  if (html.startsWith('<!--', open)) return { type: 'tag', name: '', end: behind('-->', open + 4) };
  TAG_NAME.lastIndex = open;
  const name = TAG_NAME.exec(html)?.[1]?.toLowerCase();
  if (name === undefined) {
    const isMarkup = html.charAt(open + 1) === '!' || html.charAt(open + 1) === '?';
    return isMarkup ? { type: 'tag', name: '', end: behind('>', open) } : { type: 'none' };
  }
  const end = behind('>', open);
  if (!HIDDEN.has(name)) return { type: 'tag', name, end };
  const close = new RegExp(`</${name}`, 'gi');
  close.lastIndex = end;
  const closing = close.exec(html);
  return { type: 'tag', name, end: closing === null ? html.length : behind('>', closing.index) };
}
