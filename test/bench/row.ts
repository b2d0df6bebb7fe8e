/**
 * What a bench yields: one row per thing measured, for us and, where there is one, for a peer.
 */

export interface BenchRow {
  readonly what: string;
  /** `ms`, `µs/message`, `messages/s`, `MB`, `bytes`. */
  readonly unit: string;
  readonly ours: number;
  readonly peer?: { readonly name: string; readonly value: number };
}

/** Rows of one bench; `say` tells about what is left out. */
export type Bench = (say: (text: string) => void) => Promise<readonly BenchRow[]>;

/** True when larger numbers of the unit are better. */
export function moreIsBetter(unit: string): boolean {
  return unit.endsWith('/s');
}

/** How much better (above 1) or worse (below 1) we are than the peer. */
export function advantage(row: BenchRow): number | undefined {
  if (row.peer === undefined) return undefined;
  return moreIsBetter(row.unit) ? row.ours / row.peer.value : row.peer.value / row.ours;
}

/** Middle value of the times (ms) that `work` takes. */
export async function medianMs(
  times: number,
  work: (i: number) => Promise<unknown>,
): Promise<number> {
  const taken: number[] = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await work(i);
    taken.push(performance.now() - start);
  }
  return median(taken);
}

/** How long work is done before it is measured. */
const WARM_MS = 1000;

/**
 * The same of work that was done again and again before, as in a server that has been up for a
 * while: what is compiled when it is often used is compiled, what is cached lies in the cache.
 */
export async function warmMedianMs(
  times: number,
  work: (i: number) => Promise<unknown>,
): Promise<number> {
  let done = 0;
  for (const start = performance.now(); performance.now() - start < WARM_MS; done++) {
    await work(done);
  }
  return medianMs(times, (i) => work(done + i));
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
