/**
 * Tables of what became of bodies that were let go of, of what else than messages needs one, and of
 * which messages do.
 *
 * An index by hash costs much when it is kept up to date with every message, for its entries lie
 * nowhere near each other. Nobody asks but the sweep, once a day: it brings `body_index` up to date
 * itself, and the few contents behind it are looked at one by one.
 */

import type { BodyHash, HookId, Instant, MessageId } from '#domain/values/ids';

export interface BodyTables {
  body_releases: { body: BodyHash; expunged_at: Instant; retired_at: Instant };
  /** How many items of the queue need a body. */
  body_uses: { body: BodyHash; uses: number };
  hook_bodies: { hook_id: HookId; body: BodyHash };
  /** The bodies of the last BodiesSwept: their files may still have to be removed. */
  last_swept: { body: BodyHash };
  /** How many bodies were swept. */
  swept: { id: 1; bodies: number };
  /** Contents by the first characters of their bodies, up to `indexed_to`; some are gone. */
  body_index: { prefix: string; content_id: MessageId };
  indexed_to: { id: 1; content_id: MessageId };
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
  'CREATE INDEX hook_bodies_of ON hook_bodies (body)',
  'CREATE TABLE last_swept (body TEXT PRIMARY KEY) WITHOUT ROWID',
  'CREATE TABLE swept (id INTEGER PRIMARY KEY, bodies INTEGER NOT NULL)',
  'INSERT INTO swept (id, bodies) VALUES (1, 0)',
  `CREATE TABLE body_index (
    prefix TEXT NOT NULL,
    content_id INTEGER NOT NULL,
    PRIMARY KEY (prefix, content_id)
  ) WITHOUT ROWID`,
  'CREATE TABLE indexed_to (id INTEGER PRIMARY KEY, content_id INTEGER NOT NULL)',
  'INSERT INTO indexed_to (id, content_id) VALUES (1, -1)',
];
