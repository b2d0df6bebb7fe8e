/**
 * What the acts of the stress test share: names, letters, and choices that make sense.
 */

import type { Chance } from './chance.ts';
import { setOf, type Answer, type StressClient } from './stress-client.ts';

export type Act = (client: StressClient, chance: Chance) => Promise<unknown>;

/** Everybody's. */
export const STEADY: readonly string[] = ['Inbox', 'Archive', 'Trash', 'shared'];

/** Made, renamed and deleted all the time. */
export const PASSING: readonly string[] = ['v0', 'v1', 'v2', 'v0/x', 'v1/y', 'deep/er'];

const FLAGS = [
  '\\Seen',
  '\\Deleted',
  '\\Flagged',
  '\\Answered',
  'work',
  'later',
  '$Junk',
  '$NotJunk',
];

export function flagsText(chance: Chance): string {
  const junk = chance.percent(50) ? '$Junk' : '$NotJunk';
  return `(${chance
    .some(FLAGS, 2)
    .filter((flag) => !/Junk/.test(flag) || flag === junk)
    .join(' ')})`;
}

/** The mailbox turned out to be deleted, or not. */
export function heed(client: StressClient, answer: Answer): Answer {
  if (answer.status === 'NO' && answer.code === 'NONEXISTENT') client.leave();
  return answer;
}

export function someUids(client: StressClient, chance: Chance, about: number): string | undefined {
  const uids = client.open?.uids ?? [];
  const some = chance.some(uids, about);
  if (some.length > 0) return setOf(some);
  // Also those that are not there.
  return uids.length === 0 || chance.percent(5) ? `${1 + chance.below(50)}` : undefined;
}

/** Sequence numbers, or UIDs where those are all that counts; and the verb for them. */
export function numbers(
  client: StressClient,
  chance: Chance,
  about: number,
): { readonly verb: string; readonly set: string } | undefined {
  const byUid = client.profile.uidOnly || client.news === 'immediate' || chance.percent(50);
  if (byUid) {
    const set = someUids(client, chance, about);
    return set === undefined ? undefined : { verb: 'UID ', set };
  }
  const count = client.open?.count ?? 0;
  const seqs = Array.from({ length: count }, (_, i) => i + 1);
  const some = chance.some(seqs, about);
  return some.length === 0 ? undefined : { verb: '', set: setOf(some) };
}

export const LETTERS: readonly string[] = ['one', 'two', 'three', 'four', 'five', 'six'];

export function letter(chance: Chance): string {
  const word = chance.one(LETTERS);
  const text = `Subject: ${word}\r\nMessage-ID: <${word}@example.org>\r\n\r\ntext of ${word}\r\n`;
  return `{${text.length}+}\r\n${text}`;
}
