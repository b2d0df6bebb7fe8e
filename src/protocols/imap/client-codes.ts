/**
 * Texts of a server and the response codes in front of them.
 *
 * A text is for people: whatever it looks like, it is never an error. A code that does not have the
 * form it should have comes out as a mere word.
 *
 * RFC 9051 §7.1, RFC 5530 (codes), RFC 4315 §3 (APPENDUID, COPYUID), RFC 7162 §3.1.2, §3.1.3
 */

import { normalUidSet } from '#domain/values/uid-set';
import { astringText, flag, lenientText } from './client-tokens.ts';
import type { ResponseCode, StatusText } from './client-words.ts';
import { BadSyntax, Parser } from './parser.ts';

/** What follows OK, NO, BAD, BYE or PREAUTH; one character per octet. */
export function statusText(rest: string): StatusText {
  const bracketed = /^\[([^\]]*)\] ?(.*)$/s.exec(rest);
  if (bracketed === null) return { text: lenientText(rest) };
  const [, inside = '', text = ''] = bracketed;
  const code = responseCode(inside);
  return { ...(code !== undefined && { code }), text: lenientText(text) };
}

function responseCode(inside: string): ResponseCode | undefined {
  const named = /^([^ ]+)(?: (.*))?$/s.exec(inside);
  if (named === null) return undefined;
  const [, name = '', text = ''] = named;
  const word = name.toUpperCase();
  const command = { lines: [text], literals: [], open: undefined };
  try {
    const code = knownCode(word, new Parser(command, { utf8: true }));
    if (code !== undefined) return code;
  } catch (error) {
    // A code in an odd form is one that we do not know.
    if (!(error instanceof BadSyntax)) throw error;
  }
  return { type: 'WORD', word, text: lenientText(text) };
}

function knownCode(word: string, p: Parser): ResponseCode | undefined {
  switch (word) {
    case 'CAPABILITY':
      return { type: word, capabilities: capabilities(p.rest()) };
    case 'PERMANENTFLAGS':
      return { type: word, flags: p.list(() => flag(p), 'may be empty') };
    case 'UIDNEXT':
    case 'UIDVALIDITY':
    case 'UNSEEN':
      return { type: word, value: p.number() };
    case 'HIGHESTMODSEQ':
      return { type: word, modSeq: p.modSeqOrZero() };
    case 'APPENDUID':
      return { type: word, uidValidity: number(p), uids: p.ranges() };
    case 'COPYUID': {
      const uidValidity = number(p);
      const source = p.ranges();
      p.space();
      return { type: word, uidValidity, source, target: p.ranges() };
    }
    case 'MODIFIED':
      return { type: word, set: normalUidSet(p.ranges()) };
    case 'MAILBOXID':
      return { type: word, id: p.list(() => p.astring())[0] ?? '' };
    case 'BADCHARSET':
      return { type: word, charsets: p.sees('(') ? p.list(() => astringText(p)) : [] };
    default:
      return undefined;
  }
}

function number(p: Parser): number {
  const value = p.number();
  p.space();
  return value;
}

/** Names in capitals. */
export function capabilities(text: string): string[] {
  return text
    .toUpperCase()
    .split(' ')
    .filter((name) => name !== '');
}
