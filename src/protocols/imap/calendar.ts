/**
 * Calendar days and times of day as IMAP writes them, to and from milliseconds since 1970.
 *
 * Pure arithmetic in the proleptic Gregorian calendar: no locale, no clock.
 *
 * RFC 9051 §9 (date, date-time)
 */

import type { Instant } from '#domain/values/ids';

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** YYYYMMDD as a number; undefined when there is no such day. `month` as in `Jan`, in any case. */
export function civilDay(year: number, month: string, day: number): number | undefined {
  const wanted = month.charAt(0).toUpperCase() + month.slice(1).toLowerCase();
  const at = MONTHS.indexOf(wanted);
  if (at < 0 || at % 3 !== 0 || wanted.length !== 3) return undefined;
  const number = at / 3 + 1;
  if (day < 1 || day > daysIn(year, number)) return undefined;
  return year * 10_000 + number * 100 + day;
}

/** The moment `seconds` after midnight UTC of a day given as YYYYMMDD. */
function civilInstant(day: number, seconds: number): Instant {
  const year = Math.floor(day / 10_000);
  const month = Math.floor(day / 100) % 100;
  return daysSince1970(year, month, day % 100) * DAY_MS + seconds * 1000;
}

/** A moment with the zone that it was written in. */
export interface DateTime {
  readonly at: Instant;
  readonly zoneMinutes: number;
}

/** RFC 9051 §9 date-time; to be matched where `lastIndex` stands. */
export const DATE_TIME: RegExp =
  /"([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"/y;

/** What DATE_TIME matched; undefined when there is no such day or time. */
export function readDateTime(match: RegExpExecArray): DateTime | undefined {
  const [, day, month = '', year, hour, minute, second, sign, zoneHour, zoneMinute] = match;
  const civil = civilDay(Number(year), month, Number(day));
  if (civil === undefined || Number(hour) > 23 || Number(minute) > 59) return undefined;
  // A leap second is the first one of the next minute here.
  if (Number(second) > 60 || Number(zoneHour) > 23 || Number(zoneMinute) > 59) return undefined;
  const zone = Number(zoneHour) * 60 + Number(zoneMinute);
  const zoneMinutes = sign === '-' ? 0 - zone : zone;
  const seconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  return { at: civilInstant(civil, seconds - zoneMinutes * 60), zoneMinutes };
}

/** `" 1-Jan-2022 10:10:00 +0100"`, quotes included: how a moment looks in its zone. */
export function formatDateTime(at: Instant, zoneMinutes: number): string {
  const local = at + zoneMinutes * MINUTE_MS;
  const days = Math.floor(local / DAY_MS);
  const seconds = Math.floor((local - days * DAY_MS) / 1000);
  const zone = Math.abs(zoneMinutes);
  const minutes = Math.floor(seconds / 60);
  return (
    `"${dateText(days)} ` +
    `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)} ` +
    `${zoneMinutes < 0 ? '-' : '+'}${two(Math.floor(zone / 60))}${two(zone % 60)}"`
  );
}

/** ` 1-Jan-2022` of a day counted from 1970-01-01. */
function dateText(days: number): string {
  // Counted from 0000-03-01 in eras of 400 years, so that leap days come last in their year.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const name = MONTHS.slice(month * 3 - 3, month * 3);
  return `${day < 10 ? ' ' : ''}${day}-${name}-${String(year).padStart(4, '0')}`;
}

function daysSince1970(year: number, month: number, day: number): number {
  const shiftedYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(shiftedYear / 400);
  const yearOfEra = shiftedYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  return era * 146_097 + yearOfEra * 365 + leapDays + dayOfYear - 719_468;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}
