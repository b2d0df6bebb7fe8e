/**
 * SEARCH and UID SEARCH, with RETURN options and the saved result.
 *
 * RFC 9051 §6.4.4; RFC 4731 (ESEARCH), RFC 5182 (SAVE), RFC 9394 §3.1 (PARTIAL); RFC 7162 §3.1.5
 */

import { NO_UIDS } from '#domain/values/uid-set';
import { foundSet, numberingOf } from '../found.ts';
import { search as searchWords } from '../search-keys.ts';
import { highestModSeq, tellFound, type OpenSearch } from '../search-run.ts';
import { ok, type Reply, type Session } from '../session.ts';
import type { ReturnWords, SearchWords } from '../words.ts';
import { searchLines } from '../writer.ts';
import type { WholeCommand } from './command.ts';
import { searching } from './searching.ts';

const command = searching<SearchWords>(searchWords, run);

export const search: WholeCommand = command(false);
export const uidSearch: WholeCommand = command(true);

async function run(
  words: SearchWords,
  { byUid, byModSeq, news, find }: OpenSearch,
  session: Session,
): Promise<Reply> {
  const { mailbox } = session;
  const { mailboxId } = mailbox;
  const saves = words.returns?.has('SAVE') === true;
  // RFC 5182 §2.1: a search that cannot be read leaves the old result, one that fails an empty one.
  if (saves) mailbox.saved = NO_UIDS;
  const uids = await find();
  const numbers = numberingOf(byUid, mailbox.told);
  // RFC 9051 §6.4.4: in IMAP4rev2 every answer is ESEARCH.
  if (words.returns === undefined && !session.has('IMAP4rev2')) {
    const modSeq = byModSeq ? highestModSeq(uids, mailboxId, session) : undefined;
    for (const line of searchLines(numbers.set(uids), modSeq)) session.out.line(line);
  } else {
    const asked = words.returns === undefined ? EVERYTHING : words;
    const form = { byUid, byModSeq, mailboxId, about: '' };
    const told = tellFound(foundSet(uids, numbers), asked, form, session);
    if (saves) mailbox.saved = told;
  }
  return ok('SEARCH done', { news });
}

const EVERYTHING: ReturnWords = { returns: new Set(['ALL']) };
