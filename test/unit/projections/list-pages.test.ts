/** Pages of lists: nothing twice, nothing left out, and no more read than is shown. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ViewsDatabase } from '#infra/read-models';
import { pageOf, type ListPage } from '#projections/list-pages';
import { tables, type Sql, type SqlValue } from '#projections/query';

interface Things {
  things: { id: number; at: number };
}

const LIST = tables<Things>().selectFrom('things').select(['id', 'at']);
const PAGE: ListPage<'at'> = { sort: 'at', ascending: true, limit: 3 };
const COLUMNS = { of: { at: 'at' }, id: 'id' };

/** Twenty, of which many are due at the same time. */
function things(): ViewsDatabase {
  const db = new ViewsDatabase(':memory:', 'builder');
  db.execute([
    'CREATE TABLE things (id INTEGER PRIMARY KEY, at INTEGER NOT NULL)',
    'CREATE INDEX things_at ON things (at, id)',
  ]);
  for (let id = 1; id <= 20; id++) {
    db.passing('INSERT INTO things VALUES (?, ?)').run([id, id % 7 < 4 ? 5 : id % 7]);
  }
  return db;
}

/** All ids, page by page. */
function walk(sql: Sql, page: ListPage<'at'>): readonly number[] {
  const rows = pageOf(sql, LIST, page, COLUMNS);
  const last = rows.at(-1);
  if (last === undefined) return [];
  const behind = { value: last.at, id: last.id };
  return [...rows.map(({ id }) => id), ...walk(sql, { ...page, behind })];
}

describe('pages', () => {
  it('queue 28: have every row once, either way, whatever their size', () => {
    const db = things();
    const all = pageOf(db, LIST, { ...PAGE, limit: 100 }, COLUMNS).map(({ id }) => id);
    assert.equal(new Set(all).size, 20);
    for (const limit of [1, 2, 3, 7, 20, 21]) {
      assert.deepEqual(walk(db, { ...PAGE, limit }), all);
      assert.deepEqual(walk(db, { ...PAGE, limit, ascending: false }), all.toReversed());
    }
    db.close();
  });

  it('queue 39: look for where they begin, also among rows with the same value', () => {
    const db = things();
    const plans: unknown[] = [];
    const watching: Sql = {
      statement: (text) => db.statement(text),
      passing(text) {
        const statement = db.passing(text);
        const all = (values: readonly SqlValue[]): unknown[] => {
          plans.push(...db.passing(`EXPLAIN QUERY PLAN ${text}`).all(values));
          return statement.all(values);
        };
        return { ...statement, all };
      },
    };
    pageOf(watching, LIST, { ...PAGE, behind: { value: 5, id: 17 } }, COLUMNS);
    assert.deepEqual(
      plans.map((plan) => Object(plan).detail),
      [
        'SEARCH things USING COVERING INDEX things_at (at=? AND id>?)',
        'SEARCH things USING COVERING INDEX things_at (at>?)',
      ],
    );
    db.close();
  });
});
