/**
 * The words of GETMETADATA, SETMETADATA, GETQUOTA and GETQUOTAROOT, behind tag and verb.
 *
 * RFC 5464 §5, RFC 9208 §5, RFC 9590 §4
 */

import type { AnnotationEntry } from '#domain/mailbox/events';
import { annotationEntry } from './annotation-values.ts';
import { BadSyntax, type Parser } from './parser.ts';

interface GetMetadataOptions {
  /** RFC 5464 §4.2.1: longer values are left out. */
  readonly maxSize: number;
  /** RFC 5464 §4.2.2: how many levels below an entry are meant besides itself. */
  readonly depth: number;
}

export interface GetMetadataWords extends GetMetadataOptions {
  /** '' for the annotations of the account. */
  readonly mailbox: string;
  readonly entries: readonly string[];
}

const NO_OPTIONS: GetMetadataOptions = { maxSize: Infinity, depth: 0 };

/** The grammar has the options before the mailbox, the examples of RFC 5464 §4.2 behind it. */
export function getMetadata(p: Parser): GetMetadataWords {
  p.space();
  let options: GetMetadataOptions | undefined;
  if (p.sees('(')) {
    options = getOptions(p);
    p.space();
  }
  const mailbox = p.mailbox();
  p.space();
  // No name of an entry begins with a letter.
  if (options === undefined && p.sees('(') && ['M', 'm', 'D', 'd'].some((c) => p.sees(c, 1))) {
    options = getOptions(p);
    p.space();
  }
  const entries = entryNames(p);
  p.end();
  return { mailbox, entries, ...(options ?? NO_OPTIONS) };
}

function getOptions(p: Parser): GetMetadataOptions {
  let maxSize: number | undefined;
  let depth: number | undefined;
  p.list(() => {
    const option = p.word();
    p.space();
    if (option === 'MAXSIZE' && maxSize === undefined) maxSize = p.number();
    else if (option === 'DEPTH' && depth === undefined) depth = depthWord(p);
    else throw new BadSyntax('The option is not known, or occurs twice.');
  });
  return { maxSize: maxSize ?? NO_OPTIONS.maxSize, depth: depth ?? NO_OPTIONS.depth };
}

function depthWord(p: Parser): number {
  const depth = ['0', '1', 'INFINITY'].indexOf(p.word());
  if (depth < 0) throw new BadSyntax('The depth must be 0, 1 or infinity.');
  return depth === 2 ? Infinity : depth;
}

/** One name, or some in parentheses. */
export function entryNames(p: Parser): readonly string[] {
  return p.sees('(') ? p.list(() => entryName(p)) : [entryName(p)];
}

/** RFC 5464 §3.2.1: case does not matter; wildcards, controls and empty components are errors. */
function entryName(p: Parser): string {
  const name = p.astring().toLowerCase();
  if (!/^(\/[\x20-\x7e]+)+$/.test(name) || /[*%]|\/\/|\/$/.test(name)) {
    throw new BadSyntax('That is no name of an entry.');
  }
  return name;
}

export interface SetMetadataWords {
  /** '' for the annotations of the account. */
  readonly mailbox: string;
  readonly entries: readonly AnnotationEntry[];
}

export function setMetadata(p: Parser): SetMetadataWords {
  p.space();
  const mailbox = p.mailbox();
  p.space();
  const entries = p.list(() => {
    const name = entryName(p);
    p.space();
    return annotationEntry(name, entryValue(p));
  });
  p.end();
  return { mailbox, entries };
}

/** A string or a literal8; undefined for NIL. */
function entryValue(p: Parser): Buffer | undefined {
  if (p.tryWord('NIL')) return undefined;
  const mayHoldNul = p.seesLiteral8();
  const octets = p.tryOctets();
  if (octets === undefined) throw new BadSyntax('Expected a value.');
  // RFC 9051 §9 literal: CHAR8 leaves NUL out.
  if (!mayHoldNul && octets.includes(0)) throw new BadSyntax('A string cannot contain NUL.');
  return octets;
}

/** GETQUOTA: the name of a quota root. */
export function quotaRoot(p: Parser): string {
  p.space();
  const root = p.astring();
  p.end();
  return root;
}
