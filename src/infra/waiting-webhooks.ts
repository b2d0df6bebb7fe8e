/**
 * Which webhooks are to be called when: from the books of the server.
 */

import {
  accountsInWebhookAttempt,
  dueWebhooks,
  nextWebhookDueAfter,
} from '#projections/due-webhooks';
import type { WaitingWebhooks } from '#protocols/ports-webhook';
import type { ServerBooks } from './server-books.ts';

export function waitingWebhooks(
  books: Pick<ServerBooks, 'read' | 'webhookChanges'>,
): WaitingWebhooks {
  return {
    due: (now, { urls, accounts }, limit) =>
      books.read((sql) => dueWebhooks(sql, now, urls, limit, accounts)),
    nextDueAfter: (now) => books.read((sql) => nextWebhookDueAfter(sql, now)),
    accountsInAttempt: () => books.read(accountsInWebhookAttempt),
    changes: books.webhookChanges,
  };
}
