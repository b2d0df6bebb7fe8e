/**
 * What clients of the stress test do, drawn at random: what makes sense where they stand.
 */

import assert from 'node:assert/strict';
import { setImmediate as nextRound } from 'node:timers/promises';
import type { Chance } from './chance.ts';
import { setOf, type Answer, type Profile, type StressClient } from './stress-client.ts';
import { parseUidSet, uidsOf } from '#domain/values/uid-set';

/** Everybody's. */
const STEADY = ['Inbox', 'Archive', 'Trash', 'shared'];
/** Made, renamed and deleted all the time. */
const PASSING = ['v0', 'v1', 'v2', 'v0/x', 'v1/y', 'deep/er'];
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
/** Above, messages rather go than come. */
const MESSAGES_ENOUGH = 120;

type Act = (client: StressClient, chance: Chance) => Promise<unknown>;

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

function flagsText(chance: Chance): string {
  const junk = chance.percent(50) ? '$Junk' : '$NotJunk';
  return `(${chance
    .some(FLAGS, 2)
    .filter((flag) => !/Junk/.test(flag) || flag === junk)
    .join(' ')})`;
}

/** The mailbox turned out to be deleted, or not. */
function heed(client: StressClient, answer: Answer): Answer {
  if (answer.status === 'NO' && answer.code === 'NONEXISTENT') client.leave();
  return answer;
}

function someUids(client: StressClient, chance: Chance, about: number): string | undefined {
  const uids = client.open?.uids ?? [];
  const some = chance.some(uids, about);
  if (some.length > 0) return setOf(some);
  // Also those that are not there.
  return uids.length === 0 || chance.percent(5) ? `${1 + chance.below(50)}` : undefined;
}

