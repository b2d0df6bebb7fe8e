/**
 * The open mailbox as one client believes it to be, from what it was told; it complains about
 * everything that no server may tell.
 *
 * Sequence numbers stand for UIDs, or for messages that were only counted. Nothing is believed of
 * flags but what came with the message last.
 */

import assert from 'node:assert/strict';
import type { Ledger } from './ledger.ts';
import { parseUidSet, uidCount, uidsOf } from '#domain/values/uid-set';

export interface Known {
  readonly flags: string | undefined;
  readonly modSeq: number | undefined;
}

/** What a client keeps of a mailbox when it goes: all of it, up to a modseq. */
export interface Cache {
  readonly uidValidity: number;
  readonly modSeq: number;
  readonly messages: ReadonlyMap<number, Known>;
}

export interface MailboxModes {
  readonly condstore: boolean;
  readonly qresync: boolean;
  readonly uidOnly: boolean;
}

const UNKNOWN: Known = { flags: undefined, modSeq: undefined };

export class OpenMailbox {
  readonly name: string;
  uidValidity = 0;
  uidNext = 0;
  /** The modseq up to which everything was told. */
  modSeq = 0;
  readonly messages: Map<number, Known> = new Map();
  readonly #ledger: Ledger;
  #seqs: (number | undefined)[] = [];
  #shown = 0;
  #code: number | undefined;
  /** Its answer to SELECT is still being read. */
  #isOpening: Cache | true | undefined = true;

  constructor(name: string, ledger: Ledger) {
    this.name = name;
    this.#ledger = ledger;
  }

  get count(): number {
    return this.#seqs.length;
  }

  get isWhole(): boolean {
    return !this.#seqs.includes(undefined);
  }

  /** UIDs that are known, ascending. */
  get uids(): readonly number[] {
    return this.#seqs.filter((uid) => uid !== undefined);
  }

  uidAt(seq: number): number | undefined {
    return this.#seqs[seq - 1];
  }

  /** What is kept, when the client knows every message. */
  get cache(): Cache | undefined {
    if (!this.isWhole || this.modSeq === 0 || this.#isOpening !== undefined) return undefined;
    return {
      uidValidity: this.uidValidity,
      modSeq: this.modSeq,
      messages: new Map(this.uids.map((uid) => [uid, this.messages.get(uid) ?? UNKNOWN])),
    };
  }

  /** SELECT was sent with QRESYNC and what is in the cache. */
  resume(cache: Cache): void {
    this.#isOpening = cache;
  }

  hear(response: string, modes: MailboxModes): void {
    const [, number, verb, rest = ''] = /^\* (\d+) ([A-Z]+)(?: ([^]*))?$/.exec(response) ?? [];
    if (verb === 'EXISTS') this.#exists(Number(number), response);
    else if (verb === 'EXPUNGE') this.#expunge(Number(number), response, modes);
    else if (verb === 'FETCH') this.#fetch(Number(number), rest, response, modes);
    else if (verb === 'UIDFETCH') this.#uidFetch(Number(number), rest, response, modes);
    else if (response.startsWith('* VANISHED ')) this.#vanished(response, modes);
    else if (response.startsWith('* OK [')) this.#hearCode(response);
  }

  /** The tagged line of a command has come: what was shown is believed to be all. */
  note(tagged: string): void {
    this.#hearCode(tagged);
    if (this.#isOpening !== undefined) this.#opened(this.#isOpening);
    this.modSeq = this.#code ?? Math.max(this.modSeq, this.#shown);
    this.#code = undefined;
    this.#shown = 0;
  }

  /** Flags of these may be others now. */
  forgetFlags(uids: Iterable<number>): void {
    for (const uid of uids) this.messages.set(uid, UNKNOWN);
  }

  #opened(opening: Cache | true): void {
    this.#isOpening = undefined;
    if (opening === true || opening.uidValidity !== this.uidValidity) return;
    // What QRESYNC left in the cache is all that there is.
    const uids = [...this.messages.keys()].toSorted((a, b) => a - b);
    assert.equal(uids.length, this.count, `the cache is not the mailbox: ${uids.join()}`);
    for (const [i, uid] of uids.entries()) {
      assert.ok((this.#seqs[i] ?? uid) === uid, `${i + 1} is ${this.#seqs[i]}, not ${uid}`);
    }
    this.#seqs = uids;
  }

  #hearCode(response: string): void {
    const [, code, value] = /\[(UIDVALIDITY|UIDNEXT|HIGHESTMODSEQ) (\d+)\]/.exec(response) ?? [];
    const number = Number(value);
    if (code === 'UIDNEXT') this.uidNext = number;
    if (code === 'HIGHESTMODSEQ') this.#code = number;
    if (code !== 'UIDVALIDITY') return;
    this.uidValidity = number;
    const cache = this.#isOpening;
    if (cache === undefined || cache === true || cache.uidValidity !== number) return;
    for (const [uid, known] of cache.messages) this.messages.set(uid, known);
  }

  #exists(count: number, response: string): void {
    assert.ok(count >= this.count, `${response}, but there were ${this.count}`);
    while (this.#seqs.length < count) this.#seqs.push(undefined);
  }

  #expunge(seq: number, response: string, { qresync, uidOnly }: MailboxModes): void {
    assert.ok(!qresync && !uidOnly, response);
    assert.ok(seq >= 1 && seq <= this.count, `${response}, but there are ${this.count}`);
    const [uid] = this.#seqs.splice(seq - 1, 1);
    if (uid !== undefined) this.messages.delete(uid);
  }

  #vanished(response: string, { qresync, uidOnly }: MailboxModes): void {
    const [, earlier, text = ''] = /^\* VANISHED (\(EARLIER\) )?(\S+)$/.exec(response) ?? [];
    assert.ok(earlier === undefined ? qresync || uidOnly : qresync, response);
    const set = parseUidSet(text);
    if (earlier === undefined) {
      assert.ok(uidCount(set) <= this.count, `${response}, but there are ${this.count}`);
      for (const uid of uidsOf(set)) {
        const place = uidOnly ? this.#anyPlaceOf(uid) : this.#placeOf(uid);
        assert.ok(place >= 0, `${response}: ${uid} was never told`);
        this.#seqs.splice(place, 1);
      }
    }
    for (const uid of this.messages.keys()) {
      if (set.some(([first, last]) => first <= uid && uid <= last)) this.messages.delete(uid);
    }
  }

