/**
 * What clients of the stress test do with messages.
 */

import assert from 'node:assert/strict';
import { flagsText, heed, letter, numbers, PASSING, someUids, STEADY, type Act } from './acting.ts';
import { parseUidSet, uidsOf } from '#domain/values/uid-set';

export const fetch: Act = async (client, chance) => {
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

export const read: Act = async (client, chance) => {
  const asked = numbers(client, chance, 1);
  if (asked === undefined) return;
  const item = chance.one(['BODY[]', 'BODY.PEEK[HEADER]', 'BODY[TEXT]<0.5>', 'PREVIEW']);
  heed(client, await client.command(`${asked.verb}FETCH ${asked.set} (UID ${item})`));
};

export const store: Act = async (client, chance) => {
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

export const append: Act = async (client, chance) => {
  const count = chance.percent(80) ? 1 : 2 + chance.below(3);
  const messages = Array.from({ length: count }, () => `${flagsText(chance)} ${letter(chance)}`);
  const name =
    client.open !== undefined && chance.percent(60) ? client.open.name : chance.one(STEADY);
  await client.command(`APPEND ${name} ${messages.join(' ')}`);
};

export const replace: Act = async (client, chance) => {
  const asked = numbers(client, chance, 1);
  if (asked === undefined) return;
  const [first] = uidsOf(parseUidSet(asked.set));
  const name = chance.percent(60) ? (client.open?.name ?? 'Inbox') : chance.one(STEADY);
  heed(client, await client.command(`${asked.verb}REPLACE ${first} ${name} () ${letter(chance)}`));
};

export const transfer: Act = async (client, chance) => {
  const asked = numbers(client, chance, 4);
  if (asked === undefined) return;
  const verb = chance.percent(50) ? 'COPY' : 'MOVE';
  const target = chance.percent(80) ? chance.one(STEADY) : chance.one(PASSING);
  heed(client, await client.command(`${asked.verb}${verb} ${asked.set} ${target}`));
};

export const expunge: Act = async (client, chance) => {
  const set = chance.percent(50) ? someUids(client, chance, 20) : undefined;
  heed(client, await client.command(set === undefined ? 'EXPUNGE' : `UID EXPUNGE ${set}`));
};

export const flagAndExpunge: Act = async (client, chance) => {
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

export const search: Act = async (client, chance) => {
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

/** RFC 5182: what was found, as far as it is still there. */
export const searchAndSave: Act = async (client, chance) => {
  const criteria = chance.one(CRITERIA);
  heed(client, await client.command(`UID SEARCH RETURN (SAVE COUNT) ${criteria}`));
  if (client.open === undefined) return;
  if (chance.percent(50)) await client.command('NOOP');
  const command = chance.one(['UID FETCH $ (UID FLAGS)', 'UID STORE $ +FLAGS (later)']);
  heed(client, await client.command(command));
};

function foundIn(untagged: readonly string[]): readonly number[] {
  return untagged.flatMap((line) => {
    const plain = /^\* SEARCH((?: \d+)*)/.exec(line)?.[1];
    if (plain !== undefined) return plain.trim().split(' ').filter(Boolean).map(Number);
    const set = /^\* ESEARCH .* ALL (\S+)/.exec(line)?.[1];
    return set === undefined ? [] : [...uidsOf(parseUidSet(set))];
  });
}

export const sort: Act = async (client, chance) => {
  const byUid = client.profile.uidOnly || client.news === 'immediate' || chance.percent(60);
  const verb = chance.one(['SORT (REVERSE ARRIVAL)', 'SORT (SUBJECT)', 'THREAD REFERENCES']);
  heed(client, await client.command(`${byUid ? 'UID ' : ''}${verb} UTF-8 UNDELETED`));
};

/** Commands on the heels of each other; none of them speaks of sequence numbers. */
export const pipeline: Act = async (client, chance) => {
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
