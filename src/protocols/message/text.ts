/**
 * What a message says, for SEARCH: its fields and its texts, decoded and folded; the same for
 * those who look into the message itself and for those who make an index of it.
 *
 * A message is decoded only as far as the questions need it: its fields are read from its header,
 * without the rest. RFC 9051 §6.4.4: substrings, without regard to case, over decoded content.
 */

import type { Buffer } from 'node:buffer';
import type { MessageTexts } from '#domain/values/facts';
import { MIME_HEADER_BYTES_MAX } from '../limits.ts';
import { decodeCharset } from './charset.ts';
import { decodeExtended } from './extended-value.ts';
import { foldText } from './fold.ts';
import { decodeWords, fieldValue, readHeader, valueOf, type Header } from './header.ts';
import { htmlTexts } from './html.ts';
import { parameterOf, parseDisposition } from './parameters.ts';
import { readStructure, type Part } from './part.ts';
import { decodeTransfer, encodingOf } from './transfer-encoding.ts';

/** Octets of a message, the fields that were added to it included. */
export interface MessageOctets {
  /** Its header; what follows does no harm. */
  header(): Buffer;
  whole(): Buffer;
}

/** RFC 9051 §6.4.4 BODY, TEXT: a folded text. */
export interface WantedText {
  readonly type: 'body-text' | 'any-text';
  readonly text: string;
}

/** A message under test; the texts that are looked for are folded. */
export class MessageText {
  readonly #octets: MessageOctets;
  #fields: readonly FieldText[] | undefined;
  #body: BodyTexts | undefined;

  constructor(octets: MessageOctets) {
    this.#octets = octets;
  }

  /** Some field of that name holds the text. */
  fieldHas(name: string, text: string): boolean {
    return this.#ownFields().some((field) => field.name === name && field.value.includes(text));
  }

  /** RFC 9051 §6.4.4 BODY: the texts, and no field of the message or of a part of it. */
  bodyHas(text: string): boolean {
    return this.#ownBody().texts.some((part) => part.includes(text));
  }

  /** RFC 9051 §6.4.4 TEXT: the fields of the message and of its parts, and the body. */
  anythingHas(text: string): boolean {
    return (
      this.#ownFields().some((field) => lineOf(field).includes(text)) ||
      this.#ownBody().partFields.some((field) => lineOf(field).includes(text)) ||
      this.bodyHas(text)
    );
  }

  has({ type, text }: WantedText): boolean {
    return type === 'body-text' ? this.bodyHas(text) : this.anythingHas(text);
  }

  #ownFields(): readonly FieldText[] {
    if (this.#fields !== undefined) return this.#fields;
    const octets = this.#octets.header();
    const end = Math.min(octets.length, MIME_HEADER_BYTES_MAX);
    return (this.#fields = fieldTexts(readHeader(octets.toString('latin1', 0, end))));
  }

  #ownBody(): BodyTexts {
    if (this.#body !== undefined) return this.#body;
    const octets = this.#octets.whole();
    return (this.#body = bodyTexts(octets, readStructure(octets), Infinity));
  }
}

/** Characters that an index takes in of one message, and octets that it decodes for them. */
const INDEXED_CHARS_MAX: number = 2 * 1024 * 1024;
const INDEXED_BYTES_MAX: number = 8 * 1024 * 1024;

/** The same texts for an index; undefined when they are too much for one. */
export function readTexts(message: Buffer): MessageTexts | undefined {
  const structure = readStructure(message);
  const { partFields, texts, isWhole } = bodyTexts(message, structure, INDEXED_BYTES_MAX);
  const fields = fieldTexts(structure.header).map(lineOf);
  const parts = partFields.map(lineOf);
  let chars = 0;
  for (const text of [...fields, ...parts, ...texts]) chars += text.length;
  return isWhole && chars <= INDEXED_CHARS_MAX ? { fields, partFields: parts, texts } : undefined;
}

/** Both folded. */
interface FieldText {
  readonly name: string;
  readonly value: string;
}

function lineOf({ name, value }: FieldText): string {
  return `${name}: ${value}`;
}

function fieldTexts(header: Header): readonly FieldText[] {
  return header.fields.map((field) => ({
    name: foldText(field.name),
    value: foldText(decodeWords(fieldValue(header, field))),
  }));
}

interface BodyTexts {
  readonly partFields: FieldText[];
  readonly texts: string[];
  /** False when there are more. */
  readonly isWhole: boolean;
}

/** What is inside the message, as far as `bytesMax` octets of texts go. */
function bodyTexts(message: Buffer, structure: Part, bytesMax: number): BodyTexts {
  const partFields: FieldText[] = fileNames(structure);
  const texts: string[] = [];
  let bytes = 0;
  const collect = (part: Part): void => {
    for (const child of part.children) {
      // The header of a message inside is text to whoever reads the one around it.
      if (part.kind === 'message') texts.push(foldText(decodeWords(child.header.text)));
      else partFields.push(...fieldTexts(child.header));
      partFields.push(...fileNames(child));
      collect(child);
    }
    if (part.kind !== 'leaf' || !isText(part)) return;
    bytes += part.bodyEnd - part.bodyStart;
    if (bytes <= bytesMax) texts.push(...partTexts(message, part));
  };
  collect(structure);
  return { partFields, texts, isWhole: bytes <= bytesMax };
}

/** Also what a delivery report says (RFC 3464): it is made to be read. */
function isText({ contentType: { type } }: Part): boolean {
  return type === 'text' || type === 'message';
}

function partTexts(message: Buffer, part: Part): readonly string[] {
  const raw = message.subarray(part.bodyStart, part.bodyEnd);
  const octets = decodeTransfer(encodingOf(part), raw) ?? raw;
  const { parameters, subtype } = part.contentType;
  const text = decodeCharset(octets, parameterOf(parameters, 'charset') ?? 'us-ascii');
  return (subtype === 'html' ? htmlTexts(text) : [text]).map(foldText);
}

/** RFC 2231 §4: names of attachments that a field holds encoded. */
function fileNames({ header, contentType }: Part): FieldText[] {
  const names = [parameterOf(contentType.parameters, 'name*')];
  const disposition = valueOf(header, 'content-disposition');
  if (disposition?.includes('*') === true) {
    names.push(parameterOf(parseDisposition(disposition)?.parameters ?? [], 'filename*'));
  }
  return names.flatMap((name) =>
    name === undefined ? [] : [{ name: 'filename', value: foldText(decodeExtended(name)) }],
  );
}
