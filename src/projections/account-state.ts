/**
 * What decisions ask about an account, answered by its read models.
 *
 * It sees what the turn of the lane has written so far, committed or not; the property test
 * `state-agrees` holds it against the reference model of the domain.
 */

import type { AccountState } from '#domain/account';
import { annotationsOf, annotationTotals } from './annotations.ts';
import { bodyRelease } from './body-reads.ts';
import { credentialsIn } from './credentials.ts';
import {
  isSubscribed,
  mailboxById,
  mailboxByName,
  mailboxByUse,
  mailboxCount,
  mailboxesBelow,
  nextNumbers,
  usedBytes,
} from './mailbox-reads.ts';
import { bytesOf } from './mailbox-tally.ts';
import { deletedOf, marksOf } from './mark-reads.ts';
import type { AccountWrite } from './model.ts';
import { hasWrittenTo, newRecipientsSince, recipientsSince } from './sent-counts.ts';
import { failuresInRow, remembersUpTo, sentItem, sentItemOf } from './sent-items.ts';
import { suppression } from './suppressions.ts';
import { tlsKeyCountIn, tlsKeyIn } from './tls-keys.ts';
import { existingOf } from './uid-runs.ts';
import {
  nextHookNumber,
  openWebhooks,
  pendingWebhooksOf,
  remembersWebhooksUpTo,
  webhookIn,
} from './webhooks.ts';

export function accountState(write: AccountWrite): AccountState {
  return {
    mailbox: (mailboxId) => mailboxById(write.settled(), mailboxId),
    mailboxNamed: (name) => mailboxByName(write.settled(), name),
    mailboxesBelow: (name) => mailboxesBelow(write.settled(), name),
    mailboxFor: (specialUse) => mailboxByUse(write.settled(), specialUse),
    mailboxCount: () => mailboxCount(write.settled()),
    isSubscribed: (name) => isSubscribed(write, name),
    nextNumbers: () => nextNumbers(write.settled()),
    annotationsOf: (mailboxId) => annotationsOf(write, mailboxId),
    annotationTotals: () => annotationTotals(write),
    bodyRelease: (body) => bodyRelease(write.arrived(), body),
    // A client may ask for billions of UIDs in thousands of runs: what exists bounds the read.
    marksOf: (mailboxId, uids) =>
      marksOf(write.marks, mailboxId, existingOf(write.settled(), mailboxId, uids)),
    deletedOf: (mailboxId, uids) => deletedOf(write.marks, mailboxId, uids),
    existingOf: (mailboxId, uids) => existingOf(write.settled(), mailboxId, uids),
    bytesOf: (mailboxId, uids) => bytesOf(write.arrived(), mailboxId, uids),
    usedBytes: () => usedBytes(write.settled()),
    queueItem: (queueId) => write.queue.item(write, queueId),
    openAttempts: () => write.queue.open(write),
    queuedBytes: () => write.queue.bytes(write),
    sentItem: (reference) => sentItem(write, reference),
    sentItemOf: (queueId) => sentItemOf(write, queueId),
    remembersUpTo: (upTo) => remembersUpTo(write, upTo),
    recipientsSince: (since) => recipientsSince(write, since),
    newRecipientsSince: (since) => newRecipientsSince(write, since),
    hasWrittenTo: (recipient) => hasWrittenTo(write, recipient),
    suppression: (baseAddress) => suppression(write, baseAddress),
    failuresInRow: (recipient, besides) => failuresInRow(write, recipient, besides),
    webhook: (hookId) => webhookIn(write, hookId),
    pendingWebhooksOf: (queueId) => pendingWebhooksOf(write, queueId),
    openWebhooks: () => openWebhooks(write),
    nextHookNumber: () => nextHookNumber(write),
    remembersWebhooksUpTo: (upTo) => remembersWebhooksUpTo(write, upTo),
    credentials: () => credentialsIn(write),
    tlsKey: (fingerprint) => tlsKeyIn(write, fingerprint),
    tlsKeyCount: () => tlsKeyCountIn(write),
  };
}
