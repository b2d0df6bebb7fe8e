/**
 * Backups of 10,000 messages: the first one, one after a single delivery, the check, the restore.
 * In one process, without the start of the program; the restore makes all views on the way.
 */

import { rm } from 'node:fs/promises';
import { findingsIn, openHome, restoreTo, type Home } from '../support/backups.ts';
import { median, type BenchRow } from './row.ts';

const MESSAGES = 10_000;
const AT_ONCE = 100;
const RUNS = 5;

export async function run(say: (text: string) => void): Promise<readonly BenchRow[]> {
  await using home = await openHome();
  await fill(home);
  const rows: BenchRow[] = [];
  const note = (what: string, unit: string, ours: number): void => {
    say(`${what}: ${ours.toFixed(ours < 100 ? 1 : 0)} ${unit}`);
    rows.push({ what, unit, ours });
  };
  const rate = (ms: number): number => (MESSAGES * 1000) / ms;
  const target = home.file('backup');
  const first = await timed(() => home.backup(target));
  note('first backup, messages linked', 'messages/s', rate(first));
  const next: number[] = [];
  for (let n = 0; n < RUNS; n++) {
    await home.deliver(`one more ${n}`);
    next.push(await timed(() => home.backup(target)));
  }
  note('backup after one delivery', 'ms', median(next));
  note('check of a backup', 'messages/s', rate(await timed(() => findingsIn(target))));
  const restored = await timed(() => restoreTo(target, home.file('new')));
  note('restore, checked, with the views of the account', 'messages/s', rate(restored));
  await rm(home.file('new'), { recursive: true });
  return rows;
}

async function fill(home: Home): Promise<void> {
  for (let n = 0; n < MESSAGES / AT_ONCE; n++) {
    const numbers = Array.from({ length: AT_ONCE }, (_, i) => n * AT_ONCE + i);
    await Promise.all(numbers.map((i) => home.deliver(`${i} ${'words '.repeat(300)}`)));
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
