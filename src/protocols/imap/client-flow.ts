/**
 * Values on their way from the connection to whoever iterates over them, with a bound on how many
 * wait: then the connection is not read either, and the server waits too.
 *
 * One reader; what comes after it has left is dropped.
 */

import { IMAP_CLIENT_FLOW_BYTES } from '../limits.ts';

export class Flow<Item> {
  readonly #items: { readonly item: Item; readonly bytes: number }[] = [];
  #bytes = 0;
  #isOver = false;
  #failure: unknown;
  #hasLeft = false;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;

  /** `bytes`: about how much memory the item holds. */
  push(item: Item, bytes: number): void {
    if (this.#hasLeft || this.#isOver) return;
    this.#items.push({ item, bytes });
    this.#bytes += bytes;
    this.#wake();
  }

  /** Undefined when there is room; else a promise of it. */
  room(): Promise<void> | undefined {
    if (this.#bytes < IMAP_CLIENT_FLOW_BYTES || this.#isOver) return undefined;
    return new Promise((resolve) => (this.#wakeWriter = resolve));
  }

  /** Nothing more will come. */
  end(): void {
    this.#isOver = true;
    this.#wake();
    this.#makeRoom();
  }

  /** Nothing more will come: the reader is told why, after what is there already. */
  fail(failure: unknown): void {
    if (this.#isOver) return;
    this.#failure = failure;
    this.end();
  }

  /** The next item; undefined at the end. Throws what `fail` was given. */
  async next(): Promise<Item | undefined> {
    for (;;) {
      const first = this.#items.shift();
      if (first !== undefined) {
        this.#bytes -= first.bytes;
        if (this.#bytes < IMAP_CLIENT_FLOW_BYTES) this.#makeRoom();
        return first.item;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#isOver) return undefined;
      await new Promise<void>((resolve) => (this.#wakeReader = resolve));
    }
  }

  /** The reader wants no more. */
  leave(): void {
    this.#hasLeft = true;
    this.#items.length = 0;
    this.#bytes = 0;
    this.#wake();
    this.#makeRoom();
  }

  #wake(): void {
    const wake = this.#wakeReader;
    this.#wakeReader = undefined;
    wake?.();
  }

  #makeRoom(): void {
    const wake = this.#wakeWriter;
    this.#wakeWriter = undefined;
    wake?.();
  }
}
