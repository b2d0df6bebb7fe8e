/**
 * Questions about bodies that nothing refers to, and about all those that an account keeps.
 */

import { sql as raw, type RawBuilder } from 'kysely';
import type { SweepLimits } from '#domain/body/decide';
import type { BodyRelease } from '#domain/body/state';
import type { BodyHash, Instant } from '#domain/values/ids';
import type { BodyTables } from './body-tables.ts';
import type { MessageTables } from './message-tables.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

/** A body that may be swept, and its place among them. */
export interface ReleasedBody {
  readonly body: BodyHash;
  readonly expungedAt: Instant;
}

const db = tables<BodyTables & MessageTables>();

/** SQL that is true when the body, an expression, is that of a message. */
const inMail = (body: RawBuilder<BodyHash>): RawBuilder<boolean> => raw<boolean>`EXISTS (
  SELECT 1 FROM contents JOIN messages USING (content_id)
  WHERE substr(contents.body, 1, 12) = substr(${body}, 1, 12) AND contents.body = ${body}
)`;

const inUse = (body: RawBuilder<BodyHash>): RawBuilder<boolean> =>
  raw<boolean>`EXISTS (SELECT 1 FROM body_uses WHERE body_uses.body = ${body})`;

type One = { body: BodyHash };
type Page = { expungedAt: Instant; body: BodyHash; limit: number };
type Due = { expungedUpTo: Instant; retiredUpTo: Instant };

const someReleased = query((at: Markers<Page & Due>) =>
  db
    .selectFrom('body_releases')
    .select(['body', 'expunged_at as expungedAt'])
    .where(raw<boolean>`(expunged_at, body) > (${at.expungedAt}, ${at.body})`)
    .where('expunged_at', '<=', at.expungedUpTo)
    .where('retired_at', '<=', at.retiredUpTo)
    .where(raw<boolean>`NOT ${inUse(raw`body_releases.body`)}`)
    .where(raw<boolean>`NOT ${inMail(raw`body_releases.body`)}`)
    .orderBy('expunged_at')
    .orderBy('body')
    .limit(at.limit),
);

/** Before every released body. */
export const NO_RELEASED_BODY: ReleasedBody = { body: '', expungedAt: -1 };

/** Up to `limit` that may be swept, behind another one, those let go of longest ago first. */
export function releasedBodiesAfter(
  sql: Sql,
  { body, expungedAt }: ReleasedBody,
  { expungedUpTo, retiredUpTo }: SweepLimits,
  limit: number,
): readonly ReleasedBody[] {
  return someReleased.all(sql, { body, expungedAt, expungedUpTo, retiredUpTo, limit });
}

const release = query((at: Markers<One>) => ({
  compile: () =>
    raw<{ expungedAt: Instant | null; retiredAt: Instant | null }>`
      SELECT max(expunged_at) AS expungedAt, max(retired_at) AS retiredAt FROM (
        SELECT expunged_at, retired_at FROM body_releases WHERE body = ${at.body}
        UNION ALL
        SELECT orphans.at, 0 FROM contents JOIN orphans USING (content_id)
        WHERE substr(contents.body, 1, 12) = substr(${at.body}, 1, 12)
          AND contents.body = ${at.body}
      )
      WHERE NOT ${inUse(at.body)} AND NOT ${inMail(at.body)}
    `.compile(db),
}));

export function bodyRelease(sql: Sql, body: BodyHash): BodyRelease | undefined {
  const { expungedAt, retiredAt } = release.get(sql, { body }) ?? {};
  if (typeof expungedAt !== 'number' || typeof retiredAt !== 'number') return undefined;
  return { expungedAt, retiredAt };
}

const unneeded = query((at: Markers<{ bodies: string }>) => ({
  compile: () =>
    raw<One>`
      SELECT value AS body FROM json_each(${at.bodies})
      WHERE NOT ${inUse(raw`json_each.value`)} AND NOT ${inMail(raw`json_each.value`)}
    `.compile(db),
}));

/** Those of the bodies that nothing refers to. */
export function unneededBodies(sql: Sql, bodies: readonly BodyHash[]): readonly BodyHash[] {
  return unneeded.all(sql, { bodies: JSON.stringify(bodies) }).map(({ body }) => body);
}

const unknown = query((at: Markers<{ bodies: string }>) => ({
  compile: () =>
    raw<One>`
      SELECT value AS body FROM json_each(${at.bodies})
      WHERE NOT ${inUse(raw`json_each.value`)}
        AND NOT EXISTS (SELECT 1 FROM body_releases WHERE body = json_each.value)
        AND NOT EXISTS (
          SELECT 1 FROM contents
          WHERE substr(contents.body, 1, 12) = substr(json_each.value, 1, 12)
            AND contents.body = json_each.value
        )
    `.compile(db),
}));

/** Those of the bodies that nothing refers to, and that do not wait to be swept either. */
export function unknownBodies(sql: Sql, bodies: readonly BodyHash[]): readonly BodyHash[] {
  return unknown.all(sql, { bodies: JSON.stringify(bodies) }).map(({ body }) => body);
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

/** Bodies that are kept for something else than a message, or wait to be swept, by name. */
export function heldBodiesAfter(sql: Sql, after: BodyHash, limit: number): readonly BodyHash[] {
  return someHeld.all(sql, { after, limit }).map(({ body }) => body);
}

const lastSwept = query(() => db.selectFrom('last_swept').select('body').orderBy('body'));

/** The bodies of the last BodiesSwept. */
export function lastSweptBodies(sql: Sql): readonly BodyHash[] {
  return lastSwept.all(sql, {}).map(({ body }) => body);
}
