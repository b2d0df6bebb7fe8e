/**
 * Token primitives for what servers say, where they must be read more generously than commands:
 * texts that are not UTF-8, flags that nobody can store, values that we do not know.
 *
 * RFC 9051 §9
 */

import { canonicalFlag } from '#domain/values/flags';
import { IMAP_CLIENT_NESTING_MAX } from '../limits.ts';
import { BadSyntax, type Parser } from './parser.ts';
import { decodeUtf7 } from './utf7.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Octets as text: UTF-8, or else latin1. */
function textOf(octets: Buffer): string {
  try {
    return utf8.decode(octets);
  } catch {
    // Not UTF-8; every octet is a character of latin1.
    return octets.toString('latin1');
  }
}

/** A line, which has a character per octet, as text. */
export function lenientText(line: string): string {
  return /[^\x00-\x7f]/.test(line) ? textOf(Buffer.from(line, 'latin1')) : line;
}

/** A string; undefined for NIL. */
export function nstringOctets(p: Parser): Buffer | undefined {
  if (p.tryWord('NIL')) return undefined;
  const octets = p.tryOctets();
  if (octets === undefined) throw new BadSyntax('Expected a string or NIL.');
  return octets;
}

export function nstringText(p: Parser): string | undefined {
  const octets = nstringOctets(p);
  return octets === undefined ? undefined : textOf(octets);
}

export function stringText(p: Parser): string {
  return nstringText(p) ?? '';
}

export function astringText(p: Parser): string {
  const octets = p.tryOctets();
  return octets === undefined ? p.astring() : textOf(octets);
}

/** The name of a mailbox. One that is not modified UTF-7 is taken for UTF-8. */
export function mailboxText(p: Parser, isUtf8: boolean): string {
  const text = astringText(p);
  return isUtf8 ? text : (decodeUtf7(text) ?? text);
}

/** A flag or an attribute; `\*` says that others can be made. */
export function flag(p: Parser): string {
  if (!p.tryChar('\\')) return p.atom();
  if (p.tryChar('*')) return '\\*';
  const name = `\\${p.atom()}`;
  return canonicalFlag(name) ?? name;
}

/** Reads over a value of any kind: a string, a number, an atom, or a list of such. */
export function skipValue(p: Parser, depth = 0): void {
  if (depth > IMAP_CLIENT_NESTING_MAX) throw new BadSyntax('The value is nested too deeply.');
  if (!p.tryChar('(')) {
    if (p.tryOctets() === undefined) flagOrAtom(p);
    return;
  }
  while (!p.tryChar(')')) {
    skipValue(p, depth + 1);
    if (!p.trySpace() && !p.sees(')') && !p.sees('(')) throw new BadSyntax('Expected a space.');
  }
}

function flagOrAtom(p: Parser): void {
  if (p.sees('\\')) flag(p);
  else p.astring();
}
