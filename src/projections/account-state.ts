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
import { marksOf } from './message-reads.ts';
import { EXISTING, membersOf, TO_EXPUNGE } from './message-runs.ts';
import { openAttempts, queueItem } from './queue.ts';
import type { Sql } from './query.ts';
import { tlsKeyCountIn, tlsKeyIn } from './tls-keys.ts';

export function accountState(sql: Sql): AccountState {
  return {
    mailbox: (mailboxId) => mailboxById(sql, mailboxId),
    mailboxNamed: (name) => mailboxByName(sql, name),
    mailboxesBelow: (name) => mailboxesBelow(sql, name),
    mailboxFor: (specialUse) => mailboxByUse(sql, specialUse),
    mailboxCount: () => mailboxCount(sql),
    isSubscribed: (name) => isSubscribed(sql, name),
    nextNumbers: () => nextNumbers(sql),
    // A client may ask for billions of UIDs in thousands of runs: what exists bounds the read.
    marksOf: (mailboxId, uids) =>
      marksOf(sql, mailboxId, membersOf(sql, mailboxId, EXISTING, uids)),
    deletedOf: (mailboxId, uids) => membersOf(sql, mailboxId, TO_EXPUNGE, uids),
    existingOf: (mailboxId, uids) => membersOf(sql, mailboxId, EXISTING, uids),
    queueItem: (queueId) => queueItem(sql, queueId),
    openAttempts: () => openAttempts(sql),
    credentials: () => credentialsIn(sql),
    tlsKey: (fingerprint) => tlsKeyIn(sql, fingerprint),
    tlsKeyCount: () => tlsKeyCountIn(sql),
  };
}
