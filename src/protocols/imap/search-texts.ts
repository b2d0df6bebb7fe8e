/**
 * What a full-text index knows about a search, put in the place of the questions: messages that
 * hold a text for sure, and those that have still to be looked into, because the index is not sure
 * of them or has not come to them.
 */

import { isEmptyUidSet, unionOf } from '#domain/values/uid-set';
import type { MailboxId } from '#domain/values/ids';
import type { SearchCondition } from '#projections/message-search';
import type { Session } from './session.ts';

/** The same condition for the messages of the mailbox, with fewer questions about texts. */
export async function withIndex(
  condition: SearchCondition,
  mailboxId: MailboxId,
  session: Session,
): Promise<SearchCondition> {
  const within = (inner: SearchCondition): Promise<SearchCondition> =>
    withIndex(inner, mailboxId, session);
  switch (condition.type) {
    case 'and':
      return { type: 'and', all: await Promise.all(condition.all.map(within)) };
    case 'or':
      return { type: 'or', any: await Promise.all(condition.any.map(within)) };
    case 'not':
      return { type: 'not', condition: await within(condition.condition) };
    case 'header':
    case 'body-text':
    case 'any-text': {
      const { accountId, views } = session.account;
      const found = await session.ports.texts?.find(accountId, condition);
      if (found === undefined) return condition;
      const sure = views.uidsOfContents(mailboxId, found.sure);
      const perhaps = views.uidsOfContents(mailboxId, found.perhaps);
      const open = unionOf(perhaps, views.uidsOfContentsAfter(mailboxId, found.upTo));
      const known: SearchCondition = { type: 'uids', uids: sure };
      if (isEmptyUidSet(open)) return known;
      const rest: SearchCondition = { type: 'and', all: [{ type: 'uids', uids: open }, condition] };
      return { type: 'or', any: [known, rest] };
    }
    default:
      return condition;
  }
}
