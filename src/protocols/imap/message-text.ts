/**
 * What a message says, for SEARCH: its fields and text parts, decoded and lower-cased.
 *
 * A message is decoded only as far as the questions need it.
 * RFC 9051 §6.4.4: substrings, without regard to case, over decoded content.
 */

import { decodeWords, readHeader, type Field, type Header } from '../message/header.ts';
import { parameterOf } from '../message/parameters.ts';
import { readStructure, type Part } from '../message/part.ts';
import { decodeTransfer, encodingOf } from '../message/transfer-encoding.ts';

export class MessageText {
  readonly #octets: Buffer;
  #structure: Part | undefined;
  #fields: readonly (readonly [name: string, value: string])[] | undefined;
  #texts: readonly string[] | undefined;

  constructor(octets: Buffer) {
    this.#octets = octets;
  }

  /** Some field of that name holds the text; both lower-case. */
  fieldHas(name: string, text: string): boolean {
    return this.#allFields().some(([field, value]) => field === name && value.includes(text));
  }

  bodyHas(text: string): boolean {
    return this.#allTexts().some((part) => part.includes(text));
  }

  anythingHas(text: string): boolean {
    return (
      this.#allFields().some(([name, value]) => `${name}: ${value}`.includes(text)) ||
      this.bodyHas(text)
    );
  }

  #whole(): Part {
    return (this.#structure ??= readStructure(this.#octets));
  }

  #allFields(): readonly (readonly [name: string, value: string])[] {
    return (this.#fields ??= this.#whole().header.fields.map((field) => [
      field.name,
      decodedField(this.#whole().header, field),
    ]));
  }

  #allTexts(): readonly string[] {
    if (this.#texts !== undefined) return this.#texts;
    const texts: string[] = [];
    this.#collect(this.#whole(), texts);
    return (this.#texts = texts);
  }

  #collect(part: Part, texts: string[]): void {
    for (const child of part.children) this.#collect(child, texts);
    if (part.kind === 'message') {
      // The header of a message inside is text to whoever reads the one around it.
      const header = part.children[0]?.header ?? readHeader('');
      texts.push(decodeWords(header.text).toLowerCase());
    }
    if (part.kind !== 'leaf' || part.contentType.type !== 'text') return;
    const raw = this.#octets.subarray(part.bodyStart, part.bodyEnd);
    const octets = decodeTransfer(encodingOf(part), raw) ?? raw;
    const charset = parameterOf(part.contentType.parameters, 'charset') ?? 'us-ascii';
    texts.push(decoderOf(charset).decode(octets).toLowerCase());
  }
}

function decodedField(header: Header, field: Field): string {
  const raw = header.text.slice(field.valueStart, field.end).replace(/\r?\n/g, '');
  return decodeWords(raw.trim()).toLowerCase();
}

/** US-ASCII is read as UTF-8: senders who name it often send that. */
function decoderOf(charset: string): TextDecoder {
  if (/^us-ascii$/i.test(charset)) return new TextDecoder('utf-8');
  try {
    return new TextDecoder(charset);
  } catch (error) {
    // An unknown name is no reason to find nothing.
    if (error instanceof RangeError) return new TextDecoder('utf-8');
    throw error;
  }
}
