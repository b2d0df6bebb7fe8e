/**
 * EXPUNGE and UID EXPUNGE. The removals themselves are told as they are to every session.
 *
 * RFC 9051 §6.4.3, §6.4.9; RFC 7162 §3.2.7
 */

import { isRefusal } from '#domain/values/decision';
import { uidExpunge as uidExpungeWords } from '../grammar-messages.ts';
import { noArguments } from '../grammar.ts';
import { no, ok, refused, type Reply, type Session } from '../session.ts';
import type { SequenceSet } from '../words.ts';
import { imapCommand, SELECTED, type WholeCommand } from './command.ts';

export const expunge: WholeCommand = imapCommand({
  states: SELECTED,
  parse: noArguments,
  run: (_, session) => remove(undefined, session),
});

export const uidExpunge: WholeCommand = imapCommand({
  states: SELECTED,
  parse: uidExpungeWords,
  run: remove,
});

async function remove(set: SequenceSet | undefined, session: Session): Promise<Reply> {
  const selected = session.mailbox;
  if (selected.readOnly) return no('the mailbox is open for reading only');
  const outcome = await session.execute({
    type: 'ExpungeMessages',
    mailboxId: selected.mailboxId,
    ...(set !== undefined && { uids: selected.uidsOfUids(set) }),
  });
  if (isRefusal(outcome)) return refused(outcome);
  // RFC 7162 §3.2.7: only when something went.
  const told = outcome.facts.length > 0 && session.has('CONDSTORE');
  return ok('EXPUNGE done', told ? { modSeq: outcome.modSeq } : {});
}
