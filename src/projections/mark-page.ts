/**
 * Flags and modseqs of messages whose UIDs are neighbours, in typed arrays: up to 256 messages that
 * share all but the last eight bits of their UIDs.
 *
 * Invariant: what `encoded` gives follows from the marks alone, not from how they came to be.
 */

import type { MessageMark } from '#domain/message/state';
import { DELETED, SEEN } from '#domain/values/flags';
import type { ModSeq, Uid } from '#domain/values/ids';
import { editsKeywords, keywordsAfter, type FlagTerms } from './flag-edits.ts';

const PAGE_BITS = 8;
const PAGE_UIDS: number = 1 << PAGE_BITS;
const SLOT_MASK: number = PAGE_UIDS - 1;
/** Neighbours whose highest modseq is known, so that most of a page is passed over. */
const BLOCK_BITS = 4;
const BLOCK_MASK: number = (1 << BLOCK_BITS) - 1;

/** Octets per message in the packed form: modseq, bits, slot, and which keywords. */
const MOD_SEQ_BYTES = 8;
const BITS_BYTES = 2;

export type PageNumber = number;

/** The page that a UID belongs to. */
export function pageOf(uid: Uid): PageNumber {
  return Math.floor(uid / PAGE_UIDS);
}

export function firstUidOf(page: PageNumber): Uid {
  return page * PAGE_UIDS;
}

export function lastUidOf(page: PageNumber): Uid {
  return page * PAGE_UIDS + SLOT_MASK;
}

/** A page as the database keeps it, with what is asked of pages before they are read. */
export interface EncodedPage {
  /** Highest modseq of its messages. */
  readonly modSeq: ModSeq;
  readonly unseen: number;
  readonly deleted: number;
  readonly marks: Uint8Array;
  /** The sets of keywords in the page, one a line; '' when no message has any. */
  readonly keywords: string;
}

export type MarkVisitor = (uid: Uid, bits: number, keywords: string, modSeq: ModSeq) => void;

export class MarkPage {
  readonly number: PageNumber;
  readonly #firstUid: Uid;
  /** 0 where there is no message. RFC 7162 §3.1: modseqs are positive. */
  readonly #modSeqs: Float64Array = new Float64Array(PAGE_UIDS);
  /** At least the highest modseq of each block. */
  readonly #newest: Float64Array = new Float64Array(PAGE_UIDS >> BLOCK_BITS);
  /** Bits of FLAG_BITS, of which there are at most 16. */
  readonly #bits: Uint16Array = new Uint16Array(PAGE_UIDS);
  /** Undefined while no message has a keyword. */
  #keywords: string[] | undefined;
  #count = 0;

  /** An empty page. */
  constructor(number: PageNumber) {
    this.number = number;
    this.#firstUid = firstUidOf(number);
  }

