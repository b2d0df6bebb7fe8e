/**
 * Every read model, in the order in which they are applied, and the database it lives in.
 */

import { annotations } from './annotations.ts';
import { attemptResults } from './attempt-results.ts';
import { bodies } from './bodies.ts';
import { changes } from './changes.ts';
import { credentials } from './credentials.ts';
import { listings } from './listings.ts';
import { loginAttempts } from './login-attempts.ts';
import { mailboxes } from './mailboxes.ts';
import { marks } from './marks.ts';
import { messageRuns } from './message-runs.ts';
import { messages } from './messages.ts';
import type { AccountModel, AuditModel, ReportModel, ServerModel } from './model.ts';
import { outgoingReports } from './outgoing-reports.ts';
import { queue } from './queue.ts';
import { retired } from './retired.ts';
import { retiredWebhooks } from './retired-webhooks.ts';
import { sentCounts } from './sent-counts.ts';
import { sentItems } from './sent-items.ts';
import { serverCredentials } from './server-credentials.ts';
import { serverQueue } from './server-queue.ts';
import { serverSuppressions } from './server-suppressions.ts';
import { serverTlsKeys } from './server-tls-keys.ts';
import { serverWebhooks } from './server-webhooks.ts';
import { suppressions } from './suppressions.ts';
import { tlsKeys } from './tls-keys.ts';
import { webhookResults } from './webhook-results.ts';
import { webhooks } from './webhooks.ts';

/**
 * `mailboxes` counts what `marks` and `messages` held before the fact; `bodies` asks `queue` which
 * body a message had.
 */
export const ACCOUNT_MODELS: readonly AccountModel[] = [
  mailboxes,
  marks,
  messages,
  listings,
  messageRuns,
  changes,
  annotations,
  bodies,
  suppressions,
  queue,
  sentItems,
  webhooks,
  sentCounts,
  credentials,
  tlsKeys,
];

/**
 * What leaves the queue is looked up in `serverQueue`, and what is forgotten in `retired`; the same
 * with webhooks.
 */
export const SERVER_MODELS: readonly ServerModel[] = [
  attemptResults,
  retired,
  serverQueue,
  webhookResults,
  retiredWebhooks,
  serverWebhooks,
  serverSuppressions,
  serverCredentials,
  serverTlsKeys,
];

/** In the database of the server too. */
export const AUDIT_MODELS: readonly AuditModel[] = [loginAttempts];
export const REPORT_MODELS: readonly ReportModel[] = [outgoingReports];
