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
  | { readonly type: 'octets'; readonly octets: Buffer }
  /** The part has parts itself. */
  | { readonly type: 'multipart' }
  | { readonly type: 'unknown-encoding'; readonly encoding: string };

export interface Sections {
  /** Undefined when the message has no such section. */
  section(section: Section): Buffer | undefined;
  /** RFC 9051 §6.4.5 BINARY: the part without its transfer encoding. */
  binary(part: readonly number[]): BinaryPart | undefined;
}

/** Where a part stands in its message: all that sections have to know of it. */
export interface PartExtent extends Pick<Part, 'headerStart' | 'bodyStart' | 'bodyEnd' | 'kind'> {
  readonly encoding: string;
  readonly children: readonly PartExtent[];
}

/** What sections are cut from; both give undefined when the message is gone. */
export interface SectionSource {
  /** All that the client sees: added header fields and body. */
  whole(): Buffer | undefined;
  /** Some of it, without the rest where that is possible. */
  slice(start: number, end: number): Buffer | undefined;
  /** The extents of the message as it was read before. */
  readonly known: PartExtent | undefined;
  /** Hears the extents when they had to be read. */
  learn(extents: PartExtent): void;
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
  return sectionsOf({
    whole: () => message,
    slice: (start, end) => message.subarray(start, end),
    known: undefined,
    learn: () => undefined,
  });
}

export function sectionsOf(source: SectionSource): Sections {
  let extents = source.known;
  const partAt = (path: readonly number[]): PartExtent | undefined => {
    if (extents === undefined) {
      const message = source.whole();
      if (message === undefined) return undefined;
      extents = readExtents(message);
      source.learn(extents);
    }
    return descend(extents, path);
  };

  return {
    section(section) {
      if (section.part.length === 0) {
        const message = source.whole();
        if (section.text === undefined || message === undefined) return message;
        return sliceOf(source, section, { headerStart: 0, ...extentOf(message) });
      }
      const part = partAt(section.part);
      if (part === undefined) return undefined;
      if (section.text === undefined) return source.slice(part.bodyStart, part.bodyEnd);
      if (section.text === 'MIME') return source.slice(part.headerStart, part.bodyStart);
      // RFC 9051 §6.4.5: HEADER and TEXT of a part are those of the message inside it.
      const inner = part.kind === 'message' ? part.children[0] : undefined;
      return inner === undefined ? undefined : sliceOf(source, section, inner);
    },

    binary(path) {
      if (path.length === 0) {
        const message = source.whole();
        return message && { type: 'octets', octets: message };
      }
      const part = partAt(path);
      if (part === undefined) return undefined;
      if (part.kind === 'multipart') return { type: 'multipart' };
      const { encoding } = part;
      const encoded = source.slice(part.bodyStart, part.bodyEnd);
      if (encoded === undefined) return undefined;
      const octets = decodeTransfer(encoding, encoded);
      return octets === undefined
        ? { type: 'unknown-encoding', encoding }
        : { type: 'octets', octets };
    },
  };
}

type Extent = Pick<Part, 'headerStart' | 'bodyStart' | 'bodyEnd'>;

function extentOf(message: Buffer): Omit<Extent, 'headerStart'> {
  return { bodyStart: headerEnd(message), bodyEnd: message.length };
}

/** A section of a message (not of a part) that stands at `extent`. */
function sliceOf(source: SectionSource, section: Section, extent: Extent): Buffer | undefined {
  const { headerStart, bodyStart, bodyEnd } = extent;
  switch (section.text) {
    case undefined:
      return source.slice(headerStart, bodyEnd);
    case 'HEADER':
      return source.slice(headerStart, bodyStart);
    case 'TEXT':
      return source.slice(bodyStart, bodyEnd);
    case 'HEADER.FIELDS':
    case 'HEADER.FIELDS.NOT': {
      const header = source.slice(headerStart, bodyStart);
      return header && pickFields(header, section);
    }
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
