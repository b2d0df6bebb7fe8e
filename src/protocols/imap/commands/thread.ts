/**
 * THREAD and UID THREAD.
 *
 * What threads are made of is read in portions: memory follows the ids, and others get their turn.
 *
 * RFC 5256 §3, §4
 */

import { chunksOf, type UidSet } from '#domain/values/uid-set';
import type { ThreadRow } from '#projections/listing-reads';
import { numberingOf } from '../found.ts';
import { Turn } from '../pace.ts';
import { BadSyntax, type Parser } from '../parser.ts';
import { charset, searchKeys } from '../search-keys.ts';
import type { OpenSearch } from '../search-run.ts';
import { ok, type Reply, type Session } from '../session.ts';
import { ReferenceThreads, subjectThreads, threadText, type Thread } from '../thread.ts';
import type { SearchKey } from '../words.ts';
import type { WholeCommand } from './command.ts';
import { searching } from './searching.ts';

const CHUNK_MESSAGES = 1000;

const command = searching<ThreadWords>(threadWords, run);

export const thread: WholeCommand = command(false);
export const uidThread: WholeCommand = command(true);

interface ThreadWords {
  readonly algorithm: 'ORDEREDSUBJECT' | 'REFERENCES';
  readonly key: SearchKey;
}

/** RFC 5256 §5 thread */
function threadWords(p: Parser): ThreadWords {
  p.space();
  const algorithm = p.word();
  if (algorithm !== 'ORDEREDSUBJECT' && algorithm !== 'REFERENCES') {
    throw new BadSyntax('The threading algorithm is not known.');
  }
  p.space();
  charset(p);
  p.space();
  return { algorithm, key: searchKeys(p) };
}

async function run(
  words: ThreadWords,
  { byUid, news, find }: OpenSearch,
  session: Session,
): Promise<Reply> {
  const { mailbox } = session;
  const { told } = mailbox;
  const uids = await find();
  const { algorithm } = words;
  const name = `${algorithm} ${byUid ? 'UID' : ''}`;
  const text = await mailbox.news.threads.get(name, uids, told, async () => {
    const turn = new Turn(session.ports.clock);
    const threads =
      algorithm === 'REFERENCES'
        ? await byReferences(uids, session, turn)
        : await bySubject(uids, session, turn);
    const { one } = numberingOf(byUid, told);
    const pieces: string[] = [];
    for (const piece of threadText(threads, one)) {
      if (pieces.push(piece) % CHUNK_MESSAGES === 0) await turn.giveWay();
    }
    return pieces.join('');
  });
  session.out.line(text === '' ? '* THREAD' : `* THREAD ${text}`);
  return ok('THREAD done', { news });
}

async function byReferences(
  uids: UidSet,
  session: Session,
  turn: Turn,
): Promise<readonly Thread[]> {
  const { views } = session.account;
  const { mailboxId } = session.mailbox;
  const threads = new ReferenceThreads();
  for (const chunk of chunksOf(uids, CHUNK_MESSAGES)) {
    threads.addMessages(views.threadRows(mailboxId, chunk));
    await turn.giveWay();
  }
  for (const chunk of chunksOf(uids, CHUNK_MESSAGES)) {
    threads.addReferences(views.references(mailboxId, chunk));
    await turn.giveWay();
  }
  return threads.threads();
}

async function bySubject(uids: UidSet, session: Session, turn: Turn): Promise<readonly Thread[]> {
  const { views } = session.account;
  const rows: ThreadRow[] = [];
  for (const chunk of chunksOf(uids, CHUNK_MESSAGES)) {
    for (const row of views.threadRows(session.mailbox.mailboxId, chunk)) rows.push(row);
    await turn.giveWay();
  }
  return subjectThreads(rows);
}
