/**
 * Posting facts into the views of an account: events a second on one core, and what one event about
 * many messages costs. Body facts come from memory; reading the log is not part of it.
 */

import { join } from 'node:path';
import { ARRIVAL, OPENED, stored } from '../support/given.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { someFacts } from '../support/views.ts';
import { median, type BenchRow } from './row.ts';
import { modSeqAt, type AccountEvent, type AccountFact } from '#domain/log/streams';
import type { NewMessage } from '#domain/message/events';
import { beginViewsFile, type ViewsDatabase } from '#infra/read-models';
import { AccountReader } from '#projections/account-reader';
import { AccountWriter } from '#projections/account-writer';
import { ACCOUNT_MODELS } from '#projections/catalog';
import { MarkPages } from '#projections/mark-pages';

const EVENTS = 50_000;
const PAGE = 1000;
const MANY = 10_000;
const INBOX = 1;
const ARCHIVE = 2;
const TRASH = 6;

export async function run(say: (text: string) => void): Promise<readonly BenchRow[]> {
  await using dir = await temporaryDirectory();
  const db = beginViewsFile(join(dir.path, 'views.db'), ACCOUNT_MODELS);
  const rows: BenchRow[] = [];
  const note = (what: string, unit: string, ours: number): void => {
    say(`${what}: ${ours.toFixed(ours < 100 ? 2 : 0)} ${unit}`);
    rows.push({ what, unit, ours });
  };
  const book = new Book(db);
  book.post([OPENED]);
  note(
    'post deliveries',
    'events/s',
    book.rate(EVENTS, (i) => delivery(i + 1)),
  );
  note('post flag changes of one message', 'events/s', book.rate(EVENTS, flagging));
  note('post expunges of one message', 'events/s', book.rate(EVENTS / 2, expunging));
  note('post queue events', 'events/s', book.rate(EVENTS, queueing));
  measureMany(book, note);
  measureReads(book, db, note);
  db.close();
  return rows;
}

type Note = (what: string, unit: string, ours: number) => void;

/** Times of one event each about 10,000 messages, beside others in the mailbox. */
function measureMany(book: Book, note: Note): void {
  const uids = `${EVENTS - MANY + 1}:${EVENTS}`;
  const sparse = Array.from({ length: MANY / 2 }, (_, i) => EVENTS - MANY + 1 + i * 2).join(',');
  const flags = (add: string[], remove: string[], set = uids): AccountEvent => ({
    type: 'FlagsChanged',
    mailboxId: INBOX,
    uids: set,
    edit: { add, remove },
  });
  const times = (events: () => AccountEvent[]): number =>
    median(Array.from({ length: 5 }, () => book.timed(events())));
  note(
    'post +FLAGS \\Flagged on 10,000',
    'ms',
    times(() => [flags(['\\Flagged'], [])]),
  );
  note('post +FLAGS \\Deleted on 10,000', 'ms', book.timed([flags(['\\Deleted'], [])]));
  note('post -FLAGS \\Deleted on 10,000', 'ms', book.timed([flags([], ['\\Deleted'])]));
  note('post +FLAGS keyword on 10,000', 'ms', book.timed([flags(['work'], [])]));
  note(
    'post +FLAGS \\Flagged on 5,000 of 10,000',
    'ms',
    times(() => [flags(['\\Flagged'], [], sparse)]),
  );
  let target = 1;
  let messageId = EVENTS + 1;
  const copy = (): AccountEvent[] => {
    const [firstUid, firstMessageId] = [target, messageId];
    target += MANY;
    messageId += MANY;
    return [
      { type: 'MessagesCopied', source: INBOX, uids, target: ARCHIVE, firstUid, firstMessageId },
    ];
  };
  note('post COPY of 10,000', 'ms', times(copy));
  const moved = book.timed([
    { type: 'MessagesMoved', source: INBOX, uids, target: TRASH, firstUid: 1 },
  ]);
  note('post MOVE of 10,000', 'ms', moved);
  const expunged = book.timed([{ type: 'MessagesExpunged', mailboxId: TRASH, uids: `1:${MANY}` }]);
  note('post EXPUNGE of 10,000', 'ms', expunged);
}

