/**
 * The structure of a message: which octets are which part's header and body.
 *
 * One pass over the octets, whatever they are: a delimiter line of any enclosing multipart ends
 * everything inside it, so the cost follows the size and nothing else. Nothing is refused. What
 * makes no sense (no boundary, no delimiter, too deep, too many) is one text part holding all.
 *
 * Invariants: headerStart ≤ bodyStart ≤ bodyEnd; a child lies inside its parent's body, children
 * follow each other. RFC 2045, RFC 2046 §5.1, RFC 5322 §2.1.
 */

import type { Buffer } from 'node:buffer';
import {
  MIME_DEPTH_MAX,
  MIME_FALSE_BOUNDARIES_MAX,
  MIME_HEADER_BYTES_MAX,
  MIME_HEADERS_BYTES_MAX,
  MIME_PARTS_MAX,
} from '../limits.ts';
import { readHeader, valueOf, type Header } from './header.ts';
import { parameterOf, parseContentType, PLAIN_TEXT, type ContentType } from './parameters.ts';

export interface Part {
  /** Offsets in the message; the header includes its empty line. */
  readonly headerStart: number;
  readonly bodyStart: number;
  readonly bodyEnd: number;
  /** Line ends in the body. */
  readonly lines: number;
  readonly header: Header;
  readonly contentType: ContentType;
  /** A multipart has one child at least, a message exactly one, a leaf none. */
  readonly kind: 'multipart' | 'message' | 'leaf';
  readonly children: readonly Part[];
}

const LF = 10;
const CR = 13;
const SPACE = 32;
const TAB = 9;
const DASH = 45;

const NO_HEADER: Header = { text: '', fields: [] };
/** RFC 2046 §5.1.5 */
const MESSAGE: ContentType = { type: 'message', subtype: 'rfc822', parameters: [] };
/** RFC 2046 §5.1.1: a delimiter stands at the start of a line. */
const DELIMITER_START = '\n--';
/** No multipart: nothing ended by a delimiter. */
const NONE = -1;

/** Where the scan stands. */
interface Scan {
  readonly octets: Buffer;
  /** The same octets four at a time, from the first one that is aligned. */
  readonly words: Uint32Array;
  readonly wordsStart: number;
  /** Start of the next line. */
  at: number;
  /** Line ends before `at`. */
  lines: number;
  /** Boundary → level of its multipart; the innermost when two are the same. */
  readonly boundaries: Map<string, number>;
  /** Lengths that a boundary may have. */
  shortest: number;
  longest: number;
  /** The delimiter line before `at`: its level, or NONE at the end of the octets. */
  level: number;
  closing: boolean;
  /** Where that line starts, and line ends before it. */
  delimiterStart: number;
  delimiterLines: number;
  partsLeft: number;
  headerBytesLeft: number;
  falseBoundariesLeft: number;
}

/** The structure of a whole message. */
export function readStructure(octets: Buffer): Part {
  const wordsStart = -octets.byteOffset & 3;
  const wordCount = (octets.length - wordsStart) >> 2;
  const scan: Scan = {
    octets,
    words:
      wordCount > 0
        ? new Uint32Array(octets.buffer, octets.byteOffset + wordsStart, wordCount)
        : new Uint32Array(0),
    wordsStart,
    at: 0,
    lines: 0,
    boundaries: new Map(),
    shortest: Number.MAX_SAFE_INTEGER,
    longest: 0,
    level: NONE,
    closing: false,
    delimiterStart: 0,
    delimiterLines: 0,
    partsLeft: MIME_PARTS_MAX,
    headerBytesLeft: MIME_HEADERS_BYTES_MAX,
    falseBoundariesLeft: MIME_FALSE_BOUNDARIES_MAX,
  };
  return scanPart(scan, PLAIN_TEXT, 0);
}

/** Offset behind the empty line that ends the header; the length when there is none. */
export function headerEnd(octets: Buffer): number {
  for (let at = 0; at < octets.length;) {
    const next = emptyLineEnd(octets, at);
    if (next > 0) return next;
    const lineFeed = octets.indexOf(LF, at);
    if (lineFeed < 0) break;
    at = lineFeed + 1;
  }
  return octets.length;
}

