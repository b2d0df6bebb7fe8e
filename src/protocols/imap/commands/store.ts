/**
 * STORE and UID STORE, with UNCHANGEDSINCE.
 *
 * RFC 9051 §6.4.6, RFC 7162 §3.1.3
 */

import { isRefusal } from '#domain/values/decision';
import type { MessageMark } from '#domain/message/state';
import type { MessageAnswers } from '#domain/message/decide';
import {
  chunksOf,
  differenceOf,
  formatUidSet,
  hasUid,
  isEmptyUidSet,
  uidCount,
  type UidSet,
} from '#domain/values/uid-set';
import { store as storeWords } from '../grammar-messages.ts';
import { Turn } from '../pace.ts';
import { withProgress } from '../progress.ts';
import { no, ok, refused, type Reply, type Session } from '../session.ts';
import type { StoreWords } from '../words.ts';
import { fetchStart, flagSetText } from '../writer.ts';
import { imapCommand, SELECTED, type WholeCommand } from './command.ts';

const CHUNK_MESSAGES = 1000;

export const store: WholeCommand = storing(false);
export const uidStore: WholeCommand = storing(true);

function storing(byUid: boolean): WholeCommand {
  return imapCommand({
    states: SELECTED,
    parse: storeWords,
    run: (words, session) => run(words, byUid, session),
  });
}

async function run(words: StoreWords, byUid: boolean, session: Session): Promise<Reply> {
  const selected = session.mailbox;
  if (selected.readOnly) return no('the mailbox is open for reading only');
  if (words.unchangedSince !== undefined) session.enableCondstore();
  const uids = byUid ? selected.uidsOfUids(words.set) : selected.uidsOfSeqs(words.set);
  if (isEmptyUidSet(uids)) return ok('STORE done');
  const outcome = await withProgress(session, uidCount(uids), () =>
    session.execute({
      type: 'ChangeFlags',
      mailboxId: selected.mailboxId,
      uids,
      op: words.op,
      flags: words.flags,
      ...(words.unchangedSince !== undefined && { unchangedSince: words.unchangedSince }),
    }),
  );
  if (isRefusal(outcome)) return refused(outcome);
  await tell(words, byUid, uids, outcome.answer, session);
  return conclusion(byUid, outcome.answer, session);
}

/** The messages as they are now, as far as the client wants to know. */
async function tell(
  words: StoreWords,
  byUid: boolean,
  uids: UidSet,
  answer: MessageAnswers['ChangeFlags'],
  session: Session,
): Promise<void> {
  const { leftAlone, missing } = answer;
  const conditional = words.unchangedSince !== undefined;
  if (words.silent && !conditional) return;
  const { out, mailbox, account } = session;
  out.put(mailbox.keywordLine());
  const turn = new Turn(session.ports.clock);
  const line = lineOf(byUid, session);
  for (const chunk of chunksOf(differenceOf(uids, missing), CHUNK_MESSAGES)) {
    let text = '';
    for (const mark of account.views.marks(mailbox.mailboxId, chunk)) {
      // RFC 7162 §3.1.3: .SILENT hides the flags of what was stored, not its modseq.
      text += line(mark, !words.silent || hasUid(leftAlone, mark.uid));
    }
    out.put(text);
    if (out.full) await out.flush();
    await turn.giveWay();
  }
}

function lineOf(
  byUid: boolean,
  session: Session,
): (mark: MessageMark, withFlags: boolean) => string {
  const { mailbox } = session;
  const condstore = session.has('CONDSTORE');
  const uidOnly = session.has('UIDONLY');
  // RFC 7162 §3.2.4: with QRESYNC, changes are told with their UID.
  const withUid = !uidOnly && (byUid || session.has('QRESYNC'));
  return (mark, withFlags) => {
    const seq = mailbox.seqOf(mark.uid);
    if (seq === undefined) return '';
    let items = withUid ? `UID ${mark.uid}` : '';
    if (withFlags) items += `${items === '' ? '' : ' '}FLAGS ${flagSetText(mark)}`;
    if (condstore) {
      mailbox.show(mark.modSeq);
      items += `${items === '' ? '' : ' '}MODSEQ (${mark.modSeq})`;
    }
    return `${fetchStart(seq, mark.uid, uidOnly)}${items})\r\n`;
  };
}

function conclusion(
  byUid: boolean,
  { leftAlone, missing }: MessageAnswers['ChangeFlags'],
  session: Session,
): Reply {
  const news = byUid ? 'mailbox' : 'mailbox-without-removals';
  const failed = byUid ? leftAlone : session.mailbox.told.seqsOf(leftAlone);
  const modified = isEmptyUidSet(failed) ? {} : { code: `MODIFIED ${formatUidSet(failed)}` };
  // RFC 7162 §3.1.3: a sequence number whose message is gone is an error, a UID is not.
  if (!byUid && !isEmptyUidSet(missing)) {
    const code = modified.code ?? 'EXPUNGEISSUED';
    return { status: 'NO', text: 'some of the messages are gone', code, news };
  }
  return ok(isEmptyUidSet(failed) ? 'STORE done' : 'some were changed meanwhile', {
    ...modified,
    news,
  });
}
