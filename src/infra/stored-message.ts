/**
 * A message as its reader sees it, from the file of its body.
 */

import { readFileSync } from 'node:fs';
import { codeOf } from './files.ts';

/** Undefined when the body is gone. */
export function readStoredMessage(bodyFile: string, prefix: string): Buffer | undefined {
  try {
    const body = readFileSync(bodyFile);
    return prefix === '' ? body : Buffer.concat([Buffer.from(prefix), body]);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
