/**
 * SORT and UID SORT, with RETURN options.
 *
 * RFC 5256 §3, §4 (SORT); RFC 5267 §3 (ESORT), RFC 9394 §3.1 (PARTIAL); RFC 7162 §3.1.5 (MODSEQ)
 */

import type { Uid } from '#domain/values/ids';
import { equalUidSets, hasUid, NO_UIDS, uidCount, uidSetOf } from '#domain/values/uid-set';
import { foundList, numberingOf, type Numbering } from '../found.ts';
import { highestModSeq, tellFound, type OpenSearch } from '../search-run.ts';
import { ok, type Reply, type Session } from '../session.ts';
import { sort as sortWords, type SortWords } from '../sort.ts';
import type { WholeCommand } from './command.ts';
import { searching } from './searching.ts';

const CHUNK_NUMBERS = 1000;

const command = searching<SortWords>(sortWords, run);

export const sort: WholeCommand = command(false);
export const uidSort: WholeCommand = command(true);

async function run(
  words: SortWords,
  { byUid, byModSeq, news, find }: OpenSearch,
  session: Session,
): Promise<Reply> {
  const { mailbox } = session;
  const { mailboxId, told } = mailbox;
  const saves = words.returns?.has('SAVE') === true;
  if (saves) mailbox.saved = NO_UIDS;
  const found = await find();
  // Whoever sorts most of the mailbox is told from the order of all, which is kept.
  const sorted = 2 * uidCount(found) < told.count ? found : told.uids;
  const order = await mailbox.news.orders.get(JSON.stringify(words.order), sorted, told, () =>
    session.account.views.sorted(mailboxId, sorted, words.order),
  );
  const uids = equalUidSets(sorted, found) ? order : order.filter((uid) => hasUid(found, uid));
  const numbers = numberingOf(byUid, told);
  if (words.returns === undefined) {
    const modSeq = byModSeq ? highestModSeq(uidSetOf(uids), mailboxId, session) : undefined;
    await answerPlainly(uids, numbers, modSeq, session);
  } else {
    const form = { byUid, byModSeq, mailboxId, about: '' };
    const asked = tellFound(foundList(uids, numbers), words, form, session);
    if (saves) mailbox.saved = asked;
  }
  return ok('SORT done', { news });
}

/** One line, however long: what a second one would mean is not said anywhere. */
async function answerPlainly(
  uids: readonly Uid[],
  { one }: Numbering,
  modSeq: number | undefined,
  session: Session,
): Promise<void> {
  const { out } = session;
  out.put('* SORT');
  for (let at = 0; at < uids.length; at += CHUNK_NUMBERS) {
    let text = '';
    for (const uid of uids.slice(at, at + CHUNK_NUMBERS)) text += ` ${one(uid)}`;
    out.put(text);
    if (out.full) await out.flush();
  }
  out.put(modSeq === undefined ? '\r\n' : ` (MODSEQ ${modSeq})\r\n`);
}