  /** A page like this one, that changes by itself. */
  copy(): MarkPage {
    const copy = new MarkPage(this.number);
    copy.#modSeqs.set(this.#modSeqs);
    copy.#newest.set(this.#newest);
    copy.#bits.set(this.#bits);
    copy.#keywords = this.#keywords?.slice();
    copy.#count = this.#count;
    return copy;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  put({ uid, bits, keywords, modSeq }: MessageMark): void {
    const slot = uid & SLOT_MASK;
    if (this.#modSeqs[slot] === 0) this.#count++;
    this.#mark(slot, bits, modSeq);
    if (keywords !== '') this.#keywords ??= noKeywords();
    if (this.#keywords !== undefined) this.#keywords[slot] = keywords;
  }

  /** Takes out the messages of `from` … `to`. */
  remove(from: Uid, to: Uid): void {
    const end = this.#lastSlot(to);
    for (let slot = this.#firstSlot(from); slot <= end; slot++) {
      if (this.#modSeqs[slot] === 0) continue;
      this.#count--;
      this.#modSeqs[slot] = 0;
      this.#bits[slot] = 0;
      if (this.#keywords !== undefined) this.#keywords[slot] = '';
    }
  }

  /** Edits the flags of the messages of `from` … `to`, which get the modseq. */
  edit(from: Uid, to: Uid, terms: FlagTerms, modSeq: ModSeq): void {
    const { keep, put } = terms;
    const start = this.#firstSlot(from);
    const end = this.#lastSlot(to);
    for (let slot = start; slot <= end; slot++) {
      if (this.#modSeqs[slot] === 0) continue;
      this.#mark(slot, ((this.#bits[slot] as number) & keep) | put, modSeq);
    }
    if (editsKeywords(terms)) this.#editKeywords(start, end, terms);
  }

  /** Shows the messages of `from` … `to` that have a modseq above `since`, ascending. */
  each(from: Uid, to: Uid, since: ModSeq, visit: MarkVisitor): void {
    const end = this.#lastSlot(to);
    for (let slot = this.#firstSlot(from); slot <= end; slot++) {
      if ((this.#newest[slot >> BLOCK_BITS] as number) <= since) {
        slot |= BLOCK_MASK;
        continue;
      }
      const modSeq = this.#modSeqs[slot] as number;
      if (modSeq <= since) continue;
      const keywords = this.#keywords === undefined ? '' : (this.#keywords[slot] as string);
      visit(this.#firstUid + slot, this.#bits[slot] as number, keywords, modSeq);
    }
  }

  encoded(): EncodedPage {
    const count = this.#count;
    const sets = this.#keywordSets();
    const setOf = new Map([...sets].map((keywords, i) => [keywords, i]));
    const columns = columnsOf(new Uint8Array(count * bytesEach(sets.size > 1)), count);
    let n = 0;
    let [highest, unseen, deleted] = [0, 0, 0];
    for (let slot = 0; slot < PAGE_UIDS; slot++) {
      const modSeq = this.#modSeqs[slot] as number;
      if (modSeq === 0) continue;
      const bits = this.#bits[slot] as number;
      columns.modSeqs[n] = modSeq;
      columns.bits[n] = bits;
      columns.slots[n] = slot;
      if (sets.size > 1) columns.sets[n] = setOf.get(this.#keywords?.[slot] ?? '') as number;
      if (modSeq > highest) highest = modSeq;
      if ((bits & SEEN) === 0) unseen++;
      if ((bits & DELETED) !== 0) deleted++;
      n++;
    }
    const { marks } = columns;
    return { modSeq: highest, unseen, deleted, marks, keywords: [...sets].join('\n') };
  }

  static decoded(number: PageNumber, marks: Uint8Array, keywords: string): MarkPage {
    const page = new MarkPage(number);
    const sets = keywords.split('\n');
    const count = marks.length / bytesEach(sets.length > 1);
    const columns = columnsOf(marks, count);
    if (keywords !== '') page.#keywords = noKeywords();
    page.#count = count;
    for (let n = 0; n < count; n++) {
      const slot = columns.slots[n] as number;
      page.#mark(slot, columns.bits[n] as number, columns.modSeqs[n] as number);
      if (page.#keywords === undefined) continue;
      page.#keywords[slot] = sets[columns.sets[n] ?? 0] as string;
    }
    return page;
  }

  #mark(slot: number, bits: number, modSeq: ModSeq): void {
    const block = slot >> BLOCK_BITS;
    this.#modSeqs[slot] = modSeq;
    this.#bits[slot] = bits;
    if (modSeq > (this.#newest[block] as number)) this.#newest[block] = modSeq;
  }

  /** The different sets of keywords, in the order in which messages have them; '' is one. */
  #keywordSets(): ReadonlySet<string> {
    if (this.#keywords === undefined) return new Set(['']);
    return new Set(this.#keywords.filter((_, slot) => this.#modSeqs[slot] !== 0));
  }

  #editKeywords(start: number, end: number, terms: FlagTerms): void {
    const edited = (this.#keywords ??= noKeywords());
    let [before, after] = ['', keywordsAfter('', terms)];
    for (let slot = start; slot <= end; slot++) {
      if (this.#modSeqs[slot] === 0) continue;
      const keywords = edited[slot] as string;
      // Neighbours mostly have the same.
      if (keywords !== before) [before, after] = [keywords, keywordsAfter(keywords, terms)];
      edited[slot] = after;
    }
  }

  #firstSlot(uid: Uid): number {
    return Math.max(uid - this.#firstUid, 0);
  }

  #lastSlot(uid: Uid): number {
    return Math.min(uid - this.#firstUid, SLOT_MASK);
  }
}

function noKeywords(): string[] {
  return Array.from({ length: PAGE_UIDS }, () => '');
}

interface Columns {
  readonly marks: Uint8Array;
  readonly modSeqs: Float64Array;
  readonly bits: Uint16Array;
  readonly slots: Uint8Array;
  /** Which set of keywords; empty when there is only one. */
  readonly sets: Uint8Array;
}

function bytesEach(withSets: boolean): number {
  return MOD_SEQ_BYTES + BITS_BYTES + 1 + (withSets ? 1 : 0);
}

/** The columns of a packed page, as parts of its octets. */
function columnsOf(packed: Uint8Array, count: number): Columns {
  // A view of eight octets each must begin at a multiple of eight.
  const marks = packed.byteOffset % MOD_SEQ_BYTES === 0 ? packed : packed.slice();
  const { buffer, byteOffset } = marks;
  const bitsAt = count * MOD_SEQ_BYTES;
  const slotsAt = bitsAt + count * BITS_BYTES;
  return {
    marks,
    modSeqs: new Float64Array(buffer, byteOffset, count),
    bits: new Uint16Array(buffer, byteOffset + bitsAt, count),
    slots: marks.subarray(slotsAt, slotsAt + count),
    sets: marks.subarray(slotsAt + count),
  };
}
