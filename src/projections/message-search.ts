/**
 * Search over the messages of one mailbox, set by set: every condition narrows a set of UIDs. UIDs
 * and marks are looked up in memory first; what only rows can answer is asked of what is left.
 *
 * A leaf that only the message itself can answer is neither true nor false here. A condition is
 * therefore read in one of two ways: where it *may* be true (unknown leaves count as true) and
 * where it *must* be true (they count as false); NOT turns one into the other. The answer is where
 * the whole may be true: exactly right without such leaves, otherwise a superset.
 */

import { FLAG_BITS, type FixedFlag } from '#domain/values/flags';
import type { ModSeq } from '#domain/values/ids';
import {
  differenceOf,
  intersectionOf,
  isEmptyUidSet,
  NO_UIDS,
  unionOf,
  type UidSet,
} from '#domain/values/uid-set';
import type { MarkPages } from './mark-pages.ts';
import { uidsWhere, type MarkTest } from './mark-reads.ts';
import { searchRows, type RowCondition, type RowLeaf, type RowPlace } from './row-search.ts';

/** A condition on a message. Sequence numbers are UIDs already; texts are folded. */
export type SearchCondition =
  | { readonly type: 'all' }
  | { readonly type: 'none' }
  | { readonly type: 'and'; readonly all: readonly SearchCondition[] }
  | { readonly type: 'or'; readonly any: readonly SearchCondition[] }
  | { readonly type: 'not'; readonly condition: SearchCondition }
  | { readonly type: 'uids'; readonly uids: UidSet }
  | { readonly type: 'flag'; readonly flag: FixedFlag }
  | { readonly type: 'keyword'; readonly keyword: string }
  | { readonly type: 'mod-seq'; readonly atLeast: ModSeq }
  | RowLeaf
  /** The three that only the message itself can answer. */
  | { readonly type: 'header'; readonly field: string; readonly text: string }
  | { readonly type: 'body-text'; readonly text: string }
  | { readonly type: 'any-text'; readonly text: string };

/** Where a search looks. */
export interface SearchPlace extends RowPlace {
  readonly pages: MarkPages;
}

type Reading = 'may' | 'must';

/** The UIDs for which the condition may be true. */
export function searchMessages(condition: SearchCondition, place: SearchPlace): UidSet {
  return found(condition, place, 'may', place.existing);
}

/** Those of `among`, which exist, for which the condition may or must be true. */
function found(
  condition: SearchCondition,
  place: SearchPlace,
  reading: Reading,
  among: UidSet,
): UidSet {
  if (isEmptyUidSet(among)) return NO_UIDS;
  if (isRowCondition(condition)) return searchRows(condition, place, among);
  const marked = (test: MarkTest): UidSet => uidsWhere(place.pages, place.mailboxId, among, test);
  switch (condition.type) {
    case 'all':
      return among;
    case 'none':
      return NO_UIDS;
    case 'uids':
      return intersectionOf(among, condition.uids);
    case 'flag': {
      const bit = FLAG_BITS[condition.flag];
      return marked((bits) => (bits & bit) !== 0);
    }
    case 'keyword': {
      const { keyword } = condition;
      return marked((_, keywords) => keywords !== '' && keywords.split(' ').includes(keyword));
    }
    case 'mod-seq': {
      const { atLeast } = condition;
      return marked((_bits, _keywords, modSeq) => modSeq >= atLeast);
    }
    case 'not': {
      const opposite = reading === 'may' ? 'must' : 'may';
      return differenceOf(among, found(condition.condition, place, opposite, among));
    }
    case 'and':
      return cheapFirst(condition.all, 'and').reduce(
        (left, part) => found(part, place, reading, left),
        among,
      );
    case 'or': {
      let [yes, open] = [NO_UIDS, among];
      for (const part of cheapFirst(condition.any, 'or')) {
        const more = found(part, place, reading, open);
        yes = unionOf(yes, more);
        open = differenceOf(open, more);
      }
      return yes;
    }
    default:
      return reading === 'may' ? among : NO_UIDS;
  }
}

/** Those parts that ask nothing but rows come last, as one. */
function cheapFirst(
  parts: readonly SearchCondition[],
  word: 'and' | 'or',
): readonly SearchCondition[] {
  const rows = parts.filter(isRowCondition);
  if (rows.length === 0) return parts;
  const others = parts.filter((part) => !isRowCondition(part));
  return [...others, word === 'and' ? { type: word, all: rows } : { type: word, any: rows }];
}

function isRowCondition(condition: SearchCondition): condition is RowCondition {
  switch (condition.type) {
    case 'and':
      return condition.all.length > 0 && condition.all.every(isRowCondition);
    case 'or':
      return condition.any.length > 0 && condition.any.every(isRowCondition);
    case 'not':
      return isRowCondition(condition.condition);
    case 'larger':
    case 'smaller':
    case 'received-day':
    case 'sent-day':
    case 'saved-day':
    case 'received-at':
    case 'content':
    case 'thread':
    case 'field':
      return true;
    default:
      return false;
  }
}
