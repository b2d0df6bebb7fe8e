/**
 * The octets that a section of a message names: BODY[…] and BINARY[…] of IMAP.
 *
 * Sections are slices of the message, nothing is copied but what HEADER.FIELDS picks and BINARY
 * decodes. The structure is read when a section first needs it. RFC 9051 §6.4.5.
 */

import { Buffer } from 'node:buffer';
import { unreachable } from '#domain/values/decision';
import type { Section } from '../imap/words.ts';
import { readHeader } from './header.ts';
import { headerEnd, readStructure, type Part } from './part.ts';
import { decodeTransfer, encodingOf } from './transfer-encoding.ts';

export type BinaryPart =
  | { readonly type: 'octets'; readonly octets: Uint8Array }
  /** The part has parts itself. */
  | { readonly type: 'multipart' }
  | { readonly type: 'unknown-encoding'; readonly encoding: string };

/** Octets of the message from `start` to before `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What they give is undefined when the message has no such section, and when it is gone. */
export interface Sections {
  section(section: Section): Buffer | undefined;
  /** Where it stands; with HEADER.FIELDS, where the header does from which they are picked. */
  span(section: Section): Span | undefined;
  /** RFC 9051 §6.4.5 BINARY: the part without its transfer encoding. */
  binary(part: readonly number[]): BinaryPart | undefined;
}

/** Where a part stands in its message: all that sections have to know of it. */
export interface PartExtent extends Pick<Part, 'headerStart' | 'bodyStart' | 'bodyEnd' | 'kind'> {
  readonly encoding: string;
  readonly children: readonly PartExtent[];
}

/** What sections are cut from: all that the client sees, added header fields and body. */
export interface SectionSource {
  readonly sizeBytes: number;
  /** Its beginning: the header with its empty line, and perhaps more; of a long one, less. */
  header(): Buffer | undefined;
  /** Some of it, without the rest where that is possible. */
  slice(start: number, end: number): Buffer | undefined;
  /** Where the parts stand. */
  extents(): PartExtent | undefined;
}

export function readExtents(message: Buffer): PartExtent {
  return extentsOf(readStructure(message));
}

function extentsOf(part: Part): PartExtent {
  const { headerStart, bodyStart, bodyEnd, kind } = part;
  const encoding = encodingOf(part);
  return {
    headerStart,
    bodyStart,
    bodyEnd,
    kind,
    encoding,
    children: part.children.map(extentsOf),
  };
}

/** The sections of a message that is in memory. */
export function openSections(message: Buffer): Sections {
  let extents: PartExtent | undefined;
  return sectionsOf({
    sizeBytes: message.length,
    header: () => message,
    slice: (start, end) => message.subarray(start, end),
    extents: () => (extents ??= readExtents(message)),
  });
}

export function sectionsOf(source: SectionSource): Sections {
  const cut = (span: Span | undefined): Buffer | undefined =>
    span && source.slice(span.start, span.end);
  const partAt = (path: readonly number[]): PartExtent | undefined => {
    const extents = source.extents();
    return extents && descend(extents, path);
  };
  const span = (section: Section): Span | undefined => {
    if (section.part.length === 0) return spanOf(section, () => extentOf(source));
    const part = partAt(section.part);
    if (part === undefined) return undefined;
    if (section.text === undefined) return { start: part.bodyStart, end: part.bodyEnd };
    if (section.text === 'MIME') return { start: part.headerStart, end: part.bodyStart };
    // RFC 9051 §6.4.5: HEADER and TEXT of a part are those of the message inside it.
    return spanOf(section, () => (part.kind === 'message' ? part.children[0] : undefined));
  };
  return {
    span,
    section(section) {
      const octets = cut(span(section));
      return octets && section.fields ? pickFields(octets, section) : octets;
    },
    binary(path) {
      if (path.length === 0) {
        const message = source.slice(0, source.sizeBytes);
        return message && { type: 'octets', octets: message };
      }
      const part = partAt(path);
      if (part === undefined) return undefined;
      if (part.kind === 'multipart') return { type: 'multipart' };
      const { encoding } = part;
      const encoded = cut({ start: part.bodyStart, end: part.bodyEnd });
      if (encoded === undefined) return undefined;
      const octets = decodeTransfer(encoding, encoded);
      return octets === undefined
        ? { type: 'unknown-encoding', encoding }
        : { type: 'octets', octets };
    },
  };
}

