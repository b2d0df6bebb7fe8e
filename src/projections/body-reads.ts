/**
 * Questions about bodies that were let go of, and about all those that an account keeps; and the
 * upkeep that makes them cheap, which changes no row that counts.
 */

import { sql as raw, type RawBuilder } from 'kysely';
import type { SweepLimits } from '#domain/body/decide';
import type { BodyRelease } from '#domain/body/state';
import type { BodyHash, Instant } from '#domain/values/ids';
import type { BodyTables } from './body-tables.ts';
import type { MessageTables } from './message-tables.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

/** A body that was let go of, and its place among them. */
export interface ReleasedBody {
  readonly body: BodyHash;
  readonly expungedAt: Instant;
}

const db = tables<BodyTables & MessageTables>();

type One = { body: BodyHash };
type Listed = { bodies: string };
type Page = { expungedAt: Instant; body: BodyHash; limit: number };
type Due = { expungedUpTo: Instant; retiredUpTo: Instant };

/** Bodies listed in JSON, and contents that have them; CROSS keeps the joins in this order. */
const contentsOf = (bodies: RawBuilder<string>): RawBuilder<object> => raw<object>`
  SELECT listed.value AS body, contents.content_id
  FROM json_each(${bodies}) AS listed
  CROSS JOIN body_index ON body_index.prefix = substr(listed.value, 1, 12)
  CROSS JOIN contents
    ON contents.content_id = body_index.content_id AND contents.body = listed.value
  UNION ALL
  SELECT contents.body, contents.content_id FROM contents
  WHERE contents.content_id > (SELECT content_id FROM indexed_to)
    AND contents.body IN (SELECT value FROM json_each(${bodies}))
`;

const inMail = (bodies: RawBuilder<string>): RawBuilder<object> => raw<object>`
  SELECT body FROM (${contentsOf(bodies)}) AS found
  WHERE EXISTS (SELECT 1 FROM messages WHERE messages.content_id = found.content_id)
`;

const someReleased = query((at: Markers<Page & Due>) =>
  db
    .selectFrom('body_releases')
    .select(['body', 'expunged_at as expungedAt'])
    .where(raw<boolean>`(expunged_at, body) > (${at.expungedAt}, ${at.body})`)
    .where('expunged_at', '<=', at.expungedUpTo)
    .where('retired_at', '<=', at.retiredUpTo)
    .where('body', 'not in', db.selectFrom('body_uses').select('body_uses.body'))
    .where('body', 'not in', db.selectFrom('hook_bodies').select('hook_bodies.body'))
    .orderBy('expunged_at')
    .orderBy('body')
    .limit(at.limit),
);

/** Before every released body. */
export const NO_RELEASED_BODY: ReleasedBody = { body: '', expungedAt: -1 };

/**
 * Up to `limit` that were let go of long enough ago and are not needed for outgoing mail, behind
 * another one, the oldest first. Messages may have them.
 */
export function releasedBodiesAfter(
  sql: Sql,
  { body, expungedAt }: ReleasedBody,
  { expungedUpTo, retiredUpTo }: SweepLimits,
  limit: number,
): readonly ReleasedBody[] {
  return someReleased.all(sql, { body, expungedAt, expungedUpTo, retiredUpTo, limit });
}

const release = query((at: Markers<One & Listed>) => ({
  compile: () =>
    raw<{ expungedAt: Instant | null; retiredAt: Instant | null }>`
      SELECT max(expunged_at) AS expungedAt, max(retired_at) AS retiredAt FROM (
        SELECT expunged_at, retired_at FROM body_releases WHERE body = ${at.body}
        UNION ALL
        SELECT orphans.at, 0 FROM orphans JOIN contents USING (content_id)
        WHERE contents.body = ${at.body}
      )
      WHERE ${at.body} NOT IN (SELECT body FROM body_uses)
        AND ${at.body} NOT IN (SELECT body FROM hook_bodies)
        AND ${at.body} NOT IN (${inMail(at.bodies)})
    `.compile(db),
}));

