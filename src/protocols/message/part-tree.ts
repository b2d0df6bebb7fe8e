/**
 * The structure of a message for programs: a tree of what each part is, under the names that those
 * who ask for it know.
 *
 * Invariants: only multiparts have parts, a message inside is one leaf; a part that does not say
 * what it is is plain text. RFC 2045 §5.2, RFC 2183 §2.3, RFC 2231 §4.
 */

import type { Buffer } from 'node:buffer';
import { decodeExtended } from './extended-value.ts';
import { decodeWords, valueOf } from './header.ts';
import { parameterOf, parseDisposition, PLAIN_TEXT, type Parameter } from './parameters.ts';
import type { Part } from './part.ts';
import { decodeTransfer, encodingOf } from './transfer-encoding.ts';

export interface PartTree {
  /** In lower case. */
  readonly ContentType: string;
  /** Keys in lower case. */
  readonly ContentTypeParams: Readonly<Record<string, string>>;
  /** With its angle brackets. */
  readonly ContentID: string;
  /** In lower case, without parameters. */
  readonly ContentDisposition: string;
  readonly Filename: string;
  /** Octets behind the transfer encoding, a line end of a text as CRLF; 0 for a multipart. */
  readonly DecodedSize: number;
  readonly Parts: readonly PartTree[];
}

const LF = 10;
const CR = 13;

export function partTree(message: Buffer, part: Part): PartTree {
  const { header, contentType, kind, children } = part;
  const disposition = parseDisposition(valueOf(header, 'content-disposition') ?? '');
  const isMultipart = kind === 'multipart';
  return {
    ContentType: `${contentType.type}/${contentType.subtype}`,
    // What stands there by default was not said.
    ContentTypeParams: contentType === PLAIN_TEXT ? {} : shownParameters(contentType.parameters),
    ContentID: decodeWords(valueOf(header, 'content-id') ?? ''),
    ContentDisposition: disposition?.type ?? '',
    Filename:
      nameIn(disposition?.parameters ?? [], 'filename') ??
      nameIn(contentType.parameters, 'name') ??
      '',
    DecodedSize: isMultipart ? 0 : decodedSize(message, part),
    Parts: isMultipart ? children.map((child) => partTree(message, child)) : [],
  };
}

function shownParameters(parameters: readonly Parameter[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    parameters.map(({ name, value }) =>
      name.endsWith('*') ? [name.slice(0, -1), decodeExtended(value)] : [name, asText(value)],
    ),
  );
}

/** RFC 2231 §4 before what is written the old way: encoded words, or octets as they come. */
function nameIn(parameters: readonly Parameter[], name: string): string | undefined {
  const extended = parameterOf(parameters, `${name}*`);
  if (extended !== undefined) return decodeExtended(extended);
  const plain = parameterOf(parameters, name);
  return plain === undefined || plain === '' ? undefined : decodeWords(plain);
}

/** Octets as they come, in UTF-8 where they are that. */
function asText(value: string): string {
  return value.includes('=?') ? value : decodeWords(value);
}

function decodedSize(message: Buffer, part: Part): number {
  const raw = message.subarray(part.bodyStart, part.bodyEnd);
  const octets = decodeTransfer(encodingOf(part), raw) ?? raw;
  return part.contentType.type === 'text' ? octets.length + bareLineFeeds(octets) : octets.length;
}

function bareLineFeeds(octets: Buffer): number {
  let count = 0;
  for (let at = octets.indexOf(LF); at >= 0; at = octets.indexOf(LF, at + 1)) {
    if (octets[at - 1] !== CR) count++;
  }
  return count;
}
