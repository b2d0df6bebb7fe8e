/**
 * Mail of which a part comes in a transaction of its own, because a closed alias takes no other
 * recipient beside it: who has a copy already.
 *
 * Invariants: a message is known by its octets. What reaches a closed alias was handed in here and
 * is signed, so the same octets are the same message; of other mail they may be sent on purpose
 * once more, and nothing is held back. Bounded in time and number: what is forgotten, also with the
 * end of the server, costs somebody a second copy, and nobody a message.
 */

import type { AccountId, BodyHash, Instant } from '#domain/values/ids';
import { SMTP_SPLIT_COPIES_MAX, SMTP_SPLIT_MS } from '../limits.ts';

/** Accounts that have a copy of a message. */
export interface EarlierCopies {
  /** They got it through a closed alias. */
  readonly closed: ReadonlySet<AccountId>;
  /** Beside which a closed alias was to be written to. */
  readonly other: ReadonlySet<AccountId>;
}

interface SplitMessage {
  readonly closed: Set<AccountId>;
  readonly other: Set<AccountId>;
  seenAt: Instant;
}

const NOBODY: EarlierCopies = { closed: new Set(), other: new Set() };

export class SplitMail {
  /** The one that was seen longest ago is the first. */
  readonly #messages = new Map<BodyHash, SplitMessage>();
  #copies = 0;

  copiesOf(body: BodyHash, now: Instant): EarlierCopies {
    const found = this.#messages.get(body);
    return found === undefined || isOver(found.seenAt, now) ? NOBODY : found;
  }

  remember(
    body: BodyHash,
    way: keyof EarlierCopies,
    accounts: readonly AccountId[],
    now: Instant,
  ): void {
    if (accounts.length === 0) return;
    const message = this.#take(body) ?? { closed: new Set(), other: new Set(), seenAt: now };
    message.seenAt = now;
    for (const accountId of accounts) message[way].add(accountId);
    this.#messages.set(body, message);
    this.#copies += copiesIn(message);
    for (const [oldest, { seenAt }] of this.#messages) {
      if (this.#copies <= SMTP_SPLIT_COPIES_MAX && !isOver(seenAt, now)) return;
      this.#take(oldest);
    }
  }

  #take(body: BodyHash): SplitMessage | undefined {
    const found = this.#messages.get(body);
    if (found === undefined) return undefined;
    this.#messages.delete(body);
    this.#copies -= copiesIn(found);
    return found;
  }
}

function isOver(seenAt: Instant, now: Instant): boolean {
  return now - seenAt >= SMTP_SPLIT_MS;
}

function copiesIn({ closed, other }: SplitMessage): number {
  return closed.size + other.size;
}