  #anyPlaceOf(uid: number): number {
    const known = this.#seqs.indexOf(uid);
    return known >= 0 ? known : this.#seqs.indexOf(undefined);
  }

  /** Where the UID is, or one of the places where it must be; −1: it was never told. */
  #placeOf(uid: number): number {
    const known = this.#seqs.indexOf(uid);
    if (known >= 0) return known;
    const above = this.#seqs.findIndex((each) => each !== undefined && each > uid);
    const last = (above < 0 ? this.#seqs.length : above) - 1;
    const place = this.#seqs.lastIndexOf(undefined, last);
    const below = this.#seqs.findLastIndex((each) => each !== undefined && each < uid);
    return last >= 0 && place > below ? place : -1;
  }

  #fetch(seq: number, items: string, response: string, modes: MailboxModes): void {
    assert.ok(!modes.uidOnly, response);
    assert.ok(seq >= 1 && seq <= this.count, `${response}, but there are ${this.count}`);
    const told = /[( ]UID (\d+)/.exec(items)?.[1];
    const placed = this.#seqs[seq - 1];
    const uid = told === undefined ? placed : Number(told);
    if (uid === undefined) return;
    assert.ok(placed === undefined || placed === uid, `${response}, but it is ${placed}`);
    if (placed === undefined) {
      const lower = this.#seqs.slice(0, seq - 1).findLast((each) => each !== undefined) ?? 0;
      const higher = this.#seqs.slice(seq).find((each) => each !== undefined) ?? Infinity;
      assert.ok(lower < uid && uid < higher, `${response}: between ${lower} and ${higher}`);
      this.#seqs[seq - 1] = uid;
    }
    this.#learn(uid, items, response);
  }

  #uidFetch(uid: number, items: string, response: string, modes: MailboxModes): void {
    assert.ok(modes.uidOnly, response);
    if (this.#isOpening === undefined && !this.#seqs.includes(uid)) {
      // RFC 9586: no place is told, so the messages that are only counted stand at the end.
      const place = this.#seqs.indexOf(undefined);
      assert.ok(place >= 0, `${response}: there are ${this.count}, all known`);
      this.#seqs.splice(place, 1);
      const above = this.#seqs.findIndex((each) => each === undefined || each > uid);
      this.#seqs.splice(above < 0 ? this.#seqs.length : above, 0, uid);
    }
    this.#learn(uid, items, response);
  }

  #learn(uid: number, items: string, response: string): void {
    const before = this.messages.get(uid) ?? UNKNOWN;
    const flags = /FLAGS \(([^)]*)\)/.exec(items)?.[1];
    const told = /MODSEQ \((\d+)\)/.exec(items)?.[1];
    const emailId = /EMAILID \(([^)]+)\)/.exec(items)?.[1];
    if (emailId !== undefined) this.#ledger.emailId(this.uidValidity, uid, emailId);
    if (told === undefined) {
      if (flags !== undefined && flags !== before.flags) {
        this.messages.set(uid, { flags, modSeq: undefined });
      }
      return;
    }
    const modSeq = Number(told);
    this.#shown = Math.max(this.#shown, modSeq);
    assert.ok(modSeq >= (before.modSeq ?? 0), `${response}, but it was at ${before.modSeq}`);
    this.#ledger.modSeq(this.uidValidity, modSeq);
    if (flags !== undefined) this.#ledger.flags(this.uidValidity, uid, modSeq, flags);
    const same = modSeq === before.modSeq ? before.flags : undefined;
    this.messages.set(uid, { flags: flags ?? same, modSeq });
  }
}