/** A part without its transfer encoding, or so much of it as was wanted. */
export interface FoundBinary {
  readonly found: BinaryPart | undefined;
  /** Of all of it; 0 without octets. */
  readonly sizeBytes: number;
}

export function findBinary(
  sections: Sections,
  part: readonly number[],
  range: Span | undefined,
): FoundBinary {
  const found = sections.binary(part);
  if (found?.type !== 'octets') return { found, sizeBytes: 0 };
  const sizeBytes = found.octets.length;
  if (range === undefined) return { found, sizeBytes };
  // A copy: the rest need not stay in memory.
  const octets = new Uint8Array(found.octets.subarray(range.start, range.end));
  return { found: { type: 'octets', octets }, sizeBytes };
}

type Extent = Pick<Part, 'headerStart' | 'bodyStart' | 'bodyEnd'>;

/** The message itself, without a look at its parts if its header tells where it ends. */
function extentOf(source: SectionSource): Extent | undefined {
  const header = source.header();
  if (header === undefined) return undefined;
  const bodyStart = headerEnd(header);
  if (bodyStart === header.length && bodyStart < source.sizeBytes) return source.extents();
  return { headerStart: 0, bodyStart, bodyEnd: source.sizeBytes };
}

/** A section of a message (not of a part) that stands there. */
function spanOf(section: Section, extent: () => Extent | undefined): Span | undefined {
  const found = extent();
  if (found === undefined) return undefined;
  const { headerStart, bodyStart, bodyEnd } = found;
  switch (section.text) {
    case undefined:
      return { start: headerStart, end: bodyEnd };
    case 'HEADER':
    case 'HEADER.FIELDS':
    case 'HEADER.FIELDS.NOT':
      return { start: headerStart, end: bodyStart };
    case 'TEXT':
      return { start: bodyStart, end: bodyEnd };
    case 'MIME':
      // RFC 9051 §9: MIME goes with a part number only; the grammar lets no other through.
      return undefined;
    default:
      return unreachable(section.text);
  }
}

/** RFC 9051 §6.4.5: the fields as they stand, in their order, and the empty line. */
function pickFields(headerOctets: Buffer, section: Section): Buffer {
  const names = new Set((section.fields ?? []).map((name) => name.toLowerCase()));
  const wanted = section.text === 'HEADER.FIELDS';
  const { text, fields } = readHeader(headerOctets.toString('latin1'));
  let picked = '';
  for (const field of fields) {
    if (names.has(field.name) === wanted) picked += text.slice(field.start, field.end);
  }
  return Buffer.from(`${picked}\r\n`, 'latin1');
}

/** RFC 9051 §6.4.5.1: the part that the numbers lead to. */
function descend(message: PartExtent, path: readonly number[]): PartExtent | undefined {
  let part: PartExtent | undefined = message;
  let container: PartExtent | undefined = message;
  for (const [step, number] of path.entries()) {
    if (container === undefined) return undefined;
    const ofMessage: boolean = step === 0 || part.kind === 'message';
    if (container.kind === 'multipart') part = container.children[number - 1];
    // A message that is no multipart has one part: its body.
    else part = ofMessage && number === 1 ? container : undefined;
    if (part === undefined) return undefined;
    // Parts of an attached message are numbered as if they were parts of the attachment.
    container = part.kind === 'message' ? part.children[0] : part;
  }
  return part;
}
