/**
 * Facts beside their body: a file that may be missing, torn or old, because the body says it all
 * again. It is never synced.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import type { MessageFacts } from '#domain/values/facts';
import { codeOf, diskFault } from './files.ts';

export const FACTS_SUFFIX = '.facts';

/** Undefined unless the file holds facts of that version. */
export function readFactsFile(file: string, version: number): MessageFacts | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isFacts(value) && value.version === version ? value : undefined;
  } catch (error) {
    // Torn by a power cut, or never written: the body is asked instead.
    if (error instanceof SyntaxError || codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

export function writeFactsFile(file: string, facts: MessageFacts): void {
  try {
    writeFileSync(file, JSON.stringify(facts), { mode: 0o600 });
  } catch (error) {
    throw diskFault(error);
  }
}

const TEXTS = [
  'envelope',
  'body',
  'bodyStructure',
  'subject',
  'from',
  'to',
  'cc',
  'bcc',
  'headerId',
  'sortSubject',
  'sortFrom',
  'sortTo',
  'sortCc',
  'displayFrom',
  'displayTo',
  'threadKey',
  'threadReferences',
] as const;

function isFacts(value: unknown): value is MessageFacts {
  if (typeof value !== 'object' || value === null) return false;
  const fields: ReadonlyMap<string, unknown> = new Map(Object.entries(value));
  const isNumber = (name: string): boolean => typeof fields.get(name) === 'number';
  return (
    TEXTS.every((name) => typeof fields.get(name) === 'string') &&
    isNumber('version') &&
    isNumber('headerBytes') &&
    typeof fields.get('isReply') === 'boolean' &&
    (isNumber('sentAt') || !fields.has('sentAt')) &&
    (isNumber('sentDay') || !fields.has('sentDay'))
  );
}

/** About what facts take in memory. */
export function factsBytes(facts: MessageFacts): number {
  return TEXTS.reduce((bytes, name) => bytes + facts[name].length, 500);
}
