/**
 * Queries: written with Kysely, built and compiled once, run on a prepared statement.
 *
 * `query` gives a statement named parameters and a typed row; its text is made when it is first
 * used. Everything here is synchronous: a read model is written inside one transaction, and nothing
 * may come between two statements of it.
 */

import {
  DummyDriver,
  Kysely,
  sql,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type Compilable,
  type RawBuilder,
} from 'kysely';

export type SqlValue = number | string | Uint8Array | null;

/** A statement that an engine has prepared; values stand in the order of its markers. */
export interface Statement {
  get(values: readonly SqlValue[]): unknown;
  all(values: readonly SqlValue[]): unknown[];
  /** The rows one after the other, each as the list of its columns. */
  each(values: readonly SqlValue[]): Iterable<readonly SqlValue[]>;
  /** How many rows it changed. */
  run(values: readonly SqlValue[]): number;
}

/** A connection to a database. */
export interface Sql {
  /** Prepared once and kept. */
  statement(text: string): Statement;
  /** Prepared for this one use: for texts that come in endless variety. */
  passing(text: string): Statement;
}

type Values = Readonly<Record<string, SqlValue>>;

/** Where each parameter stands in a query. */
export type Markers<V> = { readonly [Name in keyof V]: RawBuilder<V[Name]> };

export interface Query<V, Row> {
  get(sql: Sql, values: V): Row | undefined;
  all(sql: Sql, values: V): Row[];
  run(sql: Sql, values: V): number;
}

class Marker {
  readonly row: number;
  readonly name: string;

  constructor(row: number, name: string) {
    this.row = row;
    this.name = name;
  }
}

/** A builder of queries over these tables; it never runs one. */
export function tables<Tables>(): Kysely<Tables> {
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
}

/** A query with named parameters: `query((at: Markers<{ uid: Uid }>) => …)`. */
export function query<V extends Values, Row>(
  build: (at: Markers<V>) => Compilable<Row>,
): Query<V, Row> {
  let compiled: Compiled | undefined;
  const textOf = (): Compiled => (compiled ??= compile(build(markers<V>(0))));
  return {
    get(on, values) {
      const { text, order } = textOf();
      return on.statement(text).get(inOrder(order, [values])) as Row | undefined;
    },
    all(on, values) {
      const { text, order } = textOf();
      return on.statement(text).all(inOrder(order, [values])) as Row[];
    },
    run(on, values) {
      const { text, order } = textOf();
      return on.statement(text).run(inOrder(order, [values]));
    },
  };
}

/** An INSERT of any number of rows. */
export interface Insertion<V> {
  run(sql: Sql, rows: readonly V[]): void;
}

/** Rows of one statement: more of them are hardly faster. */
export const ROWS_AT_ONCE = 16;

/** An INSERT of as many rows as there are markers; rows that come one by one cost twice as much. */
export function insertion<V extends Values>(
  build: (rows: readonly Markers<V>[]) => Compilable<object>,
): Insertion<V> {
  const textOf = (count: number): Compiled =>
    compile(build(Array.from({ length: count }, (_, row) => markers<V>(row))));
  let one: Compiled | undefined;
  let many: Compiled | undefined;
  return {
    run(on, rows) {
      let i = 0;
      for (; i + ROWS_AT_ONCE <= rows.length; i += ROWS_AT_ONCE) {
        const { text, order } = (many ??= textOf(ROWS_AT_ONCE));
        on.statement(text).run(inOrder(order, rows.slice(i, i + ROWS_AT_ONCE)));
      }
      for (; i < rows.length; i++) {
        const { text, order } = (one ??= textOf(1));
        on.statement(text).run(inOrder(order, [rows[i] as V]));
      }
    },
  };
}

interface Compiled {
  readonly text: string;
  /** A marker, or a constant of the query itself. */
  readonly order: readonly (Marker | SqlValue)[];
}

/** The markers of a row, by name. */
function markers<V extends Values>(row: number): Markers<V> {
  // The plus does nothing but hide the parameter from the planner: wherever that compares one with
  // a column (ORDER BY, LIMIT, partial indexes), SQLite compiles the statement anew for each value,
  // which costs several times as much as running it.
  return new Proxy({} as Markers<V>, {
    get: (_, name) => sql`+${new Marker(row, String(name))}`,
  });
}

function compile<Row>(built: Compilable<Row>): Compiled {
  const { sql: text, parameters } = built.compile();
  return { text, order: parameters as Compiled['order'] };
}

function inOrder(order: Compiled['order'], rows: readonly Values[]): SqlValue[] {
  const values: SqlValue[] = [];
  for (const slot of order) {
    values.push(slot instanceof Marker ? (rows[slot.row]?.[slot.name] as SqlValue) : slot);
  }
  return values;
}

/** Runs a query that was built for this one use. */
export function rowsOf<Row>(on: Sql, built: Compilable<Row>): Row[] {
  const { sql: text, parameters } = built.compile();
  return on.passing(text).all(parameters as readonly SqlValue[]) as Row[];
}
