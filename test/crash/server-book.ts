/**
 * What a test knows of its messages: for each token the states that it may be found in. An effect
 * that is under way adds a state, its acknowledgement leaves that one only.
 *
 * Invariants that are checked with every look: no token is found twice, no UID changes hands, and
 * UIDVALIDITY, UIDNEXT and HIGHESTMODSEQ never go back.
 */

import assert from 'node:assert/strict';

export type State =
  /** Not sent, or removed for good. */
  | { readonly type: 'absent' }
  /** Acknowledged for the queue: comes sooner or later. */
  | { readonly type: 'arriving' }
  | Place;

export interface Place {
  readonly type: 'in';
  readonly mailbox: string;
  /** Undefined as long as nobody told. */
  readonly uid?: number;
  /** In alphabetical order; undefined when the test never set any. */
  readonly flags?: string;
}

/** A message as a client sees it. */
export interface Seen {
  readonly mailbox: string;
  readonly uid: number;
  readonly flags: string;
  readonly modSeq: number;
  readonly token: string;
}

export interface MailboxMarks {
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly highestModSeq: number;
}

export const ABSENT: State = { type: 'absent' };

export class Book {
  readonly #possible = new Map<string, readonly State[]>();
  readonly #owners = new Map<string, string>();
  readonly #marks = new Map<string, MailboxMarks>();
  readonly #modSeqs = new Map<string, number>();
  acknowledged = 0;

  /** The one place of a message whose last effect was acknowledged or seen. */
  placeOf(token: string): Place | undefined {
    const states = this.#possible.get(token) ?? [];
    const [only] = states;
    return states.length === 1 && only?.type === 'in' ? only : undefined;
  }

  /** An effect is asked for. */
  ask(token: string, effect: State): void {
    this.#possible.set(token, [...(this.#possible.get(token) ?? [ABSENT]), effect]);
  }

  /** The effect was acknowledged. */
  acknowledge(token: string, effect: State): void {
    this.acknowledged++;
    this.#possible.set(token, [effect]);
    if (effect.type === 'in' && effect.uid !== undefined) {
      this.#own(effect.mailbox, effect.uid, token);
    }
  }

  /** A client was told that the mailbox is this far. */
  heardModSeq(mailbox: string, highestModSeq: number): void {
    const known = this.#marks.get(mailbox);
    if (known === undefined || highestModSeq <= known.highestModSeq) return;
    this.#marks.set(mailbox, { ...known, highestModSeq });
  }

  /** Looks at a mailbox as it is now. */
  look(mailbox: string, marks: MailboxMarks): void {
    const known = this.#marks.get(mailbox) ?? marks;
    assert.equal(marks.uidValidity, known.uidValidity, `UIDVALIDITY of ${mailbox}`);
    assert.ok(marks.uidNext >= known.uidNext, `UIDNEXT of ${mailbox} went back`);
    assert.ok(
      marks.highestModSeq >= known.highestModSeq,
      `HIGHESTMODSEQ of ${mailbox} went back: ${known.highestModSeq} → ${marks.highestModSeq}`,
    );
    this.#marks.set(mailbox, marks);
  }

  /** Compares with everything there is; what was found is what is known from now on. */
  compare(messages: readonly Seen[]): void {
    const found = new Map<string, Seen>();
    for (const seen of messages) {
      const { mailbox, uid, token } = seen;
      assert.ok(this.#possible.has(token), `nobody sent ${token}`);
      assert.ok(!found.has(token), `${token} is there twice`);
      assert.ok(uid < (this.#marks.get(mailbox)?.uidNext ?? 0), `UID ${uid} beyond UIDNEXT`);
      found.set(token, seen);
      this.#own(mailbox, uid, token);
      this.#riseTo(seen);
    }
    for (const [token, states] of this.#possible) {
      const seen = found.get(token);
      const matching = states.filter((state) => matches(state, seen));
      const what = `${token} is ${JSON.stringify(seen)}, not ${JSON.stringify(states)}`;
      assert.ok(matching.length > 0, what);
      this.#possible.set(token, seen === undefined ? matching : [placeOfSeen(seen, states)]);
    }
  }

  /** Tokens that the queue has yet to bring, for sure. */
  arriving(): readonly string[] {
    const waiting: string[] = [];
    for (const [token, states] of this.#possible) {
      if (states.every(({ type }) => type === 'arriving')) waiting.push(token);
    }
    return waiting;
  }

  get size(): number {
    return this.#possible.size;
  }

  #own(mailbox: string, uid: number, token: string): void {
    const place = `${mailbox} ${uid}`;
    const owner = this.#owners.get(place) ?? token;
    assert.equal(token, owner, `UID ${place} belonged to ${owner}`);
    this.#owners.set(place, token);
  }

  #riseTo({ mailbox, uid, modSeq }: Seen): void {
    const place = `${mailbox} ${uid}`;
    const known = this.#modSeqs.get(place) ?? 0;
    assert.ok(modSeq >= known, `the modseq of UID ${place} went back`);
    this.#modSeqs.set(place, modSeq);
  }
}

function matches(state: State, seen: Seen | undefined): boolean {
  if (seen === undefined) return state.type !== 'in';
  if (state.type === 'arriving') return seen.mailbox === 'INBOX';
  if (state.type === 'absent') return false;
  return (
    state.mailbox === seen.mailbox &&
    (state.uid ?? seen.uid) === seen.uid &&
    (state.flags ?? seen.flags) === seen.flags
  );
}

/** Flags are known only where the test sets them. */
function placeOfSeen({ mailbox, uid, flags }: Seen, states: readonly State[]): Place {
  const hasFlags = states.some((state) => state.type === 'in' && state.flags !== undefined);
  return { type: 'in', mailbox, uid, ...(hasFlags ? { flags } : {}) };
}
