/**
 * A cache of what was used lately, bounded by the bytes that it holds.
 *
 * Invariant: the total of the sizes never exceeds the bound; what was used longest ago goes first.
 */

export class Recent<Value> {
  readonly #bytesMax: number;
  /** In the order of last use: maps keep the order of insertion. */
  readonly #entries = new Map<string, { readonly value: Value; readonly bytes: number }>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Keeps the value, unless it alone would take more than a quarter of the room. */
  set(key: string, value: Value, bytes: number): void {
    this.delete(key);
    if (bytes > this.#bytesMax / 4) return;
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#bytesMax) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}
