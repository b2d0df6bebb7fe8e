/**
 * Rows that a turn adds to a table and that are not written yet: many go in with one statement.
 */

import { ROWS_AT_ONCE, type Insertion, type Sql } from './query.ts';

export class RowDrafts<Row> {
  readonly #insertion: Insertion<Row>;
  readonly #rows: Row[] = [];

  constructor(insertion: Insertion<Row>) {
    this.#insertion = insertion;
  }

  add(write: Sql, row: Row): void {
    this.#rows.push(row);
    if (this.#rows.length === ROWS_AT_ONCE) this.write(write);
  }

  /** To be called before the rows are read, and before the transaction is committed. */
  write(write: Sql): void {
    this.#insertion.run(write, this.#rows);
    this.drop();
  }

  drop(): void {
    this.#rows.length = 0;
  }
}
