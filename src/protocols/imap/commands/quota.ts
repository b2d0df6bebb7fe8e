/**
 * GETQUOTA and GETQUOTAROOT: an account with a quota has one root, '', for all of its mailboxes.
 *
 * The administrator sets it; SETQUOTA is no command here.
 *
 * RFC 9208 §4
 */

import { oneMailbox } from '../grammar.ts';
import { quotaRoot } from '../grammar-metadata.ts';
import { no, ok, type Session } from '../session.ts';
import { mailboxName } from '../writer.ts';
import { imapCommand, LOGGED_IN, type WholeCommand } from './command.ts';

export const getQuotaRoot: WholeCommand = imapCommand({
  states: LOGGED_IN,
  parse: oneMailbox,
  run(name, session) {
    const mailbox = session.mailboxNamed(name);
    if (mailbox === undefined) return no('the mailbox does not exist', 'NONEXISTENT');
    const limited = hasQuota(session);
    const roots = limited ? ' ""' : '';
    session.out.line(`* QUOTAROOT ${mailboxName(mailbox.name, session.utf8)}${roots}`);
    if (limited) session.out.line(quotaLine(session));
    return ok('GETQUOTAROOT done');
  },
});

export const getQuota: WholeCommand = imapCommand({
  states: LOGGED_IN,
  parse: quotaRoot,
  run(root, session) {
    if (root !== '' || !hasQuota(session)) {
      return no('there is no such quota root', 'NONEXISTENT');
    }
    session.out.line(quotaLine(session));
    return ok('GETQUOTA done');
  },
});

function hasQuota({ settings }: Session): boolean {
  return settings.quotaBytes > 0;
}

/** RFC 9208 §5.1: STORAGE is in units of 1024 octets. */
function quotaLine({ account, settings }: Session): string {
  const used = Math.ceil(account.views.usedBytes() / 1024);
  return `* QUOTA "" (STORAGE ${used} ${Math.ceil(settings.quotaBytes / 1024)})`;
}
