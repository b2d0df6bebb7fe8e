/**
 * Sizes and times as people write them on the command line: `10g`, `36h`, `none`, `2026-01-31`.
 *
 * Diagnostics: undefined for what is neither.
 */

const SIZES: Readonly<Record<string, number>> = {
  '': 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
};

/** From the longest on. */
const TIMES: Readonly<Record<string, number>> = {
  w: 7 * 86_400_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
};

/** Octets; 0 for `none`. */
export function readSize(text: string): number | undefined {
  return quantity(text, SIZES);
}

/** Milliseconds; 0 for `none`. */
export function readDuration(text: string): number | undefined {
  return quantity(text, TIMES);
}

function quantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  if (text === 'none' || text === '0') return 0;
  const match = /^([0-9]{1,15})([a-z]?)$/.exec(text.toLowerCase());
  const unit = units[match?.[2] ?? 'missing'];
  if (match === null || unit === undefined) return undefined;
  const value = Number(match[1]) * unit;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** In the longest unit that gives a whole number. */
export function formatDuration(ms: number): string {
  if (ms === 0) return 'none';
  const [unit, length] = Object.entries(TIMES).find(([, each]) => ms % each === 0) ?? ['ms', 1];
  return `${ms / length}${unit}`;
}

/** True for a day that there is: `2026-01-31`. */
export function isDate(text: string): boolean {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)) return false;
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}
