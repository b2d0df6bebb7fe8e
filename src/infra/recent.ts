/**
 * A cache of what was used lately, bounded by the bytes that it holds.
 *
 * Two halves: what is used goes into the young one; when that is full it becomes the old one, and
 * what the old one held, not used for as long, is dropped. So nothing is ever looked for among
 * what was used longest ago, and each call costs the same however much is kept.
 *
 * Invariant: the sizes in a half never exceed half of the bound, together.
 */

interface Entry<Value> {
  readonly value: Value;
  readonly bytes: number;
}

export class Recent<Value> {
  readonly #halfBytes: number;
  #young = new Map<string, Entry<Value>>();
  #youngBytes = 0;
  #old = new Map<string, Entry<Value>>();

  constructor(bytesMax: number) {
    this.#halfBytes = bytesMax / 2;
  }

  get(key: string): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young.value;
    const old = this.#old.get(key);
    if (old !== undefined) this.#keep(key, old);
    return old?.value;
  }

  /** Keeps the value, unless it alone would take more than half of a half. */
  set(key: string, value: Value, bytes: number): void {
    this.#forget(key);
    if (bytes <= this.#halfBytes / 2) this.#keep(key, { value, bytes });
    else this.#old.delete(key);
  }

  /** Keeps nothing under the key. */
  drop(key: string): void {
    this.#forget(key);
    this.#old.delete(key);
  }

  #forget(key: string): void {
    const young = this.#young.get(key);
    if (young === undefined) return;
    this.#young.delete(key);
    this.#youngBytes -= young.bytes;
  }

  /** What the old half still has under the key is not found any more. */
  #keep(key: string, entry: Entry<Value>): void {
    if (this.#youngBytes + entry.bytes > this.#halfBytes) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(key, entry);
    this.#youngBytes += entry.bytes;
  }
}
