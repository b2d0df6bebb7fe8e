/**
 * What IMAP commands say, as typed values: the border between grammar and conversation.
 *
 * `parser.ts` and its grammars produce these; `commands/` act on them. RFC 9051 §9.
 */

import type { ModSeq } from '#domain/values/ids';
import type { UidSet } from '#domain/values/uid-set';

/** `*`, as it stands in a set before the mailbox says which number it is. */
export const STAR: number = Number.MAX_SAFE_INTEGER;

/** RFC 9051 §2.3.1.1: UIDs have 32 bits. */
export const UID_MAX = 4_294_967_295;

/** RFC 9051 sequence-set. A range with `*` has STAR as its last; `$` is the saved result. */
export type SequenceSet =
  { readonly type: 'numbers'; readonly ranges: UidSet } | { readonly type: 'saved' };

/** RFC 9051 section-spec. `part` is empty for the whole message. */
export interface Section {
  readonly part: readonly number[];
  readonly text?: 'HEADER' | 'HEADER.FIELDS' | 'HEADER.FIELDS.NOT' | 'MIME' | 'TEXT';
  /** Field names as given, for HEADER.FIELDS and HEADER.FIELDS.NOT. */
  readonly fields?: readonly string[];
}

export interface Partial {
  readonly start: number;
  readonly length: number;
}

export type FetchItem =
  | {
      readonly type:
        | 'UID'
        | 'FLAGS'
        | 'INTERNALDATE'
        | 'RFC822.SIZE'
        | 'ENVELOPE'
        | 'BODY'
        | 'BODYSTRUCTURE'
        | 'MODSEQ'
        | 'SAVEDATE'
        | 'EMAILID'
        | 'THREADID';
    }
  | { readonly type: 'PREVIEW'; readonly lazy: boolean }
  | { readonly type: 'RFC822' | 'RFC822.HEADER' | 'RFC822.TEXT' }
  | {
      readonly type: 'SECTION';
      readonly peek: boolean;
      readonly section: Section;
      readonly partial?: Partial;
    }
  | {
      readonly type: 'BINARY';
      readonly peek: boolean;
      readonly part: readonly number[];
      readonly partial?: Partial;
    }
  | { readonly type: 'BINARY.SIZE'; readonly part: readonly number[] };

export interface FetchWords {
  readonly set: SequenceSet;
  readonly items: readonly FetchItem[];
  /** RFC 7162 §3.1.4.1 */
  readonly changedSince?: ModSeq;
  /** RFC 7162 §3.2.6 */
  readonly vanished: boolean;
  /** RFC 9394 §3.3 */
  readonly window?: ResultRange;
}

/** RFC 9394 §3.1: a part of many results, by their places, both included, counted from 1. */
export interface ResultRange {
  readonly first: number;
  readonly last: number;
  /** `-1:-100`: counted from the last result. */
  readonly fromEnd: boolean;
}

export interface StoreWords {
  readonly set: SequenceSet;
  readonly op: 'add' | 'remove' | 'replace';
  readonly silent: boolean;
  /** Canonical flag names. */
  readonly flags: readonly string[];
  /** RFC 7162 §3.1.3; 0 is legal here. */
  readonly unchangedSince?: ModSeq;
}

/** RFC 9051 search-key, with sequence sets as given. Texts are decoded, not yet lower-cased. */
export type SearchKey =
  | { readonly type: 'ALL' | 'SAVEDATESUPPORTED' | 'RECENT' | 'NEW' | 'OLD' }
  | { readonly type: 'AND'; readonly keys: readonly SearchKey[] }
  | { readonly type: 'OR'; readonly left: SearchKey; readonly right: SearchKey }
  | { readonly type: 'NOT'; readonly key: SearchKey }
  | { readonly type: 'SEQUENCE'; readonly set: SequenceSet }
  | { readonly type: 'UID'; readonly set: SequenceSet }
  /** A canonical flag; UNSEEN is NOT of FLAG \Seen. */
  | { readonly type: 'FLAG'; readonly flag: string }
  | {
      readonly type: 'SUBJECT' | 'FROM' | 'TO' | 'CC' | 'BCC' | 'BODY' | 'TEXT';
      readonly text: string;
    }
  | { readonly type: 'HEADER'; readonly field: string; readonly text: string }
  | { readonly type: 'LARGER' | 'SMALLER'; readonly bytes: number }
  /** Day as YYYYMMDD. */
  | {
      readonly type:
        | 'BEFORE'
        | 'ON'
        | 'SINCE'
        | 'SENTBEFORE'
        | 'SENTON'
        | 'SENTSINCE'
        | 'SAVEDBEFORE'
        | 'SAVEDON'
        | 'SAVEDSINCE';
      readonly day: number;
    }
  | { readonly type: 'OLDER' | 'YOUNGER'; readonly seconds: number }
  | { readonly type: 'MODSEQ'; readonly atLeast: ModSeq }
  | { readonly type: 'EMAILID' | 'THREADID'; readonly id: string };

