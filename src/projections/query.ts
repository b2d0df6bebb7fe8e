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
  readonly name: string;

  constructor(name: string) {
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
  const textOf = (): Compiled => (compiled ??= compile(build));
  return {
    get(on, values) {
      const { text, order } = textOf();
      return on.statement(text).get(inOrder(order, values)) as Row | undefined;
    },
    all(on, values) {
      const { text, order } = textOf();
      return on.statement(text).all(inOrder(order, values)) as Row[];
    },
    run(on, values) {
      const { text, order } = textOf();
      return on.statement(text).run(inOrder(order, values));
    },
  };
}

interface Compiled {
  readonly text: string;
  /** A marker, or a constant of the query itself. */
  readonly order: readonly (Marker | SqlValue)[];
}

function compile<V extends Values, Row>(build: (at: Markers<V>) => Compilable<Row>): Compiled {
  // The plus does nothing but hide the parameter from the planner: wherever that compares one with
  // a column (ORDER BY, LIMIT, partial indexes), SQLite compiles the statement anew for each value,
  // which costs several times as much as running it.
  const markers = new Proxy({} as Markers<V>, {
    get: (_, name) => sql`+${new Marker(String(name))}`,
  });
  const { sql: text, parameters } = build(markers).compile();
  return { text, order: parameters as Compiled['order'] };
}

function inOrder(order: Compiled['order'], values: Values): SqlValue[] {
  return order.map((slot) => (slot instanceof Marker ? (values[slot.name] as SqlValue) : slot));
}

/** Runs a query that was built for this one use. */
export function rowsOf<Row>(on: Sql, built: Compilable<Row>): Row[] {
  const { sql: text, parameters } = built.compile();
  return on.passing(text).all(parameters as readonly SqlValue[]) as Row[];
}
