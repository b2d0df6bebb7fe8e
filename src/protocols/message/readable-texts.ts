/**
 * What a message says to its reader, for programs: its plain text and its HTML text.
 *
 * A message that is a text is that text. Of a choice (multipart/alternative) both forms are taken,
 * the last of each; of other multiparts the first text there is; where there is none, what is
 * deeper is looked at in the same way, one child after the other. Attachments count only where
 * nothing else says anything.
 *
 * Invariants: each text is valid, has at most READABLE_BYTES_MAX octets in UTF-8 with its line ends
 * as in mail, and then LF for each of them. RFC 2046 §5.1.4.
 */

import { Buffer } from 'node:buffer';
import { decodeCharset } from './charset.ts';
import { cutUtf8 } from './cut.ts';
import { valueOf } from './header.ts';
import { parameterOf, parseDisposition } from './parameters.ts';
import type { Part } from './part.ts';
import { decodeTransfer, encodingOf } from './transfer-encoding.ts';

/** Of each text. */
export const READABLE_BYTES_MAX: number = 1024 * 1024;
/** Octets that are decoded for a text: no encoding or charset that is in use needs more. */
const ENCODED_BYTES_MAX: number = 8 * READABLE_BYTES_MAX;

/** '' where there is no such text. */
export interface ReadableTexts {
  readonly text: string;
  readonly html: string;
}

interface Found {
  readonly plain?: Part | undefined;
  readonly html?: Part | undefined;
}

export function readableTexts(message: Buffer, structure: Part): ReadableTexts {
  const { plain, html } = isReadable(structure)
    ? only(structure)
    : (textsIn(structure, isWritten) ?? textsIn(structure, isReadable) ?? {});
  return {
    text: plain === undefined ? '' : textOf(message, plain),
    html: html === undefined ? '' : textOf(message, html),
  };
}

/** Undefined when there is none of those that count. */
function textsIn(part: Part, counts: (child: Part) => boolean): Found | undefined {
  // A message inside is somebody else's.
  if (part.kind !== 'multipart') return undefined;
  const texts = part.children.filter(counts);
  const [first] = texts;
  if (first !== undefined) {
    return part.contentType.subtype === 'alternative' ? bothOf(texts) : only(first);
  }
  for (const child of part.children) {
    const found = textsIn(child, counts);
    if (found !== undefined) return found;
  }
  return undefined;
}

function bothOf(texts: readonly Part[]): Found {
  return { plain: texts.findLast((part) => !isHtml(part)), html: texts.findLast(isHtml) };
}

function only(part: Part): Found {
  return isHtml(part) ? { html: part } : { plain: part };
}

function isReadable({ kind, contentType: { type, subtype } }: Part): boolean {
  return kind === 'leaf' && type === 'text' && (subtype === 'plain' || subtype === 'html');
}

function isWritten(part: Part): boolean {
  const disposition = valueOf(part.header, 'content-disposition') ?? '';
  return isReadable(part) && parseDisposition(disposition)?.type !== 'attachment';
}

function isHtml({ contentType }: Part): boolean {
  return contentType.subtype === 'html';
}

function textOf(message: Buffer, part: Part): string {
  const end = Math.min(part.bodyEnd, part.bodyStart + ENCODED_BYTES_MAX);
  const raw = message.subarray(part.bodyStart, end);
  const octets = decodeTransfer(encodingOf(part), raw) ?? raw;
  const charset = parameterOf(part.contentType.parameters, 'charset') ?? 'us-ascii';
  const text = Buffer.from(decodeCharset(octets, charset));
  return cutUtf8(text, READABLE_BYTES_MAX).replaceAll('\r\n', '\n');
}
