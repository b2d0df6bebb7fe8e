/**
 * Search conditions over the messages of one mailbox, as SQL.
 */

import type { FixedFlag } from '#domain/values/flags';
import type { Instant, ModSeq } from '#domain/values/ids';
import type { UidSet } from '#domain/values/uid-set';

/**
 * A condition on a message. Sequence numbers are UIDs already; texts are lower-case and match as
 * substrings. Days are `YYYYMMDD` as a number, in the zone of the message (RFC 9051 §6.4.4).
 */
export type SearchCondition =
  | { readonly type: 'all' }
  | { readonly type: 'none' }
  | { readonly type: 'and'; readonly all: readonly SearchCondition[] }
  | { readonly type: 'or'; readonly any: readonly SearchCondition[] }
  | { readonly type: 'not'; readonly condition: SearchCondition }
  | { readonly type: 'uids'; readonly uids: UidSet }
  | { readonly type: 'flag'; readonly flag: FixedFlag }
  | { readonly type: 'keyword'; readonly keyword: string }
  | { readonly type: 'larger'; readonly bytes: number }
  | { readonly type: 'smaller'; readonly bytes: number }
  | { readonly type: 'received-day'; readonly compare: '<' | '=' | '>='; readonly day: number }
  | { readonly type: 'sent-day'; readonly compare: '<' | '=' | '>='; readonly day: number }
  | { readonly type: 'saved-day'; readonly compare: '<' | '=' | '>='; readonly day: number }
  | { readonly type: 'received-at'; readonly compare: '<=' | '>='; readonly at: Instant }
  | { readonly type: 'mod-seq'; readonly atLeast: ModSeq }
  | {
      readonly type: 'field';
      readonly field: 'subject' | 'from' | 'to' | 'cc' | 'bcc';
      readonly text: string;
    }
  /** The three that only the message itself can answer. */
  | { readonly type: 'header'; readonly field: string; readonly text: string }
  | { readonly type: 'body-text'; readonly text: string }
  | { readonly type: 'any-text'; readonly text: string };
