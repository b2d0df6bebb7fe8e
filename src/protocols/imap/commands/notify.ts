/**
 * NOTIFY: which news the client wants, of which mailboxes.
 *
 * RFC 5465 §3.1
 */

import { notify as notifyWords } from '../grammar-notify.ts';
import { no, ok, type Session } from '../session.ts';
import { statusLine } from '../status-items.ts';
import { tell } from '../telling.ts';
import { NOTIFY_EVENTS, type StatusItem } from '../words.ts';
import { imapCommand, LOGGED_IN, type WholeCommand } from './command.ts';

const ITEMS: readonly StatusItem[] = ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY', 'UNSEEN'];

export const notify: WholeCommand = imapCommand({
  states: LOGGED_IN,
  parse: notifyWords,
  async run(words, session) {
    if (words === 'unknown-event') {
      return no('only these events can be told', `BADEVENT (${NOTIFY_EVENTS.join(' ')})`);
    }
    session.askNews(words);
    // RFC 7162 §3.1.2: who fetches MODSEQ knows CONDSTORE.
    if (session.arrivalItems?.some(({ type }) => type === 'MODSEQ') === true) {
      session.enableCondstore();
    }
    // RFC 5465 §3.1: like NOOP for the selected mailbox, so that nothing is missed between.
    await tell('mailbox', session);
    if (words.status) await sendStatus(session);
    return ok('NOTIFY done');
  },
});

/** RFC 5465 §3.1: where the client begins, for every mailbox whose messages it will hear of. */
async function sendStatus(session: Session): Promise<void> {
  const items = session.has('CONDSTORE') ? [...ITEMS, 'HIGHESTMODSEQ' as const] : ITEMS;
  for (const mailbox of session.account.views.mailboxes()) {
    if (mailbox.mailboxId === session.selected?.mailboxId) continue;
    if (!session.newsAskedOf(mailbox.mailboxId).has('MessageNew')) continue;
    session.out.put(statusLine(mailbox, items, session));
    if (session.out.full) await session.out.flush();
  }
}
