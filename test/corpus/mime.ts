/**
 * The corpus of messages on which our reading of structures is tested, and compared with another
 * server's. What we say of them is written down in `mime.json`.
 */

import { createHash } from 'node:crypto';
import { readFacts } from '#protocols/message/facts';
import { BROKEN } from './mime-broken.ts';
import { HEADERS } from './mime-headers.ts';
import { STRUCTURES } from './mime-structures.ts';

/** Messages by name. */
export const MIME_CORPUS: ReadonlyMap<string, Buffer> = new Map(
  [STRUCTURES, BROKEN, HEADERS].flatMap((messages) => Object.entries(messages)),
);

export const FROZEN: URL = new URL('mime.json', import.meta.url);

export interface Answers {
  readonly envelope: string;
  readonly bodyStructure: string;
}

const SHOWN_CHARS_MAX = 4000;

/** What is written down of a message; long answers by their hash. */
export function answersOf(message: Buffer): Answers {
  const { envelope, bodyStructure } = readFacts(message);
  return { envelope: shown(envelope), bodyStructure: shown(bodyStructure) };
}

function shown(answer: string): string {
  if (answer.length <= SHOWN_CHARS_MAX) return answer;
  return `sha256 ${createHash('sha256').update(answer, 'latin1').digest('hex')}`;
}
