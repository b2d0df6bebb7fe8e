/**
 * What a server says, as typed values: the border between its octets and whoever uses the client.
 *
 * Texts are decoded from UTF-8, and taken as latin1 where they are not UTF-8. Numbers of 63 bits
 * (mod-sequences, sizes) above 2^53 − 1 come out as that: to resync from a lower mod-sequence than
 * one knows costs time and loses nothing.
 *
 * RFC 9051 §7 and §9
 */

import type { ModSeq, SeqNo, Uid } from '#domain/values/ids';
import type { UidRange, UidSet } from '#domain/values/uid-set';
import type { DateTime } from './calendar.ts';
import type { StatusItem } from './words.ts';

/** What stands in brackets in front of a text. */
export type ResponseCode =
  | { readonly type: 'CAPABILITY'; readonly capabilities: readonly string[] }
  | { readonly type: 'PERMANENTFLAGS'; readonly flags: readonly string[] }
  | { readonly type: 'UIDNEXT' | 'UIDVALIDITY' | 'UNSEEN'; readonly value: number }
  | { readonly type: 'HIGHESTMODSEQ'; readonly modSeq: ModSeq }
  | { readonly type: 'APPENDUID'; readonly uidValidity: number; readonly uids: readonly UidRange[] }
  | ({ readonly type: 'COPYUID' } & CopiedUids)
  | { readonly type: 'MODIFIED'; readonly set: UidSet }
  | { readonly type: 'MAILBOXID'; readonly id: string }
  | { readonly type: 'BADCHARSET'; readonly charsets: readonly string[] }
  /** Every other code: its name in capitals, and what follows it. */
  | { readonly type: 'WORD'; readonly word: string; readonly text: string };

/** RFC 4315 §3: the n-th of the source became the n-th of the target, in the order given. */
export interface CopiedUids {
  readonly uidValidity: number;
  readonly source: readonly UidRange[];
  readonly target: readonly UidRange[];
}

export interface StatusText {
  readonly code?: ResponseCode;
  readonly text: string;
}

/** The end of a command. */
export interface TaggedResponse extends StatusText {
  readonly type: 'tagged';
  readonly tag: string;
  readonly status: 'OK' | 'NO' | 'BAD';
}

export interface ContinuationResponse {
  readonly type: 'continuation';
  readonly text: string;
}

/** Everything that a server may say at any time, asked or not. */
export type ServerNews =
  | ({
      readonly type: 'status';
      readonly status: 'OK' | 'NO' | 'BAD' | 'BYE' | 'PREAUTH';
    } & StatusText)
  | { readonly type: 'capability' | 'enabled'; readonly capabilities: readonly string[] }
  | { readonly type: 'flags'; readonly flags: readonly string[] }
  | { readonly type: 'exists' | 'recent'; readonly count: number }
  | { readonly type: 'expunge'; readonly seq: SeqNo }
  /** RFC 7162 §3.2.10; `earlier` are answers about the past. */
  | { readonly type: 'vanished'; readonly earlier: boolean; readonly uids: UidSet }
  | ({ readonly type: 'fetch' } & FetchedMessage)
  | ({ readonly type: 'list' } & ListedMailbox)
  | ({ readonly type: 'mailbox-status' } & MailboxStatus)
  | { readonly type: 'search'; readonly numbers: readonly number[]; readonly modSeq?: ModSeq }
  | ({ readonly type: 'esearch' } & ExtendedSearch)
  | { readonly type: 'id'; readonly fields: ReadonlyMap<string, string> }
  /** What this client knows nothing about. */
  | { readonly type: 'other'; readonly name: string; readonly text: string };

export type NewsType = ServerNews['type'];

export type Response = TaggedResponse | ContinuationResponse | ServerNews;

/** What was said of one message: what was asked for, or what has changed. */
export interface FetchedMessage {
  /** 0 where sequence numbers are given up (RFC 9586). */
  readonly seq: SeqNo;
  readonly uid?: Uid;
  /** System flags as RFC 9051 §2.3.2 spells them, keywords as the server does. */
  readonly flags?: readonly string[];
  readonly modSeq?: ModSeq;
  readonly internalDate?: DateTime;
  readonly sizeBytes?: number;
  readonly envelope?: Envelope;
  /** Of BODY or BODYSTRUCTURE. */
  readonly structure?: BodyStructure;
  /** The three of them: undefined when not asked for, null when the server has none. */
  readonly saveDate?: DateTime | null;
  readonly preview?: string | null;
  readonly threadId?: string | null;
  readonly emailId?: string;
  /** Octets by the name of the item in capitals, `BODY[1.MIME]<0>`; see `sectionOf`. */
  readonly sections: ReadonlyMap<string, Buffer | undefined>;
  /** RFC 3516 §4.2: decoded sizes by the name of the item. */
  readonly binarySizes: ReadonlyMap<string, number>;
}

/** RFC 9051 §7.5.2; encoded words stand as they are. */
export interface Envelope {
  readonly date: string | undefined;
  readonly subject: string | undefined;
  readonly from: readonly EnvelopeAddress[];
  readonly sender: readonly EnvelopeAddress[];
  readonly replyTo: readonly EnvelopeAddress[];
  readonly to: readonly EnvelopeAddress[];
  readonly cc: readonly EnvelopeAddress[];
  readonly bcc: readonly EnvelopeAddress[];
  readonly inReplyTo: string | undefined;
  readonly headerId: string | undefined;
}

/** Without a domain it begins a group, whose name is the localpart; without either it ends one. */
export interface EnvelopeAddress {
  readonly name: string | undefined;
  readonly localpart: string | undefined;
  readonly domain: string | undefined;
}

export type BodyStructure = MultipartStructure | PartStructure;

interface StructureExtension {
  readonly disposition?: {
    readonly type: string;
    readonly parameters: ReadonlyMap<string, string>;
  };
  readonly languages?: readonly string[];
  readonly location?: string;
}

export interface MultipartStructure extends StructureExtension {
  readonly type: 'multipart';
  /** In lower case, as all names here. */
  readonly subtype: string;
  readonly parts: readonly BodyStructure[];
  readonly parameters?: ReadonlyMap<string, string>;
}

export interface PartStructure extends StructureExtension {
  readonly type: 'part';
  /** `text/plain` */
  readonly mediaType: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly contentId: string | undefined;
  readonly description: string | undefined;
  readonly encoding: string;
  readonly sizeBytes: number;
  readonly lines?: number;
  /** Of an attached message. */
  readonly message?: { readonly envelope: Envelope; readonly structure: BodyStructure };
  readonly md5?: string;
}

export interface ListedMailbox {
  readonly name: string;
  /** `\HasNoChildren`, `\Sent`, `\Subscribed`, as the server spells them. */
  readonly attributes: readonly string[];
  /** Between the levels of names; undefined where names have no levels. */
  readonly separator: string | undefined;
  /** RFC 5258 §4: why a parent is listed. */
  readonly childInfo: readonly string[];
}

type NumericStatusItem = Exclude<StatusItem, 'MAILBOXID'>;

/** RFC 9051 §7.3.4: only what was asked for; APPENDLIMIT may be missing even then. */
export type StatusValues = { readonly [Item in NumericStatusItem]?: number } & {
  readonly MAILBOXID?: string;
};

export interface MailboxStatus {
  readonly mailbox: string;
  readonly values: StatusValues;
}

/** RFC 9051 §7.3.4 ESEARCH. */
export interface ExtendedSearch {
  /** The command that it answers. */
  readonly tag?: string;
  readonly uid: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly count?: number;
  readonly all?: UidSet;
  readonly modSeq?: ModSeq;
}
