/**
 * Tables of what became of bodies that were let go of, and of what else than messages needs one.
 */

import type { BodyHash, HookId, Instant } from '#domain/values/ids';

export interface BodyTables {
  body_releases: { body: BodyHash; expunged_at: Instant; retired_at: Instant };
  /** How many items and webhooks need a body. */
  body_uses: { body: BodyHash; uses: number };
  hook_bodies: { hook_id: HookId; body: BodyHash };
  /** The bodies of the last BodiesSwept: their files may still have to be removed. */
  last_swept: { body: BodyHash };
  /** How many bodies were swept. */
  swept: { id: 1; bodies: number };
}

export const BODY_DDL: readonly string[] = [
  `CREATE TABLE body_releases (
    body TEXT PRIMARY KEY,
    expunged_at INTEGER NOT NULL,
    retired_at INTEGER NOT NULL
  ) WITHOUT ROWID`,
  'CREATE INDEX body_releases_due ON body_releases (expunged_at, body, retired_at)',
  'CREATE TABLE body_uses (body TEXT PRIMARY KEY, uses INTEGER NOT NULL) WITHOUT ROWID',
  'CREATE TABLE hook_bodies (hook_id INTEGER PRIMARY KEY, body TEXT NOT NULL)',
  'CREATE TABLE last_swept (body TEXT PRIMARY KEY) WITHOUT ROWID',
  'CREATE TABLE swept (id INTEGER PRIMARY KEY, bodies INTEGER NOT NULL)',
  'INSERT INTO swept (id, bodies) VALUES (1, 0)',
];
