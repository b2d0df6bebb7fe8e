/**
 * ESEARCH: one search of many mailboxes, each answered by a line of its own.
 *
 * RFC 7377 §2: UIDs only, and nothing about a mailbox where nothing was found.
 */

import { NO_UIDS, type UidSet } from '#domain/values/uid-set';
import type { MailboxSummary } from '#projections/account-views';
import { foundSet, numberingOf } from '../found.ts';
import { fitsFilter, mailboxFilter } from '../mailbox-filter.ts';
import { Turn } from '../pace.ts';
import type { Parser } from '../parser.ts';
import { Progress } from '../progress.ts';
import { someKey, type SearchPlace } from '../search-condition.ts';
import { searchProgram } from '../search-keys.ts';
import { enableByModSeq, isNumbered, prepare, tellFound } from '../search-run.ts';
import { bad, no, ok, uidRequired, type Reply, type Session } from '../session.ts';
import type { MailboxFilter, SearchKey, SearchWords } from '../words.ts';
import { mailboxName } from '../writer.ts';
import { LOGGED_IN, type WholeCommand } from './command.ts';
import { heedingCharset } from './searching.ts';

interface EsearchWords extends SearchWords {
  readonly sources: readonly ({ readonly type: 'selected' } | MailboxFilter)[];
}

export const esearch: WholeCommand = heedingCharset(LOGGED_IN, esearchWords, run);

/** RFC 7377 §4 esearch; without a source it is the open mailbox. */
function esearchWords(p: Parser): EsearchWords {
  p.space();
  let sources: EsearchWords['sources'] = [{ type: 'selected' }];
  if (p.tryWord('IN')) {
    p.space();
    sources = p.list(() => {
      const name = p.word();
      return name === 'SELECTED' ? { type: 'selected' } : mailboxFilter(name, p);
    });
    p.space();
  }
  return { sources, ...searchProgram(p) };
}

async function run(words: EsearchWords, session: Session): Promise<Reply> {
  const { key, sources } = words;
  if (session.has('UIDONLY') && someKey(key, isNumbered)) return uidRequired();
  const isHere = sources.some(({ type }) => type === 'selected');
  const isOnlyHere = sources.every(({ type }) => type === 'selected');
  // RFC 7377 §2: in the wrong state it is BAD.
  if (isHere && session.selected === undefined) return bad('no mailbox is selected');
  if (isHere && session.mailbox.isGone) return no('the mailbox was deleted', 'NONEXISTENT');
  const saves = words.returns?.has('SAVE') === true;
  // RFC 7377 §2.2: these mean something in the open mailbox alone.
  if (!isOnlyHere && (saves || someKey(key, isOfOpenMailbox))) {
    return bad('that is possible in the selected mailbox only');
  }
  const byModSeq = enableByModSeq(key, session);
  const bySeq = someKey(key, ({ type }) => type === 'SEQUENCE');
  if (!bySeq) session.out.put(session.takeNews('mailbox'));
  const found = await searchAll(words, byModSeq, session);
  if (saves) session.mailbox.saved = found;
  return ok('ESEARCH done', { news: bySeq ? 'mailbox-without-removals' : 'mailbox' });
}

function isOfOpenMailbox(key: SearchKey): boolean {
  return key.type === 'SEQUENCE' || (key.type === 'UID' && key.set.type === 'saved');
}

/** What was told of the last mailbox. */
async function searchAll(
  words: EsearchWords,
  byModSeq: boolean,
  session: Session,
): Promise<UidSet> {
  const mailboxes = mailboxesOf(words.sources, session);
  using progress = new Progress(
    session,
    mailboxes.reduce((sum, { exists }) => sum + exists, 0),
  );
  const turn = new Turn(session.ports.clock);
  let told = NO_UIDS;
  for (const mailbox of mailboxes) {
    if (session.isOver) break;
    const done = progress.done + mailbox.exists;
    const { mailboxId, name, uidValidity } = mailbox;
    const place = placeOf(mailbox, session);
    const find = prepare(words.key, place, session);
    // RFC 5182 §2.1: only when the keys make sense is the old result forgotten.
    if (words.returns?.has('SAVE') === true) session.mailbox.saved = NO_UIDS;
    const uids = await find().finish(progress);
    progress.done = done;
    const about = ` MAILBOX ${mailboxName(name, session.utf8)} UIDVALIDITY ${uidValidity}`;
    const found = foundSet(uids, numberingOf(true, place.runs));
    const asked = words.returns === undefined ? { returns: new Set(['ALL'] as const) } : words;
    if (found.count > 0) {
      told = tellFound(found, asked, { byUid: true, byModSeq, mailboxId, about }, session);
    }
    if (session.out.full) await session.out.flush();
    await turn.giveWay();
  }
  return told;
}

/** Those that exist, each once. */
function mailboxesOf(
  sources: EsearchWords['sources'],
  session: Session,
): readonly MailboxSummary[] {
  const { views } = session.account;
  const subscribed = new Set(views.subscriptions());
  return views
    .mailboxes()
    .filter(({ mailboxId, name }) =>
      sources.some((source) =>
        source.type === 'selected'
          ? mailboxId === session.selected?.mailboxId
          : fitsFilter(source, name, (each) => subscribed.has(each)),
      ),
    );
}

/** The open mailbox is searched as the client knows it. */
function placeOf({ mailboxId }: MailboxSummary, session: Session): SearchPlace {
  const { selected } = session;
  if (selected?.mailboxId === mailboxId) {
    return { mailboxId, runs: selected.told, saved: selected.saved };
  }
  return { mailboxId, runs: session.account.views.uidRuns(mailboxId), saved: NO_UIDS };
}