/** Sequence numbers, or UIDs where those are all that counts; and the verb for them. */
function numbers(
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

const select: Act = async (client, chance) => {
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

const fetch: Act = async (client, chance) => {
  const asked = numbers(client, chance, 8);
  if (asked === undefined) return;
  const { profile, open } = client;
  const items = chance.some(
    ['UID', 'FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'EMAILID', 'ENVELOPE'],
    3,
  );
  const modSeq = profile.condstore && chance.percent(40) ? ['MODSEQ'] : [];
  const all = [...items, ...modSeq].length > 0 ? [...items, ...modSeq] : ['FLAGS'];
  let modifier = '';
  if (profile.condstore && chance.percent(30)) {
    const since = Math.max(1, (open?.modSeq ?? 1) - chance.below(60));
    const vanished = profile.qresync && asked.verb !== '' && chance.percent(50) ? ' VANISHED' : '';
    modifier = ` (CHANGEDSINCE ${since}${vanished})`;
  }
  heed(
    client,
    await client.command(`${asked.verb}FETCH ${asked.set} (${all.join(' ')})${modifier}`),
  );
};

const read: Act = async (client, chance) => {
  const asked = numbers(client, chance, 1);
  if (asked === undefined) return;
  const item = chance.one(['BODY[]', 'BODY.PEEK[HEADER]', 'BODY[TEXT]<0.5>', 'PREVIEW']);
  heed(client, await client.command(`${asked.verb}FETCH ${asked.set} (UID ${item})`));
};

const store: Act = async (client, chance) => {
  const asked = numbers(client, chance, 5);
  const { open, profile } = client;
  if (asked === undefined || open === undefined) return;
  const silent = chance.percent(30);
  const conditional = profile.condstore && chance.percent(40);
  const since = Math.max(0, open.modSeq - chance.below(20));
  const unchanged = conditional ? ` (UNCHANGEDSINCE ${since})` : '';
  const op = chance.one(['+FLAGS', '-FLAGS', 'FLAGS']);
  const set = uidsOf(parseUidSet(asked.set));
  const uids = [...set].map((n) => (asked.verb === '' ? open.uidAt(n) : n));
  const words = `${op}${silent ? '.SILENT' : ''} ${flagsText(chance)}`;
  const answer = await client.command(`${asked.verb}STORE ${asked.set}${unchanged} ${words}`);
  heed(client, answer);
  // RFC 9051 §6.4.6: the client knows what it asked for; what was changed before, it does not.
  if (silent) {
    const here = uids.filter((uid) => uid !== undefined && open.messages.has(uid));
    open.forgetFlags(here as number[]);
  }
};

const LETTERS = ['one', 'two', 'three', 'four', 'five', 'six'];

function letter(chance: Chance): string {
  const word = chance.one(LETTERS);
  const text = `Subject: ${word}\r\nMessage-ID: <${word}@example.org>\r\n\r\ntext of ${word}\r\n`;
  return `{${text.length}+}\r\n${text}`;
}

const append: Act = async (client, chance) => {
  const count = chance.percent(80) ? 1 : 2 + chance.below(3);
  const messages = Array.from({ length: count }, () => `${flagsText(chance)} ${letter(chance)}`);
  const name =
    client.open !== undefined && chance.percent(60) ? client.open.name : chance.one(STEADY);
  await client.command(`APPEND ${name} ${messages.join(' ')}`);
};

const replace: Act = async (client, chance) => {
  const asked = numbers(client, chance, 1);
  if (asked === undefined) return;
  const [first] = uidsOf(parseUidSet(asked.set));
  const name = chance.percent(60) ? (client.open?.name ?? 'Inbox') : chance.one(STEADY);
  heed(client, await client.command(`${asked.verb}REPLACE ${first} ${name} () ${letter(chance)}`));
};

const transfer: Act = async (client, chance) => {
  const asked = numbers(client, chance, 4);
  if (asked === undefined) return;
  const verb = chance.percent(50) ? 'COPY' : 'MOVE';
  const target = chance.percent(80) ? chance.one(STEADY) : chance.one(PASSING);
  heed(client, await client.command(`${asked.verb}${verb} ${asked.set} ${target}`));
};

const expunge: Act = async (client, chance) => {
  const set = chance.percent(50) ? someUids(client, chance, 20) : undefined;
  heed(client, await client.command(set === undefined ? 'EXPUNGE' : `UID EXPUNGE ${set}`));
};

const flagAndExpunge: Act = async (client, chance) => {
  const set = someUids(client, chance, 40);
  if (set === undefined) return;
  heed(client, await client.command(`UID STORE ${set} +FLAGS (\\Deleted)`));
  if (client.open !== undefined) await expunge(client, chance);
};

const CRITERIA = [
  'ALL',
  'UNSEEN',
  'DELETED NOT FLAGGED',
  'KEYWORD work',
  'SUBJECT two',
  'TEXT five',
];

const search: Act = async (client, chance) => {
  const { open, profile } = client;
  if (open === undefined) return;
  const byUid = profile.uidOnly || client.news === 'immediate' || chance.percent(60);
  const wasWhole = open.isWhole;
  const before = new Set(open.uids);
  const changed = profile.condstore && chance.percent(30) ? ` MODSEQ ${open.modSeq}` : '';
  const options = chance.percent(50) ? ' RETURN (ALL COUNT)' : '';
  const words = `SEARCH${options} ${chance.one(CRITERIA)}${changed}`;
  const answer = heed(client, await client.command(`${byUid ? 'UID ' : ''}${words}`));
  if (client.open === undefined || answer.status !== 'OK') return;
  const found = foundIn(answer.untagged);
  assert.deepEqual(
    found,
    found.toSorted((a, b) => a - b),
    'results ascend',
  );
  if (!byUid) assert.ok((found.at(-1) ?? 0) <= open.count, `${found.join()} of ${open.count}`);
  else if (wasWhole && !answer.untagged.some((line) => line.endsWith(' EXISTS'))) {
    for (const uid of open.uids) before.add(uid);
    const invented = found.filter((uid) => !before.has(uid));
    assert.deepEqual(invented, [], 'found, but never told');
  }
};

function foundIn(untagged: readonly string[]): readonly number[] {
  return untagged.flatMap((line) => {
    const plain = /^\* SEARCH((?: \d+)*)/.exec(line)?.[1];
    if (plain !== undefined) return plain.trim().split(' ').filter(Boolean).map(Number);
    const set = /^\* ESEARCH .* ALL (\S+)/.exec(line)?.[1];
    return set === undefined ? [] : [...uidsOf(parseUidSet(set))];
  });
}

const sort: Act = async (client, chance) => {
  const byUid = client.profile.uidOnly || client.news === 'immediate' || chance.percent(60);
  const verb = chance.one(['SORT (REVERSE ARRIVAL)', 'SORT (SUBJECT)', 'THREAD REFERENCES']);
  heed(client, await client.command(`${byUid ? 'UID ' : ''}${verb} UTF-8 UNDELETED`));
};

const noop: Act = async (client, chance) => {
  const verb = client.open !== undefined && chance.percent(30) ? 'CHECK' : 'NOOP';
  heed(client, await client.command(verb));
};

const idle: Act = async (client, chance) => {
  await client.idle(async () => {
    for (let rounds = chance.below(200); rounds > 0; rounds--) await nextRound();
  });
};

const listenSlowly: Act = async (client, chance) => {
  const items = 'UID FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[] PREVIEW';
  const answer = await client.sluggish(`UID FETCH 1:* (${items})`, async () => {
    for (let rounds = chance.below(50); rounds > 0; rounds--) await nextRound();
  });
  heed(client, answer);
};

/** What the client began is never heard to its end. */
const breakOff: Act = async (client, chance) => {
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

const mailboxes: Act = async (client, chance) => {
  const [one, other] = [chance.one(PASSING), chance.one(PASSING)];
  const commands = [`CREATE ${one}`, `DELETE ${one}`, `RENAME ${one} ${other}`, `SUBSCRIBE ${one}`];
  const inbox = chance.percent(3) ? [`RENAME Inbox ${one}`] : [];
  await client.command(chance.one([...commands, `CREATE ${other}`, ...inbox]));
};

const look: Act = async (client, chance) => {
  const items = 'MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE HIGHESTMODSEQ';
  client.enableCondstore();
  if (chance.percent(50))
    await client.command('LIST "" * RETURN (STATUS (MESSAGES HIGHESTMODSEQ))');
  else await client.command(`STATUS ${chance.one([...STEADY, ...PASSING])} (${items})`);
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

const notify: Act = async (client, chance) => {
  const [news, words] = chance.one(NEWS);
  // Sequence numbers of a client that hears at once may change while it speaks.
  client.news = news === 'immediate' || client.news === 'immediate' ? 'immediate' : news;
  if (news === 'deaf') client.keep();
  await client.command(`NOTIFY ${words}`);
  client.news = news;
};

const leave: Act = async (client, chance) => {
  client.keep();
  await client.command(chance.percent(50) ? 'CLOSE' : 'UNSELECT');
  client.open = undefined;
};

/** Commands on the heels of each other; none of them speaks of sequence numbers. */
const pipeline: Act = async (client, chance) => {
  const set = someUids(client, chance, 4);
  if (set === undefined) return;
  const texts = [
    `UID FETCH ${set} (FLAGS)`,
    `UID STORE ${set} +FLAGS (\\Flagged)`,
    'NOOP',
    'UID SEARCH ALL',
    `UID FETCH ${set} (UID EMAILID)`,
    `APPEND Archive () ${letter(chance)}`,
    `APPEND Archive () ${letter(chance)}`,
  ];
  const answers = await Promise.all(chance.some(texts, 4).map((text) => client.command(text)));
  for (const answer of answers) heed(client, answer);
};

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
  listenSlowly,
  breakOff,
];

const CLEANING: readonly Act[] = [flagAndExpunge, flagAndExpunge, expunge];
