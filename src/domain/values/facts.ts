/**
 * What a parsed message tells us. Types only: reading them from a body is `protocols/message`.
 *
 * Facts vanish with the body; they never stand in an event.
 */

/**
 * Facts of one body. Texts in wire form (envelope, body, bodyStructure) are ready to be copied into
 * an IMAP answer, so that FETCH formats nothing. They hold one character per octet: whoever writes
 * them encodes them as latin1, never as UTF-8, for raw 8-bit octets of the header stand in them
 * (always inside literals, whose lengths count octets).
 */
export interface MessageFacts {
  /** Shape of these facts; others are parsed again from the body. */
  readonly version: number;
  /** RFC 9051 §7.5.2 ENVELOPE, with its parentheses. */
  readonly envelope: string;
  /** BODY: the structure without extension data. */
  readonly body: string;
  /** BODYSTRUCTURE: with extension data. */
  readonly bodyStructure: string;
  /** Octets of the header with its empty line. */
  readonly headerBytes: number;
  /** Date field in ms, undefined when it is missing or unreadable. */
  readonly sentAt?: number;
  /** The calendar day of the Date field as written, `YYYYMMDD` as a number (SEARCH SENTON). */
  readonly sentDay?: number;
  /** Decoded and folded, for SEARCH: unfolded field values, joined where a field repeats. */
  readonly subject: string;
  readonly from: string;
  readonly to: string;
  readonly cc: string;
  readonly bcc: string;
  /** Message-ID field as it stands, with angle brackets; '' when missing. */
  readonly headerId: string;
  /**
   * What SORT and THREAD compare (RFC 5256 §2.1, §3; RFC 5957 §3), as collation keys, shortened:
   * the base subject, the mailbox of the first address, and how it is shown.
   */
  readonly sortSubject: string;
  /** RFC 5256 §2.1: the subject is marked as that of a reply or a forward. */
  readonly isReply: boolean;
  readonly sortFrom: string;
  readonly sortTo: string;
  readonly sortCc: string;
  readonly displayFrom: string;
  readonly displayTo: string;
  /** Key of the Message-ID; '' without one. The same id always has the same key. */
  readonly threadKey: string;
  /** Keys of the ancestors with a space between them, the oldest first. */
  readonly threadReferences: string;
}

/** What one message says, folded, for SEARCH TEXT, BODY and HEADER; no text holds TEXT_BREAK. */
export interface MessageTexts {
  /** The fields of its header, each as `name: value`. */
  readonly fields: readonly string[];
  /** Those of the headers of its parts. */
  readonly partFields: readonly string[];
  /** What the texts of its body say. */
  readonly texts: readonly string[];
}
