/**
 * SELECT, EXAMINE, CLOSE and UNSELECT.
 *
 * Invariant: what SELECT tells of the mailbox and what QRESYNC tells of its past are read in one
 * go, so both are true at the same modseq.
 *
 * RFC 9051 §6.3.2, §6.3.3, §6.4.1, §6.4.2; RFC 7162 §3.2.5 (QRESYNC)
 */

import { isRefusal } from '#domain/values/decision';
import type { MailboxSummary } from '#projections/account-views';
import { noArguments, select as selectWords } from '../grammar.ts';
import { listLine } from '../list-lines.ts';
import { mailboxObjectId } from '../object-ids.ts';
import { Turn } from '../pace.ts';
import { BadSyntax, type Parser } from '../parser.ts';
import { missedSince, type Missed } from '../resync.ts';
import { fetchFlagsLines, flagsForm, flagsOfMailbox, type Selected } from '../selected.ts';
import { bad, no, ok, refused, uidRequired, type Reply, type Session } from '../session.ts';
import type { SelectWords } from '../words.ts';
import { imapCommand, LOGGED_IN, SELECTED, type WholeCommand } from './command.ts';

const CHUNK_MESSAGES = 1000;

export const select: WholeCommand = opening('SELECT', false);
export const examine: WholeCommand = opening('EXAMINE', true);

function opening(verb: string, readOnly: boolean): WholeCommand {
  return imapCommand({
    states: LOGGED_IN,
    parse: wordsOrError,
    async run(words, session) {
      closeOld(session);
      if (words instanceof BadSyntax) return bad(words.message);
      // RFC 7162 §3.2.5: QRESYNC must have been enabled.
      if (words.qresync !== undefined && !session.has('QRESYNC')) {
        return bad('QRESYNC is not enabled');
      }
      // RFC 9586 §3.7: match data are sequence numbers.
      if (words.qresync?.match !== undefined && session.has('UIDONLY')) return uidRequired();
      const mailbox = session.mailboxNamed(words.mailbox);
      if (mailbox === undefined) return no('the mailbox does not exist', 'NONEXISTENT');
      if (words.condstore) session.enableCondstore();
      const selected = session.select(mailbox, readOnly);
      session.out.put(mailboxText(mailbox, selected, session));
      if (words.qresync !== undefined) {
        await send(missedSince(words.qresync, mailbox, selected.told, session), session);
      }
      return ok(`${verb} done`, { code: readOnly ? 'READ-ONLY' : 'READ-WRITE', news: 'nothing' });
    },
  });
}

/** What happens while it is sent is told by the next command. */
async function send(missed: Missed, session: Session): Promise<void> {
  const { out, mailbox } = session;
  const turn = new Turn(session.ports.clock);
  const form = flagsForm(true, session.has('UIDONLY'));
  out.put(missed.text);
  for (let at = 0; at < missed.changed.length; at += CHUNK_MESSAGES) {
    const chunk = missed.changed.slice(at, at + CHUNK_MESSAGES);
    out.put(fetchFlagsLines(chunk, mailbox.told, form));
    if (out.full) await out.flush();
    await turn.giveWay();
  }
}

/** RFC 9051 §6.3.2: also a SELECT that cannot be understood closes the mailbox that was open. */
function wordsOrError(parser: Parser): SelectWords | BadSyntax {
  try {
    return selectWords(parser);
  } catch (error) {
    if (error instanceof BadSyntax) return error;
    throw error;
  }
}

/** RFC 7162 §3.2.11: CLOSED separates what is said of the old mailbox from what follows. */
function closeOld(session: Session): void {
  if (session.selected === undefined) return;
  session.out.put(session.takeNews('mailbox'));
  session.unselect();
  session.out.line('* OK [CLOSED] the mailbox is closed');
}

function mailboxText(mailbox: MailboxSummary, selected: Selected, session: Session): string {
  const flags = flagsOfMailbox(selected.keywords);
  const count = selected.told.count;
  let text = `* FLAGS (${flags})\r\n`;
  text += `* OK [PERMANENTFLAGS (${flags} \\*)] flags that are kept\r\n`;
  if (!session.has('IMAP4rev2')) text += '* 0 RECENT\r\n';
  text += `* ${count} EXISTS\r\n`;
  // RFC 9586 §3.5: no sequence number is told under UIDONLY.
  if (!session.has('IMAP4rev2') && !session.has('UIDONLY') && mailbox.unseen > 0) {
    const uid = session.account.views.firstUnseen(mailbox.mailboxId);
    const seq = uid === undefined ? undefined : selected.seqOf(uid);
    if (seq !== undefined) text += `* OK [UNSEEN ${seq}] first unseen message\r\n`;
  }
  text += `* OK [UIDVALIDITY ${mailbox.uidValidity}] UIDs are valid\r\n`;
  text += `* OK [UIDNEXT ${mailbox.uidNext}] predicted next UID\r\n`;
  text += listLine([], mailbox.name, session.utf8);
  text += `* OK [MAILBOXID (${mailboxObjectId(mailbox.mailboxId)})] lasting id\r\n`;
  // RFC 7162 §3.1.2.1: every mailbox of ours keeps modseqs.
  return `${text}* OK [HIGHESTMODSEQ ${mailbox.highestModSeq}] highest modseq\r\n`;
}

/** Removes the messages flagged \Deleted without a word about them. */
export const close: WholeCommand = imapCommand({
  states: SELECTED,
  parse: noArguments,
  async run(_, session): Promise<Reply> {
    const { mailboxId, readOnly, isGone } = session.mailbox;
    session.unselect();
    if (!readOnly && !isGone) {
      const outcome = await session.execute({ type: 'ExpungeMessages', mailboxId });
      if (isRefusal(outcome)) return refused(outcome);
    }
    return ok('CLOSE done');
  },
});

export const unselect: WholeCommand = imapCommand({
  states: SELECTED,
  parse: noArguments,
  run(_, session) {
    session.unselect();
    return ok('UNSELECT done');
  },
});