/** Reads one part and leaves the scan behind the delimiter line that ended it. */
function scanPart(scan: Scan, defaultType: ContentType, depth: number): Part {
  scan.partsLeft--;
  const headerStart = scan.at;
  const complete = scanHeader(scan);
  const bodyStart = complete ? scan.at : endOf(scan, headerStart, 0).bodyEnd;
  const header = headerBetween(scan, headerStart, bodyStart);
  const field = valueOf(header, 'content-type');
  const contentType = field === undefined ? defaultType : (parseContentType(field) ?? PLAIN_TEXT);
  const kind = kindOf(contentType);
  if (!complete) {
    const children = kind === 'leaf' ? [] : [textPart(bodyStart, bodyStart, 0)];
    const body = { bodyStart, bodyEnd: bodyStart, lines: 0 };
    return { headerStart, ...body, header, contentType, kind, children };
  }
  const linesBefore = scan.lines;
  const children = scanChildren(scan, kind, contentType, depth);
  const body = endOf(scan, children.at(-1)?.bodyEnd ?? bodyStart, linesBefore);
  if (kind !== 'leaf' && children.length === 0) {
    children.push(textPart(bodyStart, body.bodyEnd, body.lines));
  }
  return { headerStart, bodyStart, ...body, header, contentType, kind, children };
}

function kindOf({ type, subtype }: ContentType): Part['kind'] {
  if (type === 'multipart') return 'multipart';
  // RFC 6532 §3.7: message/global is message/rfc822 in UTF-8.
  return type === 'message' && (subtype === 'rfc822' || subtype === 'global') ? 'message' : 'leaf';
}

/** Reads a body up to the delimiter line that ends it. */
function scanChildren(
  scan: Scan,
  kind: Part['kind'],
  contentType: ContentType,
  depth: number,
): Part[] {
  const deeper = depth < MIME_DEPTH_MAX && scan.partsLeft > 0;
  if (kind === 'message' && deeper) return [scanPart(scan, PLAIN_TEXT, depth + 1)];
  // RFC 2046 §5.1.1: a boundary does not end with white space.
  const boundary = parameterOf(contentType.parameters, 'boundary')?.trimEnd() ?? '';
  if (kind !== 'multipart' || !deeper || boundary === '') {
    scanToDelimiter(scan);
    return [];
  }
  return scanMultipart(scan, boundary, contentType.subtype === 'digest', depth);
}

function scanMultipart(scan: Scan, boundary: string, digest: boolean, depth: number): Part[] {
  const { boundaries, shortest, longest } = scan;
  const outer = boundaries.get(boundary);
  const children: Part[] = [];
  boundaries.set(boundary, depth);
  scan.shortest = Math.min(shortest, boundary.length);
  scan.longest = Math.max(longest, boundary.length);
  scanToDelimiter(scan);
  while (scan.level === depth && !scan.closing) {
    children.push(scanPart(scan, digest ? MESSAGE : PLAIN_TEXT, depth + 1));
  }
  if (outer === undefined) boundaries.delete(boundary);
  else boundaries.set(boundary, outer);
  scan.shortest = shortest;
  scan.longest = longest;
  // Our own closing delimiter: what follows, up to a delimiter of somebody around us, is epilogue.
  if (scan.level === depth) scanToDelimiter(scan);
  return children;
}

/** Stands in for what could not be taken apart. */
function textPart(bodyStart: number, bodyEnd: number, lines: number): Part {
  return {
    headerStart: bodyStart,
    bodyStart,
    bodyEnd,
    lines,
    header: NO_HEADER,
    contentType: PLAIN_TEXT,
    kind: 'leaf',
    children: [],
  };
}

/** The header's fields; what exceeds the limits is not looked at. */
function headerBetween(scan: Scan, start: number, end: number): Header {
  const bytes = Math.min(end - start, MIME_HEADER_BYTES_MAX, scan.headerBytesLeft);
  scan.headerBytesLeft -= bytes;
  return bytes === 0 ? NO_HEADER : readHeader(scan.octets.toString('latin1', start, start + bytes));
}

/**
 * RFC 2046 §5.1.1: the line end before a delimiter line is part of the delimiter, unless it is the
 * empty line of a header, which ends no sooner than `earliest`.
 */
function endOf(
  scan: Scan,
  earliest: number,
  linesBefore: number,
): { readonly bodyEnd: number; readonly lines: number } {
  const { octets } = scan;
  if (scan.level === NONE) return { bodyEnd: octets.length, lines: scan.lines - linesBefore };
  let bodyEnd = scan.delimiterStart;
  if (bodyEnd <= earliest) return { bodyEnd, lines: scan.delimiterLines - linesBefore };
  if (octets[bodyEnd - 1] === LF) bodyEnd--;
  if (bodyEnd > earliest && octets[bodyEnd - 1] === CR) bodyEnd--;
  return { bodyEnd, lines: scan.delimiterLines - linesBefore - 1 };
}