function measureReads(book: Book, db: ViewsDatabase, note: Note): void {
  const reader = new AccountReader(() => db, book.revision);
  const times = (work: () => unknown): number =>
    median(
      Array.from({ length: 9 }, () => {
        const start = performance.now();
        work();
        return performance.now() - start;
      }),
    );
  const all = [[1, MANY]] as const;
  const since = book.revision + 1;
  note(
    'marks of 10,000',
    'ms',
    times(() => reader.marks(ARCHIVE, all)),
  );
  note(
    'rows of 10,000',
    'ms',
    times(() => reader.rows(ARCHIVE, all)),
  );
  note(
    'envelopes of 10,000',
    'ms',
    times(() => reader.wire(ARCHIVE, all, 'envelope')),
  );
  note(
    'search flag in 50,000',
    'ms',
    times(() => reader.search(ARCHIVE, { type: 'flag', flag: '\\Answered' })),
  );
  note(
    'search subject in 50,000',
    'ms',
    times(() => reader.search(ARCHIVE, { type: 'field', field: 'subject', text: 'ject 7' })),
  );
  note(
    'changed since the last modseq',
    'ms',
    times(() => reader.changedSince(ARCHIVE, since, all)),
  );
  note(
    'vanished since the last modseq',
    'ms',
    times(() => reader.vanishedSince(ARCHIVE, since, all)),
  );
}

/** The views with the facts so far. */
class Book {
  readonly #db: ViewsDatabase;
  readonly #writer: AccountWriter;
  revision = -1;

  constructor(db: ViewsDatabase) {
    this.#db = db;
    this.#writer = new AccountWriter(db, new MarkPages(() => db), someFacts);
  }

  post(events: readonly AccountEvent[]): void {
    this.#db.transaction(() => {
      for (const event of events) {
        this.revision++;
        const fact: AccountFact = {
          revision: this.revision,
          modSeq: modSeqAt(this.revision, 0),
          at: 1_700_000_000_000,
          cause: { actor: 'bench' },
          event,
        };
        this.#writer.apply(fact);
      }
      this.#writer.finish();
    });
    this.#writer.keep();
  }

  timed(events: readonly AccountEvent[]): number {
    const start = performance.now();
    this.post(events);
    return performance.now() - start;
  }

  /** Events a second, a page of them in each transaction. */
  rate(count: number, eventAt: (i: number) => AccountEvent): number {
    const pages = Array.from({ length: count / PAGE }, (_, page) =>
      Array.from({ length: PAGE }, (_, i) => eventAt(page * PAGE + i)),
    );
    const start = performance.now();
    for (const page of pages) this.post(page);
    return (count * 1000) / (performance.now() - start);
  }
}

function delivery(uid: number): AccountEvent {
  const message: NewMessage = { uid, messageId: uid, ...stored() };
  return { type: 'MessageDelivered', mailboxId: INBOX, message, arrival: ARRIVAL };
}

/** Spread over the mailbox; each really changes something. */
function flagging(i: number): AccountEvent {
  const uid = 1 + ((i * 7919) % EVENTS);
  const edit = { add: ['\\Seen'], remove: [] };
  return { type: 'FlagsChanged', mailboxId: INBOX, uids: String(uid), edit };
}

function expunging(i: number): AccountEvent {
  return { type: 'MessagesExpunged', mailboxId: INBOX, uids: String(1 + i) };
}

function queueing(i: number): AccountEvent {
  const queueId = 2 ** 32 + (i >> 2);
  const attempt = 1;
  const reply = { code: 250, enhancedCode: '2.0.0', text: 'taken' };
  switch (i % 4) {
    case 0: {
      const { body, prefix, sizeBytes } = stored();
      return {
        type: 'MessageQueued',
        items: [{ queueId, recipient: 'you@example.org' }],
        mailFrom: 'me@localhost',
        body,
        prefix,
        sizeBytes,
        headerId: '<1@localhost>',
        smtpUtf8: false,
        eightBit: false,
        nextAttemptAt: 0,
      };
    }
    case 1:
      return {
        type: 'AttemptStarted',
        queueIds: [queueId],
        attempt,
        nextAttemptAt: 1,
        transport: '',
      };
    case 2:
      return { type: 'AttemptSucceeded', queueId, attempt, ...reply };
    default:
      return { type: 'MessageRetired', queueId, outcome: 'delivered' };
  }
}
