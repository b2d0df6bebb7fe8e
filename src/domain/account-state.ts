/**
 * The reference model of an account: the state that decisions ask, on plain maps.
 *
 * It is what the read models are measured against: whatever they store and answer must be what
 * these maps say after the same facts. Written to be obviously right, not to be fast.
 */

import type { AccountState } from './account.ts';
import { bodyReleaseIn, emptyBodies, evolveBodies, type BodiesInUse } from './body/state.ts';
import {
  evolveCredentials,
  evolveTlsKeys,
  type Credentials,
  type TlsKey,
} from './credential/state.ts';
import type { AccountFact } from './log/streams.ts';
import {
  annotationRecordsOf,
  annotationRecordTotals,
  evolveAnnotations,
  type AnnotationRecords,
} from './mailbox/annotations.ts';
import type { SpecialUse } from './mailbox/events.ts';
import {
  emptyMailboxes,
  evolveMailboxes,
  recordFor,
  recordNamed,
  recordsBelow,
  type AccountCounters,
  type MailboxRecord,
  type MailboxRecords,
} from './mailbox/state.ts';
import {
  bodiesOf,
  emptyMessages,
  evolveMessages,
  isDeleted,
  recordsOf,
  sumOfBytes,
  uidsOfRecords,
  type MessageRecord,
  type MessageRecords,
} from './message/state.ts';
import { emptySentCounts, evolveSentCounts, sentCountState } from './queue/daily-limits.ts';
import {
  emptyQueue,
  evolveQueue,
  failuresInRowIn,
  queueState,
  type QueueRecords,
} from './queue/state.ts';
import {
  emptySuppressions,
  evolveSuppressions,
  type SuppressionRecords,
} from './suppression/state.ts';
import {
  emptyWebhooks,
  evolveWebhooks,
  webhookState,
  type WebhookRecords,
} from './webhook/state.ts';
import type { MailboxId } from './values/ids.ts';
import type { UidSet } from './values/uid-set.ts';

/** The records of an account, answering what decisions ask. */
export interface AccountRecords extends AccountState {
  readonly mailboxRecords: MailboxRecords;
  readonly messageRecords: MessageRecords;
  readonly queueRecords: QueueRecords;
  readonly suppressionRecords: SuppressionRecords;
  readonly webhookRecords: WebhookRecords;
  mailbox(mailboxId: MailboxId): MailboxRecord | undefined;
  mailboxNamed(name: string): MailboxRecord | undefined;
  marksOf(mailboxId: MailboxId, uids: UidSet): readonly MessageRecord[];
  /** Writes the next fact. */
  write(fact: AccountFact): void;
}

/** An account of which nothing is known yet. */
export function emptyAccountState(): AccountRecords {
  const mailboxRecords = emptyMailboxes();
  const annotations: AnnotationRecords = new Map();
  const messageRecords = emptyMessages();
  const bodyRecords = emptyBodies();
  const queueRecords = emptyQueue();
  const sentCounts = emptySentCounts();
  const suppressionRecords = emptySuppressions();
  const webhookRecords = emptyWebhooks();
  let credentials: Credentials = {};
  const tlsKeys = new Map<string, TlsKey>();
  const bodiesUsed = (): BodiesInUse => bodiesInUse(messageRecords, queueRecords);
  const found = (mailboxId: MailboxId, uids: UidSet): readonly MessageRecord[] =>
    recordsOf(messageRecords, mailboxId, uids);
  return {
    mailboxRecords,
    messageRecords,
    queueRecords,
    suppressionRecords,
    webhookRecords,
    mailbox: (mailboxId) => mailboxRecords.mailboxes.get(mailboxId),
    mailboxNamed: (name) => recordNamed(mailboxRecords, name),
    mailboxesBelow: (name) => recordsBelow(mailboxRecords, name),
    mailboxFor: (specialUse: SpecialUse) => recordFor(mailboxRecords, specialUse),
    mailboxCount: () => mailboxRecords.mailboxes.size,
    isSubscribed: (name) => mailboxRecords.subscriptions.has(name),
    nextNumbers: (): AccountCounters => ({
      mailboxId: mailboxRecords.nextMailboxId,
      messageId: messageRecords.nextMessageId,
      uidValidity: mailboxRecords.nextUidValidity,
      queueId: queueRecords.nextCounter,
    }),
    annotationsOf: (mailboxId) => annotationRecordsOf(annotations, mailboxId),
    annotationTotals: () => annotationRecordTotals(annotations),
    bodyRelease: (body) => bodyReleaseIn(bodyRecords, bodiesUsed(), body),
    marksOf: found,
    deletedOf: (mailboxId, uids) => uidsOfRecords(found(mailboxId, uids).filter(isDeleted)),
    existingOf: (mailboxId, uids) => uidsOfRecords(found(mailboxId, uids)),
    bytesOf: (mailboxId, uids) => sumOfBytes(found(mailboxId, uids)),
    usedBytes: () =>
      sumOfBytes(
        [...messageRecords.contents.values()].flatMap((each) => [...each.messages.values()]),
      ),
    ...queueState(queueRecords),
    ...sentCountState(sentCounts),
    ...webhookState(webhookRecords),
    suppression: (baseAddress) => suppressionRecords.suppressions.get(baseAddress),
    failuresInRow: (recipient, besides) => failuresInRowIn(queueRecords, recipient, besides),
    credentials: () => credentials,
    tlsKey: (fingerprint) => tlsKeys.get(fingerprint),
    tlsKeyCount: () => tlsKeys.size,
    write(fact) {
      const used = bodiesUsed();
      evolveMailboxes(mailboxRecords, fact.event, fact.modSeq);
      evolveAnnotations(annotations, fact.event);
      evolveMessages(messageRecords, fact);
      evolveSuppressions(suppressionRecords, fact);
      evolveQueue(queueRecords, fact);
      evolveSentCounts(sentCounts, fact);
      evolveWebhooks(webhookRecords, fact);
      credentials = evolveCredentials(credentials, fact.event);
      evolveTlsKeys(tlsKeys, fact.event);
      evolveBodies(bodyRecords, fact, used, bodiesUsed());
    },
  };
}

function bodiesInUse(messages: MessageRecords, queue: QueueRecords): BodiesInUse {
  const queued = Array.from(queue.items.values(), ({ body }) => body);
  return { mail: bodiesOf(messages), queue: new Set(queued) };
}

/** The state after one more fact: the same object, written to. */
export function evolveAccount(state: AccountRecords, fact: AccountFact): AccountRecords {
  state.write(fact);
  return state;
}
