/**
 * Read model of what stays the same about live messages: posts facts with set-based statements over
 * ranges of UIDs.
 *
 * When the last message of a content goes, its rows are only marked as orphans; `sweepOrphans`
 * removes them in portions, because that costs more than the rest of an EXPUNGE.
 */

import { sql as raw, type Compilable, type InsertResult, type RawBuilder } from 'kysely';
import type { MessagesCopied, MessagesMoved, NewMessage } from '#domain/message/events';
import type { AccountFact } from '#domain/log/streams';
import type { MessageFacts } from '#domain/values/facts';
import type { Instant, MailboxId, MessageId, ModSeq, Uid } from '#domain/values/ids';
import { parseUidSet } from '#domain/values/uid-set';
import { MESSAGE_DDL, type MessageTables } from './message-tables.ts';
import type { AccountModel, AccountWrite, FactsOf } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';
import { legsOf } from './uid-changes.ts';

const db = tables<MessageTables>();

export const messages: AccountModel = {
  name: 'messages',
  version: 6,
  ddl: MESSAGE_DDL,
  // Orphans are gone but for their removal: no row of theirs counts.
  rows: [
    db.selectFrom('messages').selectAll().orderBy('mailbox_id').orderBy('uid'),
    db
      .selectFrom('contents')
      .selectAll()
      .where('content_id', 'in', db.selectFrom('messages').select('messages.content_id'))
      .orderBy('content_id'),
    db
      .selectFrom('wires')
      .selectAll()
      .where('content_id', 'in', db.selectFrom('messages').select('messages.content_id'))
      .orderBy('content_id'),
  ],
  apply,
};

/** Above every UID. */
const UID_MAX: Uid = Number.MAX_SAFE_INTEGER;
const NIL_ENVELOPE = '(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)';
const NIL_BODY = '("TEXT" "PLAIN" NIL NIL NIL "7BIT" 0 0)';

/** What a body that is gone says. RFC 9051 §7.5.2: every field of an envelope may be NIL. */
const NO_FACTS: MessageFacts = {
  version: 0,
  envelope: NIL_ENVELOPE,
  body: NIL_BODY,
  bodyStructure: NIL_BODY,
  headerBytes: 0,
  subject: '',
  from: '',
  to: '',
  cc: '',
  bcc: '',
  headerId: '',
  sortSubject: '',
  isReply: false,
  sortFrom: '',
  sortTo: '',
  sortCc: '',
  displayFrom: '',
  displayTo: '',
  threadKey: '',
  threadReferences: '',
};

type Span = { mailboxId: MailboxId; from: Uid; to: Uid };

const COLUMNS = [
  'mailbox_id',
  'uid',
  'create_seq',
  'message_id',
  'content_id',
  'size_bytes',
  'received_at',
  'zone_minutes',
  'saved_at',
] as const;

type Journey = Span & { target: MailboxId; uidShift: number; modSeq: ModSeq; at: Instant };

const copyRun = query((at: Markers<Journey & { idShift: number }>) =>
  transfer(at, raw<MessageId>`uid + ${at.idShift}`),
);
const moveRun = query((at: Markers<Journey>) => transfer(at, raw<MessageId>`message_id`));

/** Puts a run of messages into another place, in the order of their UIDs. */
function transfer(
  at: Markers<Journey>,
  messageId: RawBuilder<MessageId>,
): Compilable<InsertResult> {
  return db
    .insertInto('messages')
    .columns(COLUMNS)
    .expression(
      db
        .selectFrom('messages')
        .select([
          at.target.as('mailbox_id'),
          raw<Uid>`uid + ${at.uidShift}`.as('uid'),
          at.modSeq.as('create_seq'),
          messageId.as('message_id'),
          'content_id',
          'size_bytes',
          'received_at',
          'zone_minutes',
          at.at.as('saved_at'),
        ])
        .where('mailbox_id', '=', at.mailboxId)
        .where('uid', '>=', at.from)
        .where('uid', '<=', at.to)
        .orderBy('uid'),
    );
}

