/**
 * How bodies leave the disk, and what lies in the folders where they are.
 *
 * Invariants: what was stored or wanted a short while ago stays, for somebody may be about to refer
 * to it; the facts go before the body, so that none are left behind without it.
 * Diagnostics: a file that somebody reads cannot be removed on Windows; it stays for the next time.
 */

import { stat, unlink, utimes } from 'node:fs/promises';
import path from 'node:path';
import type { AccountId, BodyHash, Instant } from '#domain/values/ids';
import { FACTS_SUFFIX } from './body-facts.ts';
import { codeOf, namesIn, PART_SUFFIX } from './files.ts';

/** What became of a body that was to be removed. */
export type Removal = 'removed' | 'missing' | 'young' | 'busy';

/** When the file was stored, or wanted again; undefined when it is not there. */
export async function storedAt(file: string): Promise<Instant | undefined> {
  try {
    return (await stat(file)).mtimeMs;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Somebody is about to refer to the file, which has been there for a while. */
export async function wantAgain(file: string): Promise<void> {
  const now = new Date();
  await utimes(file, now, now);
}

/** Removes a body and its facts, unless it was stored or wanted after `storedUpTo`. */
export async function removeBody(file: string, storedUpTo: Instant): Promise<Removal> {
  const at = await storedAt(file);
  if (at !== undefined && at > storedUpTo) return 'young';
  try {
    await removeIfThere(file + FACTS_SUFFIX);
    await removeIfThere(file);
    return at === undefined ? 'missing' : 'removed';
  } catch (error) {
    if (!BUSY.has(codeOf(error))) throw error;
    return 'busy';
  }
}

async function removeIfThere(file: string): Promise<void> {
  try {
    await unlink(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

const BUSY: ReadonlySet<string> = new Set(['EBUSY', 'EPERM', 'EACCES']);

/** The folders of an account's bodies: the first octet of what is in them, in hex. */
export const SHELVES = 256;

export interface Shelf {
  readonly bodies: readonly BodyHash[];
  /** Files of facts without a body, and files that were begun. */
  readonly leftovers: readonly string[];
}

/** What lies in one of the folders. */
export async function lookAtShelf(dir: string, accountId: AccountId, n: number): Promise<Shelf> {
  const name = n.toString(16).padStart(2, '0');
  const folder = path.join(dir, 'accounts', String(accountId), 'bodies', name);
  const names = await namesIn(folder);
  const bodies = names.filter((each) => HASH.test(each));
  const facts = new Set(bodies.map((body) => body + FACTS_SUFFIX));
  const leftovers = names.filter((each) =>
    each.endsWith(FACTS_SUFFIX) ? !facts.has(each) : each.endsWith(PART_SUFFIX),
  );
  return { bodies, leftovers: leftovers.map((each) => path.join(folder, each)) };
}

const HASH = /^[0-9a-f]{64}$/;
