/**
 * What requests about lists have in common: filters by time and number, and pages.
 *
 * Diagnostics: a filter that nobody understands, or one that is empty where everything would be
 * changed, is refused by a sentence that names the field.
 */

import type { Instant } from '#domain/values/ids';
import type { Rescheduling } from '#domain/values/rescheduling';
import type { TimeBound } from '#projections/list-conditions';
import type { ListPage } from '#projections/list-pages';
import { ControlError } from './control.ts';
import type { ControlFields } from './control-fields.ts';
import { readBound, readSpan } from './relative-time.ts';

/** Records in one answer; who wants more asks for the next page. */
const PAGE_MAX = 1000;
const IDS_MAX = 10_000;

/** How many records were changed. */
export interface ChangedCount {
  readonly affected: number;
}

/** `sorts` has fields by what they are called; '' is what counts when none is named. */
export function readPage<Sort extends string>(
  fields: ControlFields,
  sorts: Readonly<Record<string, Sort>>,
): ListPage<Sort> {
  const name = (fields.optionalText('sort') ?? '').toLowerCase();
  const sort = Object.hasOwn(sorts, name) ? sorts[name] : undefined;
  if (sort === undefined) throw wrongField('sort', 'a field to sort by');
  const ascending = fields.optionalBoolean('ascending') ?? false;
  const limit = Math.min(fields.optionalCount('limit') || PAGE_MAX, PAGE_MAX);
  const lastId = fields.optionalCount('lastId') ?? 0;
  const last = fields.optionalText('last');
  if (lastId === 0) {
    if (last !== undefined) throw wrongField('lastId', 'the id of a record, to go with last');
    return { sort, ascending, limit };
  }
  const value = /^\d{4}-\d\d-\d\dT/.test(last ?? '') ? Date.parse(last ?? '') : NaN;
  if (Number.isNaN(value)) throw wrongField('last', 'a time in ISO 8601, to go with lastId');
  return { sort, ascending, limit, behind: { value, id: lastId } };
}

/** A page of the one that is meant. */
export const FIRST = { sort: 'queued', ascending: true, limit: 1 } as const;

/** Where nothing else is asked for. */
export function readOnlyId(fields: ControlFields): number {
  const id = fields.count('id');
  fields.end();
  return id;
}

/** The field `duration`: from now where `now` is true, else from when each is due. */
export function readRescheduling(fields: ControlFields, now: Instant): Rescheduling {
  const byMs = readSpan(fields.text('duration'));
  if (byMs === undefined) throw wrongField('duration', 'a time like 1h30m');
  return (fields.optionalBoolean('now') ?? false) ? { at: now + byMs } : { byMs };
}

export function readIds(fields: ControlFields): readonly number[] | undefined {
  const ids = fields.optionalCounts('ids');
  if (ids === undefined || ids.length <= IDS_MAX) return ids;
  throw wrongField('ids', `a list of ${IDS_MAX} numbers at most`);
}

export function readTimeBound(
  fields: ControlFields,
  name: string,
  now: Instant,
): TimeBound | undefined {
  const text = fields.optionalText(name);
  if (text === undefined || text === '') return undefined;
  const bound = readBound(text);
  if (bound === undefined) throw wrongField(name, '< or > and a time like -1h or now');
  const at = now + bound.byMs;
  return bound.side === 'before' ? { before: at } : { after: at };
}

/**
 * What is to be changed: whatever fits the filter, and everything only when that is said. `things`
 * is what they are called. Nothing may stand in the request behind it.
 */
export function readSelection<Filter extends object>(
  fields: ControlFields,
  now: Instant,
  readFilter: (fields: ControlFields, now: Instant) => Filter,
  things: string,
): { readonly filter: Filter; readonly limit: number | undefined } {
  const limit = fields.optionalCount('limit') || undefined;
  const isAll = fields.optionalBoolean('all') ?? false;
  const filter = readFilter(fields, now);
  fields.end();
  if (Object.keys(filter).length > 0 || isAll) return { filter, limit };
  throw new ControlError('NoFilter', `There is no filter: give one, or --all for all ${things}.`);
}

export function wrongField(name: string, wanted: string): ControlError {
  return new ControlError('BadRequest', `The field ${name} must be ${wanted}.`);
}
