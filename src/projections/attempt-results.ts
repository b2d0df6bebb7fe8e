/**
 * Read model of the server: what became of each attempt for an item, what administrators did, and
 * what came back; kept while the item is in the queue or shown among those that left it.
 */

import type { BounceRelated, Remote } from '#domain/queue/events';
import type { AccountId, Instant, QueueId, Revision } from '#domain/values/ids';
import type { ServerFact, ServerModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';
import type { RetiredTables } from './retired.ts';
import type { ServerQueueTables } from './server-queue.ts';

type ResultKind = 'attempt' | 'interrupted' | 'canceled' | 'bounce';

export interface ResultTables {
  queue_results: {
    queue_id: QueueId;
    /** Of the fact that began it. */
    revision: Revision;
    kind: ResultKind;
    /** Null for what is no attempt. */
    attempt: number | null;
    start_at: Instant;
    /** Null while the attempt is in progress. */
    duration_ms: number | null;
    success: 0 | 1;
    code: number;
    enhanced_code: string;
    text: string;
    /** Remote in JSON, or ''. */
    remote: string;
    /** List of Remote in JSON, or ''. */
    dialed: string;
    /** Who did it, where somebody did; of an attempt in progress, who wants it to be the last. */
    actor: string;
  };
}

const db = tables<ResultTables & RetiredTables & ServerQueueTables>();

/** Before `retired` and `serverQueue`: it looks up what is still there. */
export const attemptResults: ServerModel = {
  name: 'attempt-results',
  version: 2,
  ddl: [
    `CREATE TABLE queue_results (
      queue_id INTEGER NOT NULL,
      revision INTEGER NOT NULL,
      kind TEXT NOT NULL,
      attempt INTEGER,
      start_at INTEGER NOT NULL,
      duration_ms INTEGER,
      success INTEGER NOT NULL,
      code INTEGER NOT NULL,
      enhanced_code TEXT NOT NULL,
      text TEXT NOT NULL,
      remote TEXT NOT NULL,
      dialed TEXT NOT NULL,
      actor TEXT NOT NULL,
      PRIMARY KEY (queue_id, revision)
    ) WITHOUT ROWID`,
  ],
  rows: [db.selectFrom('queue_results').selectAll().orderBy('queue_id').orderBy('revision')],
  apply,
};

type Row = ResultTables['queue_results'];
type Item = { queueId: QueueId };

const addResult = query((at: Markers<Row>) =>
  db.insertInto('queue_results').values({
    queue_id: at.queue_id,
    revision: at.revision,
    kind: at.kind,
    attempt: at.attempt,
    start_at: at.start_at,
    duration_ms: at.duration_ms,
    success: at.success,
    code: at.code,
    enhanced_code: at.enhanced_code,
    text: at.text,
    remote: at.remote,
    dialed: at.dialed,
    actor: at.actor,
  }),
);

type End = Item &
  Pick<Row, 'kind' | 'success' | 'code' | 'enhanced_code' | 'text' | 'remote' | 'dialed'> & {
    at: Instant;
  };

const endAttempt = query((at: Markers<End>) =>
  db
    .updateTable('queue_results')
    .set((eb) => ({
      kind: at.kind,
      duration_ms: eb(at.at, '-', eb.ref('start_at')),
      success: at.success,
      code: at.code,
      enhanced_code: at.enhanced_code,
      text: at.text,
      remote: at.remote,
      dialed: at.dialed,
    }))
    .where('queue_id', '=', at.queueId)
    .where('duration_ms', 'is', null),
);

const setActor = query((at: Markers<Item & { actor: string }>) =>
  db
    .updateTable('queue_results')
    .set({ actor: at.actor })
    .where('queue_id', '=', at.queueId)
    .where('kind', 'in', ['attempt', 'interrupted']),
);

const actorOf = query((at: Markers<Item>) =>
  db
    .selectFrom('queue_results')
    .select('actor')
    .where('queue_id', '=', at.queueId)
    .where('actor', '<>', ''),
);

const dropResults = query((at: Markers<Item>) =>
  db.deleteFrom('queue_results').where('queue_id', '=', at.queueId),
);

const dropForgotten = query((at: Markers<{ accountId: AccountId; upTo: Instant }>) =>
  db
    .deleteFrom('queue_results')
    .where('queue_id', 'in', (eb) =>
      eb
        .selectFrom('retired_items')
        .select('queue_id')
        .where('account_id', '=', at.accountId)
        .where('keep_until', '<', at.upTo),
    ),
);

const queued = query((at: Markers<Item>) =>
  db.selectFrom('server_queue').select('queue_id').where('queue_id', '=', at.queueId),
);

const retired = query((at: Markers<Item>) =>
  db.selectFrom('retired_items').select('queue_id').where('queue_id', '=', at.queueId),
);

const NO_RESULT = {
  kind: 'attempt',
  attempt: null,
  duration_ms: null,
  success: 0,
  code: 0,
  enhanced_code: '',
  text: '',
  remote: '',
  dialed: '',
  actor: '',
} as const;

function apply({ accountId, fact }: ServerFact, write: Sql): void {
  const { event, at, revision } = fact;
  switch (event.type) {
    case 'AttemptStarted':
      for (const queueId of event.queueIds) {
        const { attempt } = event;
        const began = { queue_id: queueId, revision, attempt, start_at: at };
        addResult.run(write, { ...NO_RESULT, ...began, text: 'delivering...' });
      }
      return;
    case 'AttemptSucceeded':
    case 'AttemptFailed': {
      const { queueId, code, enhancedCode, text, remote, dialed } = event;
      const isSuccess = event.type === 'AttemptSucceeded';
      endAttempt.run(write, {
        queueId,
        at,
        kind: 'attempt',
        success: isSuccess ? 1 : 0,
        code,
        enhanced_code: enhancedCode,
        text: isSuccess ? '' : text,
        remote: jsonOf(remote),
        dialed: jsonOf(dialed),
      });
      if (isSuccess) setActor.run(write, { queueId, actor: '' });
      return;
    }
    case 'AttemptInterrupted': {
      const { queueId } = event;
      const end = { ...NO_RESULT, kind: 'interrupted', text: 'interrupted by shutdown' } as const;
      endAttempt.run(write, { ...end, queueId, at });
      return;
    }
    case 'CancelRequested':
      for (const queueId of event.queueIds) {
        setActor.run(write, { queueId, actor: fact.cause.actor });
      }
      return;
    case 'DeliveryCanceled':
      deliveryCanceled(write, event.queueId, fact);
      return;
    case 'BounceRelated':
      if (isKnown(write, event.queueId)) bounceRelated(write, event, revision, at);
      return;
    case 'MessageRetired':
      if (event.keepUntil === undefined) dropResults.run(write, { queueId: event.queueId });
      return;
    case 'RetiredForgotten':
      dropForgotten.run(write, { accountId, upTo: event.upTo });
      return;
    default:
      return;
  }
}

/** Who asked for it while an attempt ran counts more than who carries it out. */
function deliveryCanceled(write: Sql, queueId: QueueId, fact: ServerFact['fact']): void {
  const { actor } = actorOf.get(write, { queueId }) ?? fact.cause;
  setActor.run(write, { queueId, actor: '' });
  addResult.run(write, {
    ...NO_RESULT,
    queue_id: queueId,
    revision: fact.revision,
    kind: 'canceled',
    start_at: fact.at,
    duration_ms: 0,
    text: 'delivery canceled by admin',
    actor,
  });
}

function isKnown(sql: Sql, queueId: QueueId): boolean {
  return queued.get(sql, { queueId }) !== undefined || retired.get(sql, { queueId }) !== undefined;
}

const GOT_THERE: ReadonlySet<string> = new Set(['delivered', 'relayed', 'expanded']);

function bounceRelated(write: Sql, event: BounceRelated, revision: Revision, at: Instant): void {
  const { queueId, action, code, enhancedCode, text } = event;
  addResult.run(write, {
    ...NO_RESULT,
    queue_id: queueId,
    revision,
    kind: 'bounce',
    start_at: at,
    duration_ms: 0,
    success: GOT_THERE.has(action) ? 1 : 0,
    code,
    enhanced_code: enhancedCode,
    text,
  });
}

function jsonOf(value: object | undefined): string {
  return value === undefined ? '' : JSON.stringify(value);
}

/** What became of one attempt, or happened to the item otherwise. */
export interface QueueResult {
  readonly kind: ResultKind;
  readonly startAt: Instant;
  /** Null while the attempt is in progress. */
  readonly durationMs: number | null;
  readonly success: boolean;
  /** 0 when there was no SMTP reply. */
  readonly code: number;
  readonly enhancedCode: string;
  readonly text: string;
  readonly remote?: Remote;
  readonly dialed: readonly Remote[];
  /** Who did it, where somebody did; else ''. */
  readonly actor: string;
}

const resultsBy = query((at: Markers<Item>) =>
  db
    .selectFrom('queue_results')
    .select(['kind', 'start_at as startAt', 'duration_ms as durationMs', 'success', 'code'])
    .select(['enhanced_code as enhancedCode', 'text', 'remote', 'dialed', 'actor'])
    .where('queue_id', '=', at.queueId)
    .orderBy('revision'),
);

/** In the order in which they happened. */
export function resultsOf(sql: Sql, queueId: QueueId): readonly QueueResult[] {
  return resultsBy.all(sql, { queueId }).map(({ success, remote, dialed, ...result }) => ({
    ...result,
    success: success === 1,
    ...(remote === '' ? {} : { remote: JSON.parse(remote) as Remote }),
    dialed: dialed === '' ? [] : (JSON.parse(dialed) as readonly Remote[]),
  }));
}
