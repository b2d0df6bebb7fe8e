/**
 * FETCH and UID FETCH, with CHANGEDSINCE and VANISHED.
 *
 * Messages go out in chunks, each read from the views in one go and handed to the client before
 * the next, so that memory stays bounded and others get their turn.
 *
 * RFC 9051 §6.4.5; RFC 7162 §3.1.4 (CHANGEDSINCE), §3.2.6 (VANISHED); RFC 9394 §3.3 (PARTIAL)
 */

import { SEEN } from '#domain/values/flags';
import { isRefusal, type Refusal } from '#domain/values/decision';
import {
  chunksOf,
  isEmptyUidSet,
  NO_UIDS,
  uidCount,
  uidSetOf,
  type UidSet,
} from '#domain/values/uid-set';
import { fetch as fetchItems } from '../fetch-items.ts';
import { FetchAnswers, setsSeen } from '../fetch-answers.ts';
import { Turn } from '../pace.ts';
import { BadSyntax, type Parser } from '../parser.ts';
import { membersIn } from '../partial.ts';
import type { Selected } from '../selected.ts';
import { ok, refused, type Reply, type Session } from '../session.ts';
import type { FetchItem, FetchWords } from '../words.ts';
import { linesOf, vanishedLines } from '../writer.ts';
import { imapCommand, SELECTED, type WholeCommand } from './command.ts';

const CHUNK_MESSAGES = 500;

export const fetch: WholeCommand = fetching(false);
export const uidFetch: WholeCommand = fetching(true);

function fetching(byUid: boolean): WholeCommand {
  return imapCommand({
    states: SELECTED,
    parse: (parser, session) => wordsOf(parser, byUid, session),
    run: (words, session) => run(words, byUid, session),
  });
}

function wordsOf(parser: Parser, byUid: boolean, session: Session): FetchWords {
  const words = fetchItems(parser);
  // RFC 7162 §3.2.6
  if (words.vanished && !(byUid && session.has('QRESYNC'))) {
    throw new BadSyntax('VANISHED needs UID FETCH and QRESYNC.');
  }
  if (words.window !== undefined && !byUid) throw new BadSyntax('PARTIAL needs UID FETCH.');
  if (words.changedSince === 0 && session.options.strict) {
    throw new BadSyntax('A mod-sequence is above 0.');
  }
  return words;
}

async function run(words: FetchWords, byUid: boolean, session: Session): Promise<Reply> {
  const selected = session.mailbox;
  const asksModSeq = words.items.some((item) => item.type === 'MODSEQ');
  if (asksModSeq || words.changedSince !== undefined) session.enableCondstore();
  // What is gone is then not there, instead of being there without content.
  if (byUid) session.out.put(session.takeNews('mailbox'));
  let uids = byUid ? selected.uidsOfUids(words.set) : selected.uidsOfSeqs(words.set);
  // RFC 9394 §3.4: first these messages, then those of them that have changed.
  if (words.window !== undefined) uids = membersIn(uids, words.window);
  if (words.changedSince !== undefined) {
    uids = changedUids(words, words.changedSince, uids, session);
  }
  const seen = await markSeen(words.items, uids, session);
  if ('refused' in seen) return refused(seen);
  const answers = new FetchAnswers(session, words.items, {
    byUid,
    modSeq: words.changedSince !== undefined || (byUid && session.has('QRESYNC')),
    newlySeen: seen.uids,
  });
  const turn = new Turn(session.ports.clock);
  for (const chunk of chunksOf(uids, CHUNK_MESSAGES)) {
    await answers.send(chunk, turn);
    if (session.out.full) await session.out.flush();
    await turn.giveWay();
    if (session.isOver) break;
  }
  const news = byUid ? 'mailbox' : 'mailbox-without-removals';
  if (answers.failure !== undefined) return { ...answers.failure, news };
  if (answers.missing > 0) {
    // RFC 5530 §3
    const text = 'some of the messages are gone';
    return { status: 'NO', text, code: 'EXPUNGEISSUED', news };
  }
  return ok('FETCH done', { news });
}

/** Tells what vanished, if that was asked, and gives those messages that changed. */
function changedUids(words: FetchWords, since: number, uids: UidSet, session: Session): UidSet {
  const { mailboxId } = session.mailbox;
  const { views } = session.account;
  if (words.vanished) {
    const asked = session.mailbox.askedUids(words.set);
    const vanished = views.vanishedSince(mailboxId, since, asked);
    // RFC 7162 §3.2.6: before any FETCH.
    session.out.put(linesOf(vanishedLines(vanished, true)));
  }
  return uidSetOf(views.changedSince(mailboxId, since, uids).map((mark) => mark.uid));
}

/** RFC 9051 §6.4.5: reading a body sets \Seen; one event for the whole command. */
async function markSeen(
  items: readonly FetchItem[],
  uids: UidSet,
  session: Session,
): Promise<{ readonly uids: UidSet } | Refusal> {
  const selected: Selected = session.mailbox;
  if (selected.readOnly || isEmptyUidSet(uids) || !items.some(setsSeen)) return { uids: NO_UIDS };
  const { mailboxId } = selected;
  if (!hasUnseen(uids, session)) return { uids: NO_UIDS };
  const outcome = await session.execute({
    type: 'ChangeFlags',
    mailboxId,
    uids,
    op: 'add',
    flags: ['\\Seen'],
  });
  return isRefusal(outcome) ? outcome : { uids: outcome.answer.changed };
}

function hasUnseen(uids: UidSet, session: Session): boolean {
  const { views } = session.account;
  const { mailboxId } = session.mailbox;
  if (uidCount(uids) <= CHUNK_MESSAGES) {
    return views.marks(mailboxId, uids).some((mark) => (mark.bits & SEEN) === 0);
  }
  const unseen = views.search(mailboxId, {
    type: 'and',
    all: [
      { type: 'uids', uids },
      { type: 'not', condition: { type: 'flag', flag: '\\Seen' } },
    ],
  });
  return !isEmptyUidSet(unseen);
}