/** What is to be told of the messages that were found. */
export interface ReturnWords {
  /** Undefined without RETURN; empty RETURN is ALL already. */
  readonly returns?: ReadonlySet<SearchReturn>;
  /** RFC 9394 §3.1: never beside ALL. */
  readonly partial?: ResultRange;
}

export type SearchReturn = 'MIN' | 'MAX' | 'ALL' | 'COUNT' | 'SAVE';

export interface SearchWords extends ReturnWords {
  readonly key: SearchKey;
}

/** RFC 7162 §3.2.5 */
export interface QresyncWords {
  readonly uidValidity: number;
  readonly modSeq: ModSeq;
  readonly knownUids?: UidSet;
  /** Pairs that ascend together. */
  readonly match?: { readonly seqs: readonly number[]; readonly uids: readonly number[] };
}

export interface SelectWords {
  readonly mailbox: string;
  readonly condstore: boolean;
  readonly qresync?: QresyncWords;
}

export interface StatusWords {
  readonly mailbox: string;
  readonly items: readonly StatusItem[];
}

export const STATUS_ITEMS = [
  'MESSAGES',
  'UIDNEXT',
  'UIDVALIDITY',
  'UNSEEN',
  'DELETED',
  'SIZE',
  'RECENT',
  'HIGHESTMODSEQ',
  'APPENDLIMIT',
  'DELETED-STORAGE',
  'MAILBOXID',
] as const;

export type StatusItem = (typeof STATUS_ITEMS)[number];

export interface ListWords {
  readonly selectSubscribed: boolean;
  readonly selectSpecialUse: boolean;
  readonly recursiveMatch: boolean;
  readonly reference: string;
  /** Patterns as given, decoded to UTF-8. */
  readonly patterns: readonly string[];
  readonly returnSubscribed: boolean;
  readonly returnChildren: boolean;
  readonly returnSpecialUse: boolean;
  readonly returnStatus?: readonly StatusItem[];
  /** RFC 9590 §3: names of annotations. */
  readonly returnMetadata?: readonly string[];
}

/** RFC 5465 §6, RFC 7377 §2.2: mailboxes that are meant, whether or not they exist. */
export type MailboxFilter =
  | { readonly type: 'inboxes' | 'personal' | 'subscribed' }
  | { readonly type: 'subtree' | 'subtree-one' | 'mailboxes'; readonly names: readonly string[] };

/** RFC 5465 §5, what of it there is here. */
export const NOTIFY_EVENTS = [
  'MessageNew',
  'MessageExpunge',
  'FlagChange',
  'MailboxName',
  'SubscriptionChange',
  'MailboxMetadataChange',
  'ServerMetadataChange',
] as const;

export type NotifyEvent = (typeof NOTIFY_EVENTS)[number];

export interface NotifyGroup {
  readonly filter: MailboxFilter;
  /** None: these mailboxes are not to be spoken of. */
  readonly events: ReadonlySet<NotifyEvent>;
}

export interface NotifySelected {
  /** RFC 5465 §6.2: only when a command allows that messages are removed. */
  readonly delayed: boolean;
  readonly events: ReadonlySet<NotifyEvent>;
  /** What is told of each new message. */
  readonly items: readonly FetchItem[];
}

/** NOTIFY; NOTIFY NONE has nothing in it. */
export interface NotifyWords {
  readonly status: boolean;
  readonly selected?: NotifySelected;
  /** In the order given: the first that fits counts. */
  readonly groups: readonly NotifyGroup[];
}

/** One message of APPEND up to its literal, whose octets the connection streams. */
export interface AppendWords {
  readonly flags: readonly string[];
  /** Absent: now, UTC. */
  readonly receivedAt?: number;
  readonly zoneMinutes?: number;
}
