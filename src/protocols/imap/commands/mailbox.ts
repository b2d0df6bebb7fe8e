/**
 * CREATE, DELETE, RENAME, SUBSCRIBE and UNSUBSCRIBE.
 *
 * RFC 9051 §6.3.4 to §6.3.8, RFC 6154 §3 (CREATE with a special use), RFC 8474 §4.2 (MAILBOXID)
 */

import { isRefusal } from '#domain/values/decision';
import type { MailboxId } from '#domain/values/ids';
import { create as createWords, oneMailbox, rename as renameWords } from '../grammar.ts';
import { listLine, renamedLine } from '../list-lines.ts';
import { mailboxObjectId } from '../object-ids.ts';
import { no, ok, refused } from '../session.ts';
import { imapCommand, LOGGED_IN, type WholeCommand } from './command.ts';

export const create: WholeCommand = imapCommand({
  states: LOGGED_IN,
  parse: createWords,
  async run({ mailbox, uses, unknownUse }, session) {
    const [specialUse, ...others] = uses;
    // RFC 6154 §3: a use that cannot be given is refused. Ours take one each.
    if (unknownUse || others.length > 0) {
      return no('the mailbox cannot have that special use', 'USEATTR');
    }
    const outcome = await session.execute({
      type: 'CreateMailbox',
      name: mailbox,
      ...(specialUse !== undefined && { specialUse }),
    });
    if (isRefusal(outcome)) return refused(outcome);
    const { created } = outcome.answer;
    for (const { name } of created) {
      session.out.put(listLine(['\\Subscribed'], name, session.utf8));
    }
    const mailboxId = created.at(-1)?.mailboxId as MailboxId;
    return ok('CREATE done', { code: `MAILBOXID (${mailboxObjectId(mailboxId)})` });
  },
});

export const deleteMailbox: WholeCommand = imapCommand({
  states: LOGGED_IN,
  parse: oneMailbox,
  async run(name, session) {
    const outcome = await session.execute({ type: 'DeleteMailbox', name });
    return isRefusal(outcome) ? refused(outcome) : ok('DELETE done');
  },
});

export const rename: WholeCommand = imapCommand({
  states: LOGGED_IN,
  parse: renameWords,
  async run({ from, to }, session) {
    const outcome = await session.execute({ type: 'RenameMailbox', from, to });
    if (isRefusal(outcome)) return refused(outcome);
    const tellsChanges = session.has('IMAP4rev2') || session.isWatching;
    for (const { event } of outcome.facts) {
      // RFC 9051 §6.3.9.7: clients that know OLDNAME learn where the mailboxes went.
      if (event.type !== 'MailboxesRenamed' || !tellsChanges) continue;
      const modes = { utf8: session.utf8, tellsChanges };
      for (const each of event.renames) session.out.put(renamedLine(each.from, each.to, modes));
    }
    return ok('RENAME done');
  },
});

export const subscribe: WholeCommand = imapCommand({
  states: LOGGED_IN,
  parse: oneMailbox,
  async run(name, session) {
    const outcome = await session.execute({ type: 'SubscribeMailbox', name });
    return isRefusal(outcome) ? refused(outcome) : ok('SUBSCRIBE done');
  },
});

export const unsubscribe: WholeCommand = imapCommand({
  states: LOGGED_IN,
  parse: oneMailbox,
  async run(name, session) {
    const outcome = await session.execute({ type: 'UnsubscribeMailbox', name });
    return isRefusal(outcome) ? refused(outcome) : ok('UNSUBSCRIBE done');
  },
});