/** True behind the empty line; false when a delimiter line or the end came first. */
function scanHeader(scan: Scan): boolean {
  const { octets } = scan;
  while (scan.at < octets.length) {
    const next = emptyLineEnd(octets, scan.at);
    if (next > 0) {
      scan.at = next;
      scan.lines++;
      return true;
    }
    if (octets[scan.at] === DASH && takeDelimiter(scan, scan.at)) return false;
    const lineFeed = octets.indexOf(LF, scan.at);
    if (lineFeed < 0) break;
    scan.at = lineFeed + 1;
    scan.lines++;
  }
  scan.at = octets.length;
  scan.level = NONE;
  return false;
}

/** Offset behind the empty line at `at`; 0 when the line is not empty. */
function emptyLineEnd(octets: Buffer, at: number): number {
  if (octets[at] === LF) return at + 1;
  return octets[at] === CR && octets[at + 1] === LF ? at + 2 : 0;
}

/** Steps over lines until behind a delimiter line, or to the end. */
function scanToDelimiter(scan: Scan): void {
  const { octets } = scan;
  if (scan.boundaries.size > 0) {
    if (octets[scan.at] === DASH && takeDelimiter(scan, scan.at)) return;
    let found = octets.indexOf(DELIMITER_START, scan.at);
    while (found >= 0 && scan.falseBoundariesLeft > 0) {
      countLines(scan, found + 1);
      if (takeDelimiter(scan, found + 1)) return;
      found = octets.indexOf(DELIMITER_START, found + 1);
    }
  }
  countLines(scan, octets.length);
  scan.level = NONE;
}

/** Moves the scan to `end`. Four octets at a time, whatever the length of the lines. */
function countLines(scan: Scan, end: number): void {
  const { octets, words, wordsStart } = scan;
  let { at, lines } = scan;
  for (; at < end && (at < wordsStart || ((at - wordsStart) & 3) !== 0); at++) {
    if (octets[at] === LF) lines++;
  }
  const wordsEnd = (end - wordsStart) >> 2;
  for (let i = (at - wordsStart) >> 2; i < wordsEnd; i++) {
    const word = words[i] as number;
    if (hasLineFeed(word)) lines += lineFeedsIn(word);
  }
  for (at = Math.max(at, wordsStart + wordsEnd * 4); at < end; at++) {
    if (octets[at] === LF) lines++;
  }
  scan.at = end;
  scan.lines = lines;
}

/** Whether one of four octets is LF: subtracting borrows through those that are zero then. */
function hasLineFeed(word: number): boolean {
  const zeroes = word ^ 0x0a0a0a0a;
  return ((zeroes - 0x01010101) & ~zeroes & 0x80808080) !== 0;
}

/** How many of four octets are LF: adding carries into the sign of those that are not zero then. */
function lineFeedsIn(word: number): number {
  const zeroes = word ^ 0x0a0a0a0a;
  const signs = ~(((zeroes & 0x7f7f7f7f) + 0x7f7f7f7f) | zeroes | 0x7f7f7f7f);
  return Math.imul(signs >>> 7, 0x01010101) >>> 24;
}

/** If the line at `start` is a delimiter line, moves the scan behind it. */
function takeDelimiter(scan: Scan, start: number): boolean {
  const { octets } = scan;
  if (octets[start + 1] !== DASH || scan.falseBoundariesLeft === 0 || scan.partsLeft <= 0) {
    return false;
  }
  const lineFeed = octets.indexOf(LF, start);
  const lineEnd = lineFeed < 0 ? octets.length : lineFeed;
  let end = lineEnd;
  while (end > start && isBlank(octets[end - 1])) end--;
  const length = end - start - 2;
  if (length < scan.shortest || length > scan.longest + 2) return false;
  // The whole line is compared: a boundary may begin like another one (RFC 2046 §5.1.2).
  const line = octets.toString('latin1', start + 2, end);
  let level = scan.boundaries.get(line);
  const closing = level === undefined && line.endsWith('--');
  if (closing) level = scan.boundaries.get(line.slice(0, -2));
  if (level === undefined) {
    scan.falseBoundariesLeft--;
    return false;
  }
  scan.level = level;
  scan.closing = closing;
  scan.delimiterStart = start;
  scan.delimiterLines = scan.lines;
  scan.at = lineFeed < 0 ? lineEnd : lineEnd + 1;
  if (lineFeed >= 0) scan.lines++;
  return true;
}

function isBlank(octet: number | undefined): boolean {
  return octet === SPACE || octet === TAB || octet === CR;
}