export function bodyRelease(sql: Sql, body: BodyHash): BodyRelease | undefined {
  const { expungedAt, retiredAt } =
    release.get(sql, { body, bodies: JSON.stringify([body]) }) ?? {};
  if (typeof expungedAt !== 'number' || typeof retiredAt !== 'number') return undefined;
  return { expungedAt, retiredAt: retiredAt > expungedAt ? retiredAt : 0 };
}

const needed = query((at: Markers<Listed>) => ({
  compile: () =>
    raw<One>`
      SELECT value AS body FROM json_each(${at.bodies})
      WHERE value IN (SELECT body FROM body_uses) OR value IN (SELECT body FROM hook_bodies)
      UNION ${inMail(at.bodies)}
    `.compile(db),
}));

/** Those of the bodies that nothing refers to. */
export function unneededBodies(sql: Sql, bodies: readonly BodyHash[]): readonly BodyHash[] {
  return without(bodies, needed.all(sql, { bodies: JSON.stringify(bodies) }));
}

const known = query((at: Markers<Listed>) => ({
  compile: () =>
    raw<One>`
      SELECT value AS body FROM json_each(${at.bodies})
      WHERE value IN (SELECT body FROM body_uses) OR value IN (SELECT body FROM hook_bodies)
        OR value IN (SELECT body FROM body_releases)
      UNION SELECT body FROM (${contentsOf(at.bodies)})
    `.compile(db),
}));

/** Those of the bodies that nothing refers to, and that do not wait to be swept either. */
export function unknownBodies(sql: Sql, bodies: readonly BodyHash[]): readonly BodyHash[] {
  return without(bodies, known.all(sql, { bodies: JSON.stringify(bodies) }));
}

function without(bodies: readonly BodyHash[], others: readonly One[]): readonly BodyHash[] {
  const taken = new Set(others.map(({ body }) => body));
  return bodies.filter((body) => !taken.has(body));
}

const someHeld = query((at: Markers<{ after: BodyHash; limit: number }>) =>
  db
    .selectFrom(
      db
        .selectFrom('body_uses')
        .select('body')
        .union(db.selectFrom('body_releases').select('body'))
        .as('held'),
    )
    .select('body')
    .where('body', '>', at.after)
    .orderBy('body')
    .limit(at.limit),
);

/** Bodies that are kept for outgoing mail, or wait to be swept, by name. */
export function heldBodiesAfter(sql: Sql, after: BodyHash, limit: number): readonly BodyHash[] {
  return someHeld.all(sql, { after, limit }).map(({ body }) => body);
}

const lastSwept = query(() => db.selectFrom('last_swept').select('body').orderBy('body'));

/** The bodies of the last BodiesSwept. */
export function lastSweptBodies(sql: Sql): readonly BodyHash[] {
  return lastSwept.all(sql, {}).map(({ body }) => body);
}

const dropInMail = query((at: Markers<Listed>) =>
  db.deleteFrom('body_releases').where('body', 'in', raw<BodyHash>`(${inMail(at.bodies)})`),
);

/** Those of the bodies that messages have are let go of by them, later. How many. */
export function forgetReleasesInMail(write: Sql, bodies: readonly BodyHash[]): number {
  return dropInMail.run(write, { bodies: JSON.stringify(bodies) });
}

const indexNext = query((at: Markers<{ limit: number }>) => ({
  compile: () =>
    raw<object>`
      INSERT INTO body_index (prefix, content_id)
      SELECT substr(body, 1, 12), content_id FROM contents
      WHERE content_id > (SELECT content_id FROM indexed_to) ORDER BY content_id LIMIT ${at.limit}
    `.compile(db),
}));

const moveOn = query((at: Markers<{ limit: number }>) => ({
  compile: () =>
    raw<object>`
      UPDATE indexed_to SET content_id = (
        SELECT max(content_id) FROM (
          SELECT content_id FROM contents
          WHERE content_id > (SELECT content_id FROM indexed_to)
          ORDER BY content_id LIMIT ${at.limit}
        )
      )
    `.compile(db),
}));

/** Takes up to `limit` more contents into `body_index`; false when none is left. */
export function indexBodies(write: Sql, limit: number): boolean {
  const count = indexNext.run(write, { limit });
  if (count > 0) moveOn.run(write, { limit });
  return count === limit;
}
