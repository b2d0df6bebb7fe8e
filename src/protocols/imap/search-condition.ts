/**
 * SEARCH keys as conditions on messages: sequence numbers become UIDs, times become instants.
 *
 * RFC 9051 §6.4.4, RFC 5032 (OLDER, YOUNGER), RFC 8474 §6 (EMAILID), RFC 8514 §4.3 (SAVEDATE)
 */

import { FLAG_BITS, type FixedFlag } from '#domain/values/flags';
import { unreachable } from '#domain/values/decision';
import type { Instant, MailboxId } from '#domain/values/ids';
import type { UidRuns } from '#domain/values/uid-runs';
import type { UidSet } from '#domain/values/uid-set';
import type { SearchCondition } from '#projections/message-search';
import { foldText } from '../message/fold.ts';
import { contentOfObjectId, threadOfObjectId } from './object-ids.ts';
import { existingUids, uidsAtSeqs } from './sequence-set.ts';
import type { SearchKey } from './words.ts';

/** The mailbox that is searched, as the client knows it. */
export interface SearchPlace {
  readonly mailboxId: MailboxId;
  readonly runs: UidRuns;
  /** RFC 5182: what `$` stands for. */
  readonly saved: UidSet;
}

export function conditionOf(key: SearchKey, place: SearchPlace, now: Instant): SearchCondition {
  const of = (inner: SearchKey): SearchCondition => conditionOf(inner, place, now);
  switch (key.type) {
    case 'ALL':
    // RFC 9051 appendix E: without \Recent every message is old.
    // falls through
    case 'OLD':
    case 'SAVEDATESUPPORTED':
      return { type: 'all' };
    case 'RECENT':
    case 'NEW':
      return { type: 'none' };
    case 'AND':
      return { type: 'and', all: key.keys.map(of) };
    case 'OR':
      return { type: 'or', any: [of(key.left), of(key.right)] };
    case 'NOT':
      return { type: 'not', condition: of(key.key) };
    case 'SEQUENCE':
      // Clients search 1:* without asking first whether there is a message.
      if (place.runs.count === 0) return { type: 'none' };
      return { type: 'uids', uids: uidsAtSeqs(key.set, place.runs, place.saved) };
    case 'UID':
      return { type: 'uids', uids: existingUids(key.set, place.runs, place.saved) };
    case 'FLAG':
      return isFixed(key.flag)
        ? { type: 'flag', flag: key.flag }
        : { type: 'keyword', keyword: key.flag };
    case 'SUBJECT':
    case 'FROM':
    case 'TO':
    case 'CC':
    case 'BCC':
      return { type: 'field', field: FIELDS[key.type], text: foldText(key.text) };
    case 'BODY':
      return { type: 'body-text', text: foldText(key.text) };
    case 'TEXT':
      return { type: 'any-text', text: foldText(key.text) };
    case 'HEADER':
      return { type: 'header', field: foldText(key.field), text: foldText(key.text) };
    case 'LARGER':
      return { type: 'larger', bytes: key.bytes };
    case 'SMALLER':
      return { type: 'smaller', bytes: key.bytes };
    case 'OLDER':
      return { type: 'received-at', compare: '<=', at: now - key.seconds * 1000 };
    case 'YOUNGER':
      return { type: 'received-at', compare: '>=', at: now - key.seconds * 1000 };
    case 'MODSEQ':
      return { type: 'mod-seq', atLeast: key.atLeast };
    case 'EMAILID': {
      const content = contentOfObjectId(key.id);
      return content === undefined ? { type: 'none' } : { type: 'content', ...content };
    }
    case 'THREADID': {
      const thread = threadOfObjectId(key.id);
      return thread === undefined ? { type: 'none' } : { type: 'thread', thread };
    }
    default:
      return dayCondition(key);
  }
}

function dayCondition(key: Extract<SearchKey, { readonly day: number }>): SearchCondition {
  const { day } = key;
  switch (key.type) {
    case 'BEFORE':
      return { type: 'received-day', compare: '<', day };
    case 'ON':
      return { type: 'received-day', compare: '=', day };
    case 'SINCE':
      return { type: 'received-day', compare: '>=', day };
    case 'SENTBEFORE':
      return { type: 'sent-day', compare: '<', day };
    case 'SENTON':
      return { type: 'sent-day', compare: '=', day };
    case 'SENTSINCE':
      return { type: 'sent-day', compare: '>=', day };
    case 'SAVEDBEFORE':
      return { type: 'saved-day', compare: '<', day };
    case 'SAVEDON':
      return { type: 'saved-day', compare: '=', day };
    case 'SAVEDSINCE':
      return { type: 'saved-day', compare: '>=', day };
    default:
      return unreachable(key.type);
  }
}

const FIELDS = { SUBJECT: 'subject', FROM: 'from', TO: 'to', CC: 'cc', BCC: 'bcc' } as const;

function isFixed(flag: string): flag is FixedFlag {
  return Object.hasOwn(FLAG_BITS, flag);
}

/** True when some part of the key is about what `holds` says. */
export function someKey(key: SearchKey, holds: (key: SearchKey) => boolean): boolean {
  if (holds(key)) return true;
  switch (key.type) {
    case 'AND':
      return key.keys.some((inner) => someKey(inner, holds));
    case 'OR':
      return someKey(key.left, holds) || someKey(key.right, holds);
    case 'NOT':
      return someKey(key.key, holds);
    default:
      return false;
  }
}
