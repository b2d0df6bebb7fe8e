/**
 * What clients of the stress test do, drawn at random: what makes sense where they stand.
 */

import type { Act } from './acting.ts';
import type { Chance } from './chance.ts';
import {
  annotate,
  breakOff,
  idle,
  leave,
  listenSlowly,
  look,
  mailboxes,
  noop,
  notify,
  select,
} from './mailbox-acts.ts';
import {
  append,
  expunge,
  fetch,
  flagAndExpunge,
  pipeline,
  read,
  replace,
  search,
  searchAndSave,
  sort,
  store,
  transfer,
} from './message-acts.ts';
import type { Profile, StressClient } from './stress-client.ts';

/** Above, messages rather go than come. */
const MESSAGES_ENOUGH = 120;

/** One thing that a client does, of one command or a few. */
export async function act(client: StressClient, chance: Chance): Promise<void> {
  const { open } = client;
  const acts =
    open === undefined
      ? WITHOUT_MAILBOX
      : open.count > MESSAGES_ENOUGH && chance.percent(30)
        ? CLEANING
        : WITH_MAILBOX;
  try {
    await chance.one(acts)(client, chance);
  } catch (error) {
    throw client.complaint(error instanceof Error ? error.message : String(error), error);
  }
}

export function profileOf(chance: Chance): Profile {
  const qresync = chance.percent(50);
  return {
    condstore: chance.percent(50),
    qresync,
    uidOnly: chance.percent(20),
    rev2: chance.percent(40),
    compress: chance.percent(25),
  };
}

const WITHOUT_MAILBOX: readonly Act[] = [
  ...Array<Act>(8).fill(select),
  append,
  mailboxes,
  mailboxes,
  look,
  idle,
  notify,
];

const WITH_MAILBOX: readonly Act[] = [
  ...Array<Act>(3).fill(select),
  ...Array<Act>(8).fill(fetch),
  ...Array<Act>(8).fill(store),
  ...Array<Act>(5).fill(append),
  ...Array<Act>(4).fill(search),
  ...Array<Act>(4).fill(transfer),
  ...Array<Act>(3).fill(flagAndExpunge),
  ...Array<Act>(3).fill(noop),
  ...Array<Act>(3).fill(idle),
  ...Array<Act>(3).fill(pipeline),
  ...Array<Act>(2).fill(mailboxes),
  read,
  read,
  replace,
  expunge,
  sort,
  look,
  notify,
  leave,
  searchAndSave,
  listenSlowly,
  breakOff,
  annotate,
];

const CLEANING: readonly Act[] = [flagAndExpunge, flagAndExpunge, expunge];
