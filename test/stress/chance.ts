/**
 * Chance from a seed: the same draws for the same seed.
 */

export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 … 1, without 1. */
  next(): number {
    // mulberry32
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** 0 … max − 1. */
  below(max: number): number {
    return Math.floor(this.next() * max);
  }

  /** True so often out of a hundred. */
  percent(share: number): boolean {
    return this.next() * 100 < share;
  }

  one<T>(all: readonly T[]): T {
    const found = all[this.below(all.length)];
    if (found === undefined) throw new Error('there is nothing to choose from');
    return found;
  }

  /** About so many of them. */
  some<T>(all: readonly T[], about: number): readonly T[] {
    return all.filter(() => this.next() * all.length < about);
  }
}
