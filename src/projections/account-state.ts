/**
 * What decisions ask about an account, answered by its read models.
 *
 * It sees what the turn of the lane has written so far, committed or not; the property test
 * `state-agrees` holds it against the reference model of the domain.
 */

import type { AccountState } from '#domain/account';
import { credentialsIn } from './credentials.ts';
import {
  isSubscribed,
  mailboxById,
  mailboxByName,
  mailboxByUse,
  mailboxCount,
  mailboxesBelow,
  nextNumbers,
} from './mailbox-reads.ts';
import { deletedOf, marksOf } from './mark-reads.ts';
import { existingOf } from './message-runs.ts';
import type { AccountWrite } from './model.ts';
import { openAttempts, queueItem } from './queue.ts';
import { tlsKeyCountIn, tlsKeyIn } from './tls-keys.ts';

export function accountState(write: AccountWrite): AccountState {
  return {
    mailbox: (mailboxId) => mailboxById(write, mailboxId),
    mailboxNamed: (name) => mailboxByName(write, name),
    mailboxesBelow: (name) => mailboxesBelow(write, name),
    mailboxFor: (specialUse) => mailboxByUse(write, specialUse),
    mailboxCount: () => mailboxCount(write),
    isSubscribed: (name) => isSubscribed(write, name),
    nextNumbers: () => nextNumbers(write),
    // A client may ask for billions of UIDs in thousands of runs: what exists bounds the read.
    marksOf: (mailboxId, uids) =>
      marksOf(write.marks, mailboxId, existingOf(write, mailboxId, uids)),
    deletedOf: (mailboxId, uids) => deletedOf(write.marks, mailboxId, uids),
    existingOf: (mailboxId, uids) => existingOf(write, mailboxId, uids),
    queueItem: (queueId) => queueItem(write, queueId),
    openAttempts: () => openAttempts(write),
    credentials: () => credentialsIn(write),
    tlsKey: (fingerprint) => tlsKeyIn(write, fingerprint),
    tlsKeyCount: () => tlsKeyCountIn(write),
  };
}
