/**
 * Values of flags and arguments as commands take them.
 *
 * Diagnostics: what is none is wrong usage, before anybody is asked.
 */

import { InvalidArgumentError } from 'commander';
import { isDate, readDuration, readSize } from './quantities.ts';
import { readBound, readSpan } from './relative-time.ts';

export function wholeNumber(text: string): number {
  const number = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError('It must be a whole number.');
}

/** The server takes 0 for any number: whoever types it hardly means all. */
export function numberFromOne(text: string): number {
  const number = wholeNumber(text);
  if (number > 0) return number;
  throw new InvalidArgumentError('It must be a number from 1.');
}

export function numbers(text: string): readonly number[] {
  return text.split(',').map((each) => wholeNumber(each.trim()));
}

export function truth(text: string): boolean {
  return oneOf('true', 'false')(text) === 'true';
}

export function oneOf(...words: readonly string[]): (text: string) => string {
  return (text) => {
    if (words.includes(text)) return text;
    throw new InvalidArgumentError(`It must be ${words.join(' or ')}.`);
  };
}

/** As it stands: the server reads it again. */
export function span(text: string): string {
  if (readSpan(text) !== undefined) return text;
  throw new InvalidArgumentError('It must be a time like 1h30m or -10m.');
}

export function bound(text: string): string {
  if (readBound(text) !== undefined) return text;
  throw new InvalidArgumentError('It must be < or > and a time like -1h or now.');
}

export function size(text: string): number {
  const bytes = readSize(text);
  if (bytes !== undefined) return bytes;
  throw new InvalidArgumentError('It must be a size like 500m, 10g or none.');
}

export function duration(text: string): number {
  const ms = readDuration(text);
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError('It must be a time like 12h, 7d or none.');
}

export function date(text: string): string {
  if (isDate(text)) return text;
  throw new InvalidArgumentError('It must be a date like 2026-01-31.');
}
