/**
 * What clients of the stress test do with mailboxes, and with their connection.
 */

import { setImmediate as nextRound } from 'node:timers/promises';
import { heed, LETTERS, PASSING, STEADY, type Act } from './acting.ts';
import { setOf } from './stress-client.ts';

export const select: Act = async (client, chance) => {
  const names = chance.percent(75) ? STEADY : PASSING;
  const verb = chance.percent(85) ? 'SELECT' : 'EXAMINE';
  const cached = [...client.caches.values()];
  if (client.profile.qresync && cached.length > 0 && chance.percent(75)) {
    const { name, cache } = chance.one(cached);
    const uids = [...cache.messages.keys()];
    const known = chance.percent(25) ? chance.some(uids, uids.length / 2) : [];
    const pairs = uids.map((uid, i) => [i + 1, uid] as const).filter(() => chance.percent(20));
    const seqs = pairs.map(([seq]) => seq);
    const match =
      pairs.length > 0 && !client.profile.uidOnly && chance.percent(50)
        ? ` (${setOf(seqs)} ${setOf(pairs.map(([, uid]) => uid))})`
        : '';
    const isPartial = known.length > 0;
    const knownText = isPartial ? ` ${setOf(known)}` : match === '' ? '' : ` 1:${2 ** 32 - 1}`;
    const words = `${cache.uidValidity} ${cache.modSeq}${knownText}${match}`;
    await client.select(`${verb} ${name} (QRESYNC (${words}))`, { cache, isPartial });
  } else {
    const condstore = chance.percent(20) ? ' (CONDSTORE)' : '';
    await client.select(`${verb} ${chance.one(names)}${condstore}`);
  }
  if (chance.percent(80)) await client.fetchUnknown();
};

export const idle: Act = async (client, chance) => {
  await client.idle(async () => {
    for (let rounds = chance.below(200); rounds > 0; rounds--) await nextRound();
  });
};

export const mailboxes: Act = async (client, chance) => {
  const [one, other] = [chance.one(PASSING), chance.one(PASSING)];
  const commands = [`CREATE ${one}`, `DELETE ${one}`, `RENAME ${one} ${other}`, `SUBSCRIBE ${one}`];
  const inbox = chance.percent(3) ? [`RENAME Inbox ${one}`] : [];
  await client.command(chance.one([...commands, `CREATE ${other}`, ...inbox]));
};

export const look: Act = async (client, chance) => {
  const items = 'MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE HIGHESTMODSEQ';
  client.enableCondstore();
  if (chance.percent(50))
    await client.command('LIST "" * RETURN (STATUS (MESSAGES HIGHESTMODSEQ))');
  else await client.command(`STATUS ${chance.one([...STEADY, ...PASSING])} (${items})`);
};

/** Raises the HIGHESTMODSEQ of a mailbox and touches no message. */
export const annotate: Act = async (client, chance) => {
  const name = chance.one(STEADY);
  const value = chance.percent(20) ? 'NIL' : `"${chance.one(LETTERS)}"`;
  await client.command(`SETMETADATA ${name} (/private/comment ${value})`);
};

const NEWS = [
  ['delayed', 'SET (selected-delayed (MessageNew MessageExpunge FlagChange))'],
  [
    'delayed',
    'SET (selected-delayed (MessageNew MessageExpunge FlagChange)) (personal (MailboxName))',
  ],
  ['immediate', 'SET (selected (MessageNew (UID FLAGS) MessageExpunge FlagChange))'],
  ['deaf', 'SET (selected-delayed (MessageNew MessageExpunge))'],
  ['deaf', 'SET STATUS (personal (MessageNew MessageExpunge FlagChange MailboxName))'],
  ['deaf', 'NONE'],
] as const;

export const notify: Act = async (client, chance) => {
  const [news, words] = chance.one(NEWS);
  // Sequence numbers of a client that hears at once may change while it speaks.
  client.news = news === 'immediate' || client.news === 'immediate' ? 'immediate' : news;
  if (news === 'deaf') client.keep();
  await client.command(`NOTIFY ${words}`);
  client.news = news;
};

export const leave: Act = async (client, chance) => {
  client.keep();
  await client.command(chance.percent(50) ? 'CLOSE' : 'UNSELECT');
  client.open = undefined;
};

export const noop: Act = async (client, chance) => {
  const verb = client.open !== undefined && chance.percent(30) ? 'CHECK' : 'NOOP';
  heed(client, await client.command(verb));
};

export const listenSlowly: Act = async (client, chance) => {
  const items = 'UID FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[] PREVIEW';
  const answer = await client.sluggish(`UID FETCH 1:* (${items})`, async () => {
    for (let rounds = chance.below(50); rounds > 0; rounds--) await nextRound();
  });
  heed(client, answer);
};

/** What the client began is never heard to its end. */
export const breakOff: Act = async (client, chance) => {
  const text = chance.one([
    'UID FETCH 1:* (BODY[])\r\n',
    'APPEND Inbox {1000+}\r\nhalf a mess',
    'UID MOVE 1:* Archive\r\n',
    'IDLE\r\n',
    'SELECT Inb',
  ]);
  await client.breakOff(text, async () => {
    for (let rounds = chance.below(4); rounds > 0; rounds--) await nextRound();
  });
};
