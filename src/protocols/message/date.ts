/**
 * The Date field, read leniently and written strictly.
 *
 * RFC 5322 §3.3 and, for reading, §4.3: two-digit years and zone names. Pure arithmetic on given
 * instants; nothing here asks for the time.
 */

import type { Instant } from '#domain/values/ids';

export interface MessageDate {
  readonly at: Instant;
  /** The calendar day as written, `YYYYMMDD` as a number. */
  readonly day: number;
}

const DATE_CHARS_MAX = 200;
const MINUTE_MS = 60_000;
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** RFC 5322 §4.3, in hours; other names say nothing about the zone and count as UTC. */
const ZONES: Readonly<Record<string, number>> = {
  EST: -5,
  EDT: -4,
  CST: -6,
  CDT: -5,
  MST: -7,
  MDT: -6,
  PST: -8,
  PDT: -7,
};

const DATE = new RegExp(
  [
    /^\s*(?:[a-z]{2,9}\.?\s*,?\s*)?/, // Day of the week, ignored.
    /(?<day>\d{1,2})[\s-]+(?<month>[a-z]{3})[a-z]{0,6}\.?[\s,-]+(?<year>\d{2,4})/,
    /(?:[\s,]+(?<hour>\d{1,2})[:.](?<minute>\d{1,2})(?:[:.](?<second>\d{1,2}))?(?:\.\d+)?)?/,
    /(?:\s*(?<zone>[+-]\d{4}|[a-z]{1,5}))?/,
  ]
    .map((part) => part.source)
    .join(''),
  'i',
);

/** What a Date field says; undefined when it cannot be read. */
export function parseDate(value: string): MessageDate | undefined {
  const groups = DATE.exec(value.slice(0, DATE_CHARS_MAX))?.groups;
  if (groups === undefined) return undefined;
  const { day = '', month = '', year = '', hour, minute, second, zone } = groups;
  const monthIndex = MONTHS.findIndex((name) => name.toLowerCase() === month.toLowerCase());
  const fullYear = yearOf(year);
  const midnight = Date.UTC(fullYear, monthIndex, Number(day));
  // Date.UTC rolls 31 Feb over into March: such a day does not exist.
  if (monthIndex < 0 || new Date(midnight).getUTCDate() !== Number(day)) return undefined;
  const minutes = Number(hour ?? 0) * 60 + Number(minute ?? 0);
  const seconds = Number(second ?? 0);
  // 60 is a leap second.
  if (Number(hour ?? 0) > 23 || Number(minute ?? 0) > 59 || seconds > 60) return undefined;
  return {
    at: midnight + (minutes - zoneMinutesOf(zone)) * MINUTE_MS + seconds * 1000,
    day: fullYear * 10_000 + (monthIndex + 1) * 100 + Number(day),
  };
}

/** `Fri, 2 Jan 2026 15:04:05 +0000` */
export function formatDate(at: Instant): string {
  const date = new Date(at);
  const day = `${DAYS[date.getUTCDay()]}, ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
  return `${day} ${String(date.getUTCFullYear()).padStart(4, '0')} ${time} +0000`;
}

/** RFC 5322 §4.3: two digits are 1950 … 2049, three count from 1900. */
function yearOf(digits: string): number {
  const year = Number(digits);
  if (digits.length === 4) return year;
  if (digits.length === 3) return 1900 + year;
  return year < 50 ? 2000 + year : 1900 + year;
}

function zoneMinutesOf(zone: string | undefined): number {
  if (zone === undefined) return 0;
  const sign = zone[0] === '-' ? -1 : 1;
  if (zone[0] !== '-' && zone[0] !== '+') return (ZONES[zone.toUpperCase()] ?? 0) * 60;
  return sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3)));
}
