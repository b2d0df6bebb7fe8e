/**
 * Queries are compiled once, and take their parameters by name.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  insertion,
  query,
  ROWS_AT_ONCE,
  tables,
  type Markers,
  type Sql,
  type SqlValue,
} from '#projections/query';

interface Tables {
  things: { id: number; name: string; size: number };
}
const db = tables<Tables>();

/** A connection that notes what it is asked. */
function notingSql(): { readonly sql: Sql; readonly asked: [string, readonly SqlValue[]][] } {
  const asked: [string, readonly SqlValue[]][] = [];
  const statement: Sql['statement'] = (text) => {
    const note = (values: readonly SqlValue[]): void => void asked.push([text, values]);
    return {
      get: note,
      all: (values) => {
        note(values);
        return [];
      },
      each: () => [],
      run: (values) => {
        note(values);
        return 1;
      },
    };
  };
  return { sql: { statement, passing: statement }, asked };
}

describe('a query', () => {
  it('puts values where their names stand, as often as they stand there', () => {
    const { sql, asked } = notingSql();
    const found = query((at: Markers<{ low: number; name: string }>) =>
      db
        .selectFrom('things')
        .select('id')
        .where('size', '>', at.low)
        .where('name', '=', at.name)
        .where('id', '>', at.low),
    );
    found.all(sql, { name: 'a', low: 5 });
    assert.deepEqual(
      asked.map(([, values]) => values),
      [[5, 'a', 5]],
    );
  });

  it('keeps constants of its own', () => {
    const { sql, asked } = notingSql();
    const changed = query((at: Markers<{ id: number }>) =>
      db.updateTable('things').set({ size: 7 }).where('id', '=', at.id),
    );
    assert.equal(changed.run(sql, { id: 1 }), 1);
    assert.deepEqual(
      asked.map(([, values]) => values),
      [[7, 1]],
    );
  });

  it('is built when it is first used, and once', () => {
    const { sql, asked } = notingSql();
    let built = 0;
    const found = query((at: Markers<{ id: number }>) => {
      built++;
      return db.selectFrom('things').selectAll().where('id', '=', at.id);
    });
    assert.equal(built, 0);
    found.get(sql, { id: 1 });
    found.get(sql, { id: 2 });
    assert.equal(built, 1);
    assert.equal(asked[0]?.[0], asked[1]?.[0]);
  });
});

describe('an insertion', () => {
  it('puts in many rows with one statement, and those left over one by one', () => {
    const { sql, asked } = notingSql();
    const added = insertion((rows: readonly Markers<Tables['things']>[]) =>
      db
        .insertInto('things')
        .values(rows.map((at) => ({ id: at.id, name: at.name, size: at.size }))),
    );
    const rows = Array.from({ length: 2 * ROWS_AT_ONCE + 2 }, (_, id) => {
      return { size: id * 10, name: `thing ${id}`, id };
    });
    added.run(sql, rows);
    const lengths = asked.map(([, values]) => values.length / 3);
    assert.deepEqual(lengths, [ROWS_AT_ONCE, ROWS_AT_ONCE, 1, 1]);
    assert.equal(asked[0]?.[0], asked[1]?.[0]);
    assert.deepEqual(
      asked.flatMap(([, values]) => values),
      rows.flatMap(({ id, name, size }) => [id, name, size]),
    );
  });
});
