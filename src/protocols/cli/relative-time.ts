/**
 * Spans of time and bounds relative to now, as filters of the queue write them: `1h30m`, `-1.5h`,
 * `<-1h` (more than an hour ago), `>now`.
 *
 * Diagnostics: undefined for what is neither.
 */

/** Milliseconds of each unit. */
const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const SPAN = /^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)/;
const SPAN_CHARS_MAX = 64;
/** Nothing is scheduled further away. */
const SPAN_MS_MAX: number = 100 * 365 * 86_400_000;

/** Whole milliseconds, signed. */
export function readSpan(text: string): number | undefined {
  if (text === '0') return 0;
  if (text.length > SPAN_CHARS_MAX) return undefined;
  const sign = text.startsWith('-') ? -1 : 1;
  let rest = text.replace(/^[+-]/, '');
  if (rest === '') return undefined;
  let ms = 0;
  while (rest !== '') {
    const match = /^[+-]/.test(rest) ? null : SPAN.exec(rest);
    if (match === null) return undefined;
    ms += Number(match[1]) * (UNITS[match[3] ?? ''] ?? 0);
    rest = rest.slice(match[0].length);
  }
  return ms <= SPAN_MS_MAX ? Math.round(sign * ms) + 0 : undefined;
}

/** What lies strictly before, or after, so many milliseconds from now. */
export interface RelativeBound {
  readonly side: 'before' | 'after';
  readonly byMs: number;
}

export function readBound(text: string): RelativeBound | undefined {
  const [sign = ''] = text;
  if (sign !== '<' && sign !== '>') return undefined;
  const rest = text.slice(1).trim();
  const byMs = rest === 'now' ? 0 : readSpan(rest);
  return byMs === undefined ? undefined : { side: sign === '<' ? 'before' : 'after', byMs };
}
