/**
 * How far a database of read models has come in each stream, and which models made it.
 *
 * Written in the same transaction as the rows, so that rows and checkpoint never disagree.
 */

import type { Instant, Revision } from '#domain/values/ids';
import { query, tables, type Markers, type Sql } from './query.ts';

export interface CheckpointTables {
  models: { name: string; version: number };
  checkpoints: { stream: string; revision: Revision; base: number; last_at: Instant };
}

/** The last fact that was posted. */
export interface Checkpoint {
  readonly revision: Revision;
  /** See modSeqAt. */
  readonly base: number;
  readonly lastAt: Instant;
}

export const NOTHING_POSTED: Checkpoint = { revision: -1, base: 0, lastAt: 0 };

export const CHECKPOINT_DDL: readonly string[] = [
  'CREATE TABLE models (name TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID',
  `CREATE TABLE checkpoints (
    stream TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    base INTEGER NOT NULL,
    last_at INTEGER NOT NULL
  ) WITHOUT ROWID`,
];

const db = tables<CheckpointTables>();

const addModel = query((at: Markers<CheckpointTables['models']>) =>
  db.insertInto('models').values({ name: at.name, version: at.version }),
);

const allModels = query(() => db.selectFrom('models').selectAll().orderBy('name'));

const putCheckpoint = query((at: Markers<CheckpointTables['checkpoints']>) =>
  db
    .insertInto('checkpoints')
    .values({ stream: at.stream, revision: at.revision, base: at.base, last_at: at.last_at })
    .onConflict((conflict) =>
      conflict.column('stream').doUpdateSet({
        revision: at.revision,
        base: at.base,
        last_at: at.last_at,
      }),
    ),
);

const removeCheckpoint = query((at: Markers<{ stream: string }>) =>
  db.deleteFrom('checkpoints').where('stream', '=', at.stream),
);

const oneCheckpoint = query((at: Markers<{ stream: string }>) =>
  db
    .selectFrom('checkpoints')
    .select(['revision', 'base', 'last_at as lastAt'])
    .where('stream', '=', at.stream),
);

const allCheckpoints = query(() =>
  db.selectFrom('checkpoints').select(['stream', 'revision', 'base', 'last_at as lastAt']),
);

export interface ModelVersion {
  readonly name: string;
  readonly version: number;
}

export function writeModels(write: Sql, models: readonly ModelVersion[]): void {
  for (const { name, version } of models) addModel.run(write, { name, version });
}

/** True when exactly these models, in these versions, made the database. */
export function madeBy(sql: Sql, models: readonly ModelVersion[]): boolean {
  const made = new Map(allModels.all(sql, {}).map(({ name, version }) => [name, version]));
  return (
    made.size === models.length && models.every(({ name, version }) => made.get(name) === version)
  );
}

export function checkpointOf(sql: Sql, stream: string): Checkpoint {
  return oneCheckpoint.get(sql, { stream }) ?? NOTHING_POSTED;
}

/** The stream is one no more. */
export function dropCheckpoint(write: Sql, stream: string): void {
  removeCheckpoint.run(write, { stream });
}

export function checkpoints(sql: Sql): ReadonlyMap<string, Checkpoint> {
  return new Map(allCheckpoints.all(sql, {}).map(({ stream, ...rest }) => [stream, rest]));
}

export function writeCheckpoint(write: Sql, stream: string, checkpoint: Checkpoint): void {
  const { revision, base, lastAt } = checkpoint;
  putCheckpoint.run(write, { stream, revision, base, last_at: lastAt });
}