const markOrphans = query((at: Markers<Span & { at: Instant }>) =>
  db
    .replaceInto('orphans')
    .columns(['content_id', 'at'])
    .expression(
      db
        .selectFrom('messages')
        .select(['messages.content_id', at.at.as('at')])
        .where('mailbox_id', '=', at.mailboxId)
        .where('uid', '>=', at.from)
        .where('uid', '<=', at.to),
    ),
);

const dropMessages = query((at: Markers<Span>) =>
  db
    .deleteFrom('messages')
    .where('mailbox_id', '=', at.mailboxId)
    .where('uid', '>=', at.from)
    .where('uid', '<=', at.to),
);

function apply(fact: AccountFact, write: AccountWrite, facts: FactsOf): void {
  const { event } = fact;
  switch (event.type) {
    case 'MessageDelivered':
      return arrive(write, event.mailboxId, event.message, fact, facts);
    case 'MessagesAppended':
      for (const message of event.messages) arrive(write, event.mailboxId, message, fact, facts);
      return;
    case 'MessagesCopied':
      return copy(write.arrived(), event, fact);
    case 'MessagesMoved':
      return move(write.arrived(), event, fact);
    case 'MessageReplaced': {
      const { mailboxId, uid } = event;
      arrive(write, event.target, event.message, fact, facts);
      return expunge(write.arrived(), { mailboxId, from: uid, to: uid }, fact.at);
    }
    case 'MessagesExpunged':
      for (const [from, to] of parseUidSet(event.uids)) {
        expunge(write.arrived(), { mailboxId: event.mailboxId, from, to }, fact.at);
      }
      return;
    case 'MailboxDeleted':
      return expunge(
        write.arrived(),
        { mailboxId: event.mailboxId, from: 0, to: UID_MAX },
        fact.at,
      );
    default:
      return;
  }
}

function arrive(
  write: AccountWrite,
  mailboxId: MailboxId,
  message: NewMessage,
  { modSeq, at }: AccountFact,
  facts: FactsOf,
): void {
  const { uid, messageId, body, prefix } = message;
  write.arrivals.messages.add(write, {
    mailbox_id: mailboxId,
    uid,
    create_seq: modSeq,
    message_id: messageId,
    content_id: messageId,
    size_bytes: message.sizeBytes,
    received_at: message.receivedAt,
    zone_minutes: message.zoneMinutes,
    saved_at: at,
  });
  const said = facts(body) ?? NO_FACTS;
  const { subject, from, to, cc, bcc } = said;
  write.arrivals.contents.add(write, {
    content_id: messageId,
    body,
    prefix,
    sent_day: said.sentDay ?? null,
    subject,
    from,
    to,
    cc,
    bcc,
  });
  write.arrivals.wires.add(write, {
    content_id: messageId,
    envelope: said.envelope,
    body: said.body,
    body_structure: said.bodyStructure,
  });
}

function copy(write: Sql, event: MessagesCopied, fact: AccountFact): void {
  const idShift = event.firstMessageId - event.firstUid;
  for (const journey of journeysOf(event, fact)) {
    copyRun.run(write, { ...journey, idShift: journey.uidShift + idShift });
  }
}

function move(write: Sql, event: MessagesMoved, fact: AccountFact): void {
  for (const journey of journeysOf(event, fact)) {
    moveRun.run(write, journey);
    dropMessages.run(write, journey);
  }
}

function journeysOf(
  { source: mailboxId, target, firstUid, uids }: MessagesCopied | MessagesMoved,
  { modSeq, at }: AccountFact,
): readonly Journey[] {
  return legsOf(firstUid, parseUidSet(uids)).map((leg) => ({
    ...leg,
    mailboxId,
    target,
    modSeq,
    at,
  }));
}

function expunge(write: Sql, span: Span, at: Instant): void {
  markOrphans.run(write, { ...span, at });
  dropMessages.run(write, span);
}
