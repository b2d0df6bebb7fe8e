/**
 * Read model of which bodies were let go of, and since when.
 *
 * A body comes into `body_releases` when `sweepOrphans` removes a content that had it, or when the
 * last item of the queue that needs it leaves. It may be needed all the same: by another message
 * with the same content, or by what came since. So every question asks what needs it now.
 *
 * Invariants: rows of bodies that a message has do not count, and may be dropped: that message lets
 * go of them once more. The orphans that are still to be removed are taken in, so that it does not
 * matter when those are. What ended before the last message was removed is of no account.
 */

import { sql as raw, type Compilable, type RawBuilder } from 'kysely';
import type { AccountFact } from '#domain/log/streams';
import type { BodyHash, HookId, Instant } from '#domain/values/ids';
import { BODY_DDL, type BodyTables } from './body-tables.ts';
import type { MessageTables } from './message-tables.ts';
import type { AccountModel, AccountWrite } from './model.ts';
import { sweepOrphans } from './orphans.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

const db = tables<BodyTables & MessageTables>();

/** A raw query, because it compares the tables with each other. */
const releasedRows: Compilable<BodyTables['body_releases']> = {
  compile: () =>
    raw<BodyTables['body_releases']>`
      SELECT body, max(expunged_at) AS expunged_at,
        CASE WHEN max(retired_at) > max(expunged_at) THEN max(retired_at) ELSE 0 END AS retired_at
      FROM (
        SELECT body, expunged_at, retired_at FROM body_releases
        UNION ALL
        SELECT contents.body, orphans.at, 0 FROM orphans JOIN contents USING (content_id)
        WHERE content_id NOT IN (SELECT content_id FROM messages)
      )
      WHERE body NOT IN (
        SELECT body FROM contents WHERE content_id IN (SELECT content_id FROM messages)
      )
      GROUP BY body ORDER BY body`.compile(db),
};

export const bodies: AccountModel = {
  name: 'bodies',
  version: 2,
  ddl: BODY_DDL,
  rows: [
    releasedRows,
    db.selectFrom('body_uses').selectAll().orderBy('body'),
    db.selectFrom('hook_bodies').selectAll().orderBy('hook_id'),
    db.selectFrom('last_swept').selectAll().orderBy('body'),
    db.selectFrom('swept').selectAll(),
  ],
  apply,
};

const ORPHANS_AT_ONCE = 1000;

type Body = { body: BodyHash };
type Listed = { bodies: string };

const listed = (at: Markers<Listed>): RawBuilder<BodyHash> =>
  raw<BodyHash>`(SELECT value FROM json_each(${at.bodies}))`;

const addUses = query((at: Markers<BodyTables['body_uses']>) =>
  db
    .insertInto('body_uses')
    .values({ body: at.body, uses: at.uses })
    .onConflict((conflict) =>
      conflict.column('body').doUpdateSet((eb) => ({ uses: eb('body_uses.uses', '+', at.uses) })),
    ),
);

const dropUnused = query((at: Markers<Body>) =>
  db.deleteFrom('body_uses').where('body', '=', at.body).where('uses', '<=', raw.lit(0)),
);

const addHook = query((at: Markers<BodyTables['hook_bodies']>) =>
  db.insertInto('hook_bodies').values({ hook_id: at.hook_id, body: at.body }),
);

const dropHook = query((at: Markers<{ hookId: HookId }>) =>
  db.deleteFrom('hook_bodies').where('hook_id', '=', at.hookId),
);

const putRetired = query((at: Markers<Body & { at: Instant }>) =>
  db
    .insertInto('body_releases')
    .values({ body: at.body, expunged_at: raw.lit(0), retired_at: at.at })
    .onConflict((conflict) => conflict.column('body').doUpdateSet({ retired_at: at.at })),
);

const dropReleases = query((at: Markers<Listed>) =>
  db.deleteFrom('body_releases').where('body', 'in', listed(at)),
);

const dropIndexed = query((at: Markers<Listed>) =>
  db
    .deleteFrom('body_index')
    .where('prefix', 'in', raw<string>`(SELECT substr(value, 1, 12) FROM json_each(${at.bodies}))`)
    .where('content_id', 'not in', db.selectFrom('contents').select('contents.content_id')),
);

const dropLastSwept = query(() => db.deleteFrom('last_swept'));

const addLastSwept = query((at: Markers<Listed>) =>
  db
    .insertInto('last_swept')
    .columns(['body'])
    .expression(
      db.selectFrom(raw<{ value: BodyHash }>`json_each(${at.bodies})`.as('listed')).select('value'),
    ),
);

const countSwept = query((at: Markers<{ more: number }>) =>
  db.updateTable('swept').set((eb) => ({ bodies: eb('bodies', '+', at.more) })),
);

function apply({ event, at }: AccountFact, write: AccountWrite): void {
  switch (event.type) {
    case 'MessageQueued':
      addUses.run(write, { body: event.body, uses: event.items.length });
      return;
    case 'MessageRetired': {
      const item = write.queue.item(write, event.queueId);
      if (item !== undefined) useEnds(write, item.body, at);
      return;
    }
    case 'WebhookQueued':
      addHook.run(write, { hook_id: event.hookId, body: event.occasion.body });
      return;
    case 'WebhookRetired':
      dropHook.run(write, { hookId: event.hookId });
      return;
    case 'BodiesSwept': {
      const swept = JSON.stringify(event.bodies);
      // In a replay they have still to come into the rows that they leave now.
      while (sweepOrphans(write.arrived(), ORPHANS_AT_ONCE)) continue;
      dropReleases.run(write, { bodies: swept });
      dropIndexed.run(write, { bodies: swept });
      dropLastSwept.run(write, {});
      addLastSwept.run(write, { bodies: swept });
      countSwept.run(write, { more: event.bodies.length });
      return;
    }
    default:
      return;
  }
}

function useEnds(write: Sql, body: BodyHash, at: Instant): void {
  addUses.run(write, { body, uses: -1 });
  if (dropUnused.run(write, { body }) > 0) putRetired.run(write, { body, at });
}
