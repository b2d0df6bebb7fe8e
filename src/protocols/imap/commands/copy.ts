/**
 * COPY, MOVE and their UID forms.
 *
 * RFC 9051 §6.4.7, §6.4.8; RFC 4315 §3 (COPYUID); RFC 7162 §3.2.8 (MOVE)
 */

import { isRefusal } from '#domain/values/decision';
import type { Transfer } from '#domain/message/decide';
import { formatUidSet, isEmptyUidSet, uidCount, uidRange } from '#domain/values/uid-set';
import { copy as copyWords } from '../grammar-messages.ts';
import { withProgress } from '../progress.ts';
import { no, ok, refused, type Reply, type Session } from '../session.ts';
import { imapCommand, SELECTED, type WholeCommand } from './command.ts';

export const copy: WholeCommand = copying(false);
export const uidCopy: WholeCommand = copying(true);
export const move: WholeCommand = moving(false);
export const uidMove: WholeCommand = moving(true);

function copying(byUid: boolean): WholeCommand {
  return imapCommand({
    states: SELECTED,
    parse: copyWords,
    async run(words, session) {
      const { mailboxId: source } = session.mailbox;
      const uids = asked(words, byUid, session);
      if (isEmptyUidSet(uids)) return nothing('COPY', words, session);
      const target = words.mailbox;
      const outcome = await withProgress(session, uidCount(uids), () =>
        session.execute({ type: 'CopyMessages', source, uids, target }),
      );
      if (isRefusal(outcome)) return refused(outcome);
      const code = copyUid(outcome.answer);
      return ok('COPY done', code === undefined ? {} : { code });
    },
  });
}

function moving(byUid: boolean): WholeCommand {
  return imapCommand({
    states: SELECTED,
    parse: copyWords,
    async run(words, session) {
      const { mailboxId: source, readOnly } = session.mailbox;
      if (readOnly) return no('the mailbox is open for reading only');
      const uids = asked(words, byUid, session);
      if (isEmptyUidSet(uids)) return nothing('MOVE', words, session);
      const target = words.mailbox;
      const outcome = await withProgress(session, uidCount(uids), () =>
        session.execute({ type: 'MoveMessages', source, uids, target }),
      );
      if (isRefusal(outcome)) return refused(outcome);
      // RFC 6851 §4.3: where they went is told before they vanish.
      const code = copyUid(outcome.answer);
      if (code !== undefined) session.out.line(`* OK [${code}] moved`);
      const told = outcome.facts.length > 0 && session.has('CONDSTORE');
      return ok('MOVE done', told ? { modSeq: outcome.modSeq } : {});
    },
  });
}

type CopyWords = ReturnType<typeof copyWords>;

function asked(words: CopyWords, byUid: boolean, session: Session): ReturnType<typeof uidRange> {
  const selected = session.mailbox;
  return byUid ? selected.uidsOfUids(words.set) : selected.uidsOfSeqs(words.set);
}

/** RFC 9051 §6.4.9: UIDs that do not exist are no error; the target must be there all the same. */
function nothing(verb: string, words: CopyWords, session: Session): Reply {
  const target = session.mailboxNamed(words.mailbox);
  if (target === undefined) return no('the target mailbox does not exist', 'TRYCREATE');
  return ok(`${verb} done, no such messages`);
}

/** RFC 4315 §3; undefined when nothing was there to go. */
function copyUid({ uids, uidValidity, firstUid }: Transfer): string | undefined {
  if (isEmptyUidSet(uids)) return undefined;
  const copies = uidRange(firstUid, firstUid + uidCount(uids) - 1);
  return `COPYUID ${uidValidity} ${formatUidSet(uids)} ${formatUidSet(copies)}`;
}
