/**
 * The words of SCRAM: messages of comma-separated attributes, read strictly.
 *
 * Diagnostics: whatever is not well-formed throws `BadMessage`, caught where the exchange takes a
 * message; the sentence may be told to the peer.
 * RFC 5802 §5.1 (attributes) and §7 (grammar).
 */

import { Buffer, isUtf8 } from 'node:buffer';

/** RFC 7677 §4: 4096 at least. A server may not make us work for minutes either. */
const ITERATIONS_MIN = 4096;
const ITERATIONS_MAX = 1_000_000;

export class BadMessage extends Error {}

export interface ClientFirst {
  /** gs2-header as sent, with its two commas. */
  readonly header: string;
  readonly binding: string;
  readonly asWhom: string;
  readonly bare: string;
  readonly login: string;
  readonly nonce: string;
}

export function parseClientFirst(text: string): ClientFirst {
  const [binding = '', asWhomPart = '', ...bareParts] = text.split(',');
  if (!/^(?:[ny]|p=[A-Za-z0-9.-]+)$/.test(binding)) {
    throw new BadMessage('The message does not begin with a channel binding flag.');
  }
  const asWhom = asWhomPart === '' ? '' : nameOf(valueOf(asWhomPart, 'a'));
  if (bareParts[0]?.startsWith('m=')) {
    throw new BadMessage('Extensions that must be understood are not.');
  }
  const login = nameOf(valueOf(bareParts[0], 'n'));
  const nonce = nonceOf(valueOf(bareParts[1], 'r'));
  const bare = bareParts.join(',');
  return { header: `${binding},${asWhomPart},`, binding, asWhom, bare, login, nonce };
}

export interface ClientFinal {
  readonly bound: Buffer;
  readonly nonce: string;
  readonly proof: Buffer;
  readonly withoutProof: string;
}

export function parseClientFinal(text: string): ClientFinal {
  // Extensions may stand between nonce and proof; the proof is last.
  const parts = text.split(',');
  const proof = base64Of(valueOf(parts.pop(), 'p'));
  const bound = base64Of(valueOf(parts[0], 'c'));
  const nonce = nonceOf(valueOf(parts[1], 'r'));
  return { bound, nonce, proof, withoutProof: parts.join(',') };
}

export interface ServerFirst {
  readonly nonce: string;
  readonly salt: Buffer;
  readonly iterations: number;
}

export function parseServerFirst(text: string): ServerFirst {
  const parts = text.split(',');
  const nonce = nonceOf(valueOf(parts[0], 'r'));
  const salt = base64Of(valueOf(parts[1], 's'));
  const count = valueOf(parts[2], 'i');
  const iterations = /^[1-9][0-9]{0,8}$/.test(count) ? Number(count) : 0;
  if (iterations < ITERATIONS_MIN || iterations > ITERATIONS_MAX) {
    throw new BadMessage('The number of iterations is out of bounds.');
  }
  return { nonce, salt, iterations };
}

export function textOf(message: Buffer): string {
  if (!isUtf8(message) || message.includes(0)) throw new BadMessage('The message is not text.');
  return message.toString('utf8');
}

/** The value of an attribute that must stand here, or (not `needed`) may. */
export function valueOf(part: string | undefined, letter: string): string;
export function valueOf(
  part: string | undefined,
  letter: string,
  needed: boolean,
): string | undefined;
export function valueOf(
  part: string | undefined,
  letter: string,
  needed = true,
): string | undefined {
  if (part?.startsWith(`${letter}=`)) return part.slice(2);
  if (needed) throw new BadMessage(`The message lacks the attribute ${letter}.`);
  return undefined;
}

/** A name as it stands in a message. */
export function escapedName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

/** RFC 5802 §5.1 saslname: `=2C` and `=3D` stand for comma and equals sign, no other `=` may. */
function nameOf(text: string): string {
  if (text === '' || /=(?!2C|3D)/.test(text)) throw new BadMessage('The name is not well-formed.');
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

function nonceOf(text: string): string {
  if (!/^[\x21-\x2b\x2d-\x7e]+$/.test(text)) throw new BadMessage('The nonce is not well-formed.');
  return text;
}

export function base64Of(text: string): Buffer {
  const data = Buffer.from(text, 'base64');
  if (text === '' || data.toString('base64') !== text) throw new BadMessage('This is not base64.');
  return data;
}
