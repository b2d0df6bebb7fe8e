/**
 * Read model of which bodies nothing refers to any more, and since when.
 *
 * What messages refer to stands in `contents`; here is what items of the queue and webhooks that
 * wait need, and what was let go of. A body comes into `body_releases` when `sweepOrphans` removes
 * the last content that has it, or when the last item that needs it leaves while no message has
 * it. It may come into use again: so every question asks for what refers to it now.
 *
 * Invariant: rows count only for bodies without references, with the orphans that are still to be
 * removed taken in, so that it does not matter when those are.
 */

import { sql as raw, type Compilable, type RawBuilder } from 'kysely';
import type { AccountFact } from '#domain/log/streams';
import type { BodyHash, HookId, Instant } from '#domain/values/ids';
import { unknownBodies } from './body-reads.ts';
import { BODY_DDL, type BodyTables } from './body-tables.ts';
import type { MessageTables } from './message-tables.ts';
import type { AccountModel } from './model.ts';
import { dropContentsOf } from './orphans.ts';
import { query, tables, type Markers, type Sql } from './query.ts';
import { queueItem } from './queue.ts';

const db = tables<BodyTables & MessageTables>();

/** Bodies without references; a raw query, because it compares the tables with each other. */
const releasedRows: Compilable<BodyTables['body_releases']> = {
  compile: () =>
    raw<BodyTables['body_releases']>`
      SELECT body, max(expunged_at) AS expunged_at, max(retired_at) AS retired_at FROM (
        SELECT body, expunged_at, retired_at FROM body_releases
        UNION ALL
        SELECT contents.body, orphans.at, 0 FROM orphans JOIN contents USING (content_id)
        WHERE content_id NOT IN (SELECT content_id FROM messages)
      )
      WHERE body NOT IN (
        SELECT body FROM contents WHERE content_id IN (SELECT content_id FROM messages)
      ) AND body NOT IN (SELECT body FROM body_uses)
      GROUP BY body ORDER BY body`.compile(db),
};

export const bodies: AccountModel = {
  name: 'bodies',
  version: 1,
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

const bodyOfHook = query((at: Markers<{ hookId: HookId }>) =>
  db.selectFrom('hook_bodies').select('body').where('hook_id', '=', at.hookId),
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

function apply({ event, at }: AccountFact, write: Sql): void {
  switch (event.type) {
    case 'MessageQueued':
      addUses.run(write, { body: event.body, uses: event.items.length });
      return;
    case 'MessageRetired': {
      const item = queueItem(write, event.queueId);
      if (item !== undefined) useEnds(write, item.body, at);
      return;
    }
    case 'WebhookQueued': {
      const { body } = event.occasion;
      // Mail that comes back late may be about a message whose body was swept.
      if (unknownBodies(write, [body]).length > 0) return;
      addHook.run(write, { hook_id: event.hookId, body });
      addUses.run(write, { body, uses: 1 });
      return;
    }
    case 'WebhookRetired': {
      const hook = bodyOfHook.get(write, { hookId: event.hookId });
      if (hook === undefined) return;
      dropHook.run(write, { hookId: event.hookId });
      return useEnds(write, hook.body, at);
    }
    case 'BodiesSwept': {
      const listedBodies = JSON.stringify(event.bodies);
      // What is still to be removed of their contents: they are no orphans of ours any more.
      dropContentsOf(write, listedBodies);
      dropReleases.run(write, { bodies: listedBodies });
      dropLastSwept.run(write, {});
      addLastSwept.run(write, { bodies: listedBodies });
      countSwept.run(write, { more: event.bodies.length });
      return;
    }
    default:
      return;
  }
}

function useEnds(write: Sql, body: BodyHash, at: Instant): void {
  addUses.run(write, { body, uses: -1 });
  if (dropUnused.run(write, { body }) === 0 || isInMail(write, body)) return;
  putRetired.run(write, { body, at });
}

const inMail = query((at: Markers<Body>) =>
  db
    .selectFrom('contents')
    .innerJoin('messages', 'messages.content_id', 'contents.content_id')
    .select('contents.content_id')
    .where(raw<boolean>`substr(contents.body, 1, 12) = substr(${at.body}, 1, 12)`)
    .where('contents.body', '=', at.body)
    .limit(raw.lit(1)),
);

/** True when some message has the body. */
export function isInMail(sql: Sql, body: BodyHash): boolean {
  return inMail.get(sql, { body }) !== undefined;
}
