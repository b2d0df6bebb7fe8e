/**
 * What SORT asks for: what to compare, one after the other, and which messages.
 *
 * RFC 5256 §3, §5 (sort); RFC 5267 §3 (RETURN); RFC 5957 §4 (DISPLAYFROM, DISPLAYTO)
 */

import type { SortField, SortKey } from '#projections/listing-reads';
import { BadSyntax, type Parser } from './parser.ts';
import { charset, searchKeys, searchReturns } from './search-keys.ts';
import type { SearchWords } from './words.ts';

export interface SortWords extends SearchWords {
  readonly order: readonly SortKey[];
}

const FIELDS: ReadonlyMap<string, SortField> = new Map([
  ['ARRIVAL', 'arrival'],
  ['CC', 'cc'],
  ['DATE', 'date'],
  ['DISPLAYFROM', 'display-from'],
  ['DISPLAYTO', 'display-to'],
  ['FROM', 'from'],
  ['SIZE', 'size'],
  ['SUBJECT', 'subject'],
  ['TO', 'to'],
]);

/** SORT and UID SORT. */
export function sort(p: Parser): SortWords {
  p.space();
  const returned = searchReturns(p);
  const order = new Map<SortField, SortKey>();
  p.list(() => {
    const reverse = p.tryWord('REVERSE');
    if (reverse) p.space();
    const field = FIELDS.get(p.word());
    if (field === undefined) throw new BadSyntax('The sort key is not known.');
    // What is the same by a key is the same by it a second time.
    if (!order.has(field)) order.set(field, { field, reverse });
  });
  p.space();
  charset(p, returned);
  p.space();
  return { ...returned, order: [...order.values()], key: searchKeys(p) };
}
