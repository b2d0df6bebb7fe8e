/**
 * What stands behind MAIL and RCPT: a path and parameters.
 *
 * Invariants: no parameter twice; keywords in capitals. Meaning is not judged here.
 * RFC 5321 §4.1.1.2, §4.1.1.3 and §4.1.2 (esmtp-param).
 */

import { domainToASCII } from 'node:url';
import { readPath, type Address } from '#domain/values/address';

export interface PathCommand {
  readonly path: Address;
  /** Keyword → value; '' for a keyword without one. */
  readonly parameters: ReadonlyMap<string, string>;
}

export type PathProblem = 'syntax' | 'repeated-parameter';

const PARAMETER = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^\s=]+))?$/u;

/** Reads `FROM:<path> KEY=value …`; `word` is FROM or TO. */
export function parsePathCommand(word: 'FROM' | 'TO', text: string): PathCommand | PathProblem {
  const start = word.length + 1;
  if (text.slice(0, start).toUpperCase() !== `${word}:`) return 'syntax';
  // not RFC 5321 §3.3: a space behind the colon is forbidden, but common.
  const read = readPath(text.slice(start).trimStart(), domainToASCII);
  if (read === undefined || (read.rest !== '' && !read.rest.startsWith(' '))) return 'syntax';
  const parameters = new Map<string, string>();
  for (const one of read.rest.split(' ')) {
    if (one === '') continue;
    const match = PARAMETER.exec(one);
    if (match === null) return 'syntax';
    const keyword = (match[1] as string).toUpperCase();
    if (parameters.has(keyword)) return 'repeated-parameter';
    parameters.set(keyword, match[2] ?? '');
  }
  return { path: read.path, parameters };
}
