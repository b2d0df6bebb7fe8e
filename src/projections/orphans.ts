/**
 * Removes what bodies said when their last message is gone, in portions: that costs more than the
 * rest of an EXPUNGE and can wait until nobody waits. What stays is that the body was let go of.
 */

import { sql as raw, type RawBuilder } from 'kysely';
import type { MessageId } from '#domain/values/ids';
import type { BodyTables } from './body-tables.ts';
import type { ListingTables } from './listing-tables.ts';
import type { MessageTables } from './message-tables.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

const db = tables<MessageTables & ListingTables & BodyTables>();

type Ids = { ids: string };

const listed = (at: Markers<Ids>): RawBuilder<MessageId> =>
  raw<MessageId>`(SELECT value FROM json_each(${at.ids}))`;

const someOrphans = query((at: Markers<{ limit: number }>) =>
  db.selectFrom('orphans').select('content_id as contentId').orderBy('content_id').limit(at.limit),
);

/** A content that is marked may still have copies. */
const stillShared = query((at: Markers<Ids>) =>
  db
    .selectFrom('messages')
    .select('content_id as contentId')
    .distinct()
    .where('content_id', 'in', listed(at)),
);

const dropContents = query((at: Markers<Ids>) =>
  db.deleteFrom('contents').where('content_id', 'in', listed(at)),
);
const dropWires = query((at: Markers<Ids>) =>
  db.deleteFrom('wires').where('content_id', 'in', listed(at)),
);
const dropListings = query((at: Markers<Ids>) =>
  db.deleteFrom('listings').where('content_id', 'in', listed(at)),
);
const dropOrphans = query((at: Markers<Ids>) =>
  db.deleteFrom('orphans').where('content_id', 'in', listed(at)),
);

/** A body that came twice may still be that of another message; whoever asks has to look. */
const releaseBodies = query((at: Markers<Ids>) => ({
  compile: () =>
    raw<object>`
      INSERT INTO body_releases (body, expunged_at, retired_at)
      SELECT contents.body, max(orphans.at), 0 FROM orphans JOIN contents USING (content_id)
      WHERE content_id IN ${listed(at)}
      GROUP BY contents.body
      ON CONFLICT (body) DO UPDATE SET expunged_at = max(expunged_at, excluded.expunged_at)
    `.compile(db),
}));

/** Removes up to `limit` contents without messages; false when there is nothing more to do. */
export function sweepOrphans(write: Sql, limit: number): boolean {
  const marked = someOrphans.all(write, { limit }).map(({ contentId }) => contentId);
  if (marked.length === 0) return false;
  const ids = JSON.stringify(marked);
  const shared = new Set(stillShared.all(write, { ids }).map(({ contentId }) => contentId));
  const gone = JSON.stringify(marked.filter((id) => !shared.has(id)));
  releaseBodies.run(write, { ids: gone });
  dropContents.run(write, { ids: gone });
  dropWires.run(write, { ids: gone });
  dropListings.run(write, { ids: gone });
  dropOrphans.run(write, { ids });
  return marked.length === limit;
}
