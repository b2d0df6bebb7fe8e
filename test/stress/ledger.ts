/**
 * What all clients of a run have been told together: two of them can never have been told
 * different things about the same message at the same modseq, and nothing is told of messages that
 * nobody made.
 */

import assert from 'node:assert/strict';
import { parseUidSet, uidsOf } from '#domain/values/uid-set';

export class Ledger {
  readonly #flags = new Map<string, string>();
  readonly #emailIds = new Map<string, string>();
  /** Per UIDVALIDITY: a HIGHESTMODSEQ that is told from now on is at least this. */
  readonly #modSeqs = new Map<number, number>();
  /** Messages that an OK has told of: APPENDUID, COPYUID. */
  readonly acknowledged: Map<number, Set<number>> = new Map();

  /** A message had these flags at this modseq. */
  flags(uidValidity: number, uid: number, modSeq: number, flags: string): void {
    const key = `${uidValidity}/${uid}/${modSeq}`;
    const before = this.#flags.get(key);
    if (before === undefined) this.#flags.set(key, flags);
    else assert.equal(flags, before, `message ${key} has had two sets of flags`);
  }

  emailId(uidValidity: number, uid: number, emailId: string): void {
    const key = `${uidValidity}/${uid}`;
    const before = this.#emailIds.get(key);
    if (before === undefined) this.#emailIds.set(key, emailId);
    else assert.equal(emailId, before, `message ${key} has become another`);
  }

  /** RFC 8474 §5.1: a copy is the same email. */
  copied(from: number, to: number, uids: readonly number[], copies: readonly number[]): void {
    assert.equal(uids.length, copies.length, 'COPYUID pairs');
    for (const [i, uid] of uids.entries()) {
      const emailId = this.#emailIds.get(`${from}/${uid}`);
      if (emailId !== undefined) this.emailId(to, copies[i] ?? 0, emailId);
    }
  }

  acknowledge(uidValidity: number, set: string): readonly number[] {
    const uids = [...uidsOf(parseUidSet(set))];
    const known = this.acknowledged.get(uidValidity) ?? new Set();
    this.acknowledged.set(uidValidity, known);
    for (const uid of uids) {
      assert.ok(!known.has(uid), `UID ${uid} was given out twice under ${uidValidity}`);
      known.add(uid);
    }
    return uids;
  }

  modSeq(uidValidity: number, modSeq: number): void {
    this.#modSeqs.set(uidValidity, Math.max(this.leastModSeq(uidValidity), modSeq));
  }

  leastModSeq(uidValidity: number): number {
    return this.#modSeqs.get(uidValidity) ?? 0;
  }

  leastModSeqs(): ReadonlyMap<number, number> {
    return new Map(this.#modSeqs);
  }

  /** Modseqs are long forgotten that only a run before could ask for. */
  forget(): void {
    this.#flags.clear();
  }
}
