/**
 * SEARCH and UID SEARCH, with RETURN options and the saved result.
 *
 * RFC 9051 §6.4.4; RFC 4731 (ESEARCH), RFC 5182 (SAVE); RFC 7162 §3.1.5 (MODSEQ), §3.1.6
 */

import type { ModSeq } from '#domain/values/ids';
import {
  formatUidSet,
  highestUid,
  intersectionOf,
  isEmptyUidSet,
  lowestUid,
  NO_UIDS,
  uidCount,
  unionOf,
  type UidSet,
} from '#domain/values/uid-set';
import { BadSyntax, type Parser } from '../parser.ts';
import { conditionOf, someKey } from '../search-condition.ts';
import { BadCharset, search as searchWords } from '../search-keys.ts';
import { needsBody, scan } from '../search-scan.ts';
import { no, ok, uidRequired, type Reply, type Session } from '../session.ts';
import type { SearchKey, SearchReturn, SearchWords } from '../words.ts';
import { quotedOrLiteral, searchLines } from '../writer.ts';
import { imapCommand, SELECTED, type WholeCommand } from './command.ts';

export const search: WholeCommand = searching(false);
export const uidSearch: WholeCommand = searching(true);

function searching(byUid: boolean): WholeCommand {
  return imapCommand({
    states: SELECTED,
    parse: wordsOf,
    run(words, session) {
      if (words instanceof BadCharset) {
        return no('only these charsets are known', 'BADCHARSET (US-ASCII UTF-8)');
      }
      return run(words, byUid, session);
    },
  });
}

function wordsOf(parser: Parser): SearchWords | BadCharset {
  try {
    const words = searchWords(parser);
    const unknown = (key: SearchKey): boolean => key.type === 'EMAILID' || key.type === 'THREADID';
    if (someKey(words.key, unknown)) throw new BadSyntax('The search key is not known.');
    return words;
  } catch (error) {
    if (error instanceof BadCharset) return error;
    throw error;
  }
}

async function run(words: SearchWords, byUid: boolean, session: Session): Promise<Reply> {
  const selected = session.mailbox;
  if (session.has('UIDONLY') && someKey(words.key, isNumbered)) return uidRequired();
  const byModSeq = someKey(words.key, (key) => key.type === 'MODSEQ');
  if (byModSeq) session.enableCondstore();
  // RFC 9051 §7.5.1: with sequence numbers in the keys, nothing may shift either.
  const bySeq = !byUid || someKey(words.key, (key) => key.type === 'SEQUENCE');
  if (!bySeq) session.out.put(session.takeNews('mailbox'));
  const condition = conditionOf(words.key, selected, session.ports.clock.now());
  // RFC 5182 §2.1: a search that fails leaves an empty result; one that cannot be read, the old.
  if (words.returns?.has('SAVE') === true) selected.saved = NO_UIDS;
  const { views } = session.account;
  let found = intersectionOf(views.search(selected.mailboxId, condition), selected.told.uids);
  if (needsBody(condition)) found = await scan(condition, found, session);
  if (words.returns?.has('SAVE') === true) selected.saved = savedOf(found, words.returns);
  answer(words, found, byUid, byModSeq, session);
  return ok('SEARCH done', { news: bySeq ? 'mailbox-without-removals' : 'mailbox' });
}

/** Sequence numbers, not the saved result. RFC 9586 §3.1 */
function isNumbered(key: SearchKey): boolean {
  return key.type === 'SEQUENCE' && key.set.type === 'numbers';
}

function answer(
  words: SearchWords,
  found: UidSet,
  byUid: boolean,
  byModSeq: boolean,
  session: Session,
): void {
  const numbers = byUid ? found : session.mailbox.told.seqsOf(found);
  // RFC 9051 §6.4.4: in IMAP4rev2 every answer is ESEARCH.
  const returns =
    words.returns ?? (session.has('IMAP4rev2') ? new Set<SearchReturn>(['ALL']) : undefined);
  if (returns === undefined) {
    const modSeq = byModSeq ? highestModSeq(found, session) : undefined;
    for (const line of searchLines(numbers, modSeq)) session.out.line(line);
    return;
  }
  // RFC 5182 §2: SAVE alone answers nothing.
  if (returns.size === 1 && returns.has('SAVE')) return;
  let text = `* ESEARCH (TAG ${quotedOrLiteral(session.tag)})`;
  if (byUid) text += ' UID';
  const count = uidCount(numbers);
  if (count > 0) {
    if (returns.has('MIN')) text += ` MIN ${lowestUid(numbers)}`;
    if (returns.has('MAX')) text += ` MAX ${highestUid(numbers)}`;
    if (returns.has('ALL')) text += ` ALL ${formatUidSet(numbers)}`;
  }
  if (returns.has('COUNT')) text += ` COUNT ${count}`;
  if (count > 0 && byModSeq) {
    text += ` MODSEQ ${highestModSeq(told(found, returns), session)}`;
  }
  session.out.line(text);
}

/** RFC 5182 §2.4: with MIN and MAX only, these are what is saved. */
function savedOf(found: UidSet, returns: ReadonlySet<SearchReturn>): UidSet {
  return returns.has('ALL') || returns.has('COUNT') ? found : told(found, returns);
}

/** RFC 4731 §3.2: with MIN and MAX only, the modseq is that of these messages. */
function told(found: UidSet, returns: ReadonlySet<SearchReturn>): UidSet {
  const min = returns.has('MIN') ? lowestUid(found) : undefined;
  const max = returns.has('MAX') ? highestUid(found) : undefined;
  if (returns.has('ALL') || returns.has('COUNT') || (min ?? max) === undefined) return found;
  const lowest: UidSet = min === undefined ? NO_UIDS : [[min, min]];
  const highest: UidSet = max === undefined ? NO_UIDS : [[max, max]];
  return unionOf(lowest, highest);
}

function highestModSeq(found: UidSet, session: Session): ModSeq | undefined {
  if (isEmptyUidSet(found)) return undefined;
  const { mailbox, account } = session;
  let highest = 0;
  for (const mark of account.views.marks(mailbox.mailboxId, found)) {
    if (mark.modSeq > highest) highest = mark.modSeq;
  }
  mailbox.show(highest);
  return highest === 0 ? undefined : highest;
}
