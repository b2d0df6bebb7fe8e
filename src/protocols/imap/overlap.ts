/**
 * Commands in progress together: received one after the other, stored side by side, carried out
 * and answered in their order.
 *
 * Invariants: no more than so many at once; what one brought and could not be stored holds up
 * nobody. Nothing is kept of a command that is answered.
 *
 * RFC 9051 §5.5: commands may be in progress together when that makes no difference to their
 * results.
 */

/** A command that was read to its end. */
export interface Received<Reply> {
  /** Ends when what it brought is stored, or cannot be; that need not wait for its turn. */
  readonly stored: Promise<void>;
  /**
   * Called when `stored` has ended and the commands before were called. Must ask for its change
   * before it waits for anything else.
   */
  carryOut(): Promise<Reply>;
}

/** `moreFollow` tells that the next command can be answered too. Must not reject. */
type Answer<Reply> = (reply: Promise<Reply>, moreFollow: boolean) => Promise<void>;

interface InProgress {
  hasReply: boolean;
  /** Resolves when it is answered. */
  readonly answered: Promise<void>;
}

export class Overlap<Reply> {
  readonly #commandsMax: number;
  readonly #inProgress: InProgress[] = [];
  /** Resolves when the last command may be carried out. */
  #ready: Promise<void> = Promise.resolve();

  constructor(commandsMax: number) {
    this.#commandsMax = commandsMax;
  }

  /** Resolves when one more may be added. */
  async room(): Promise<void> {
    while (this.#inProgress.length >= this.#commandsMax) await this.#inProgress[0]?.answered;
  }

  /** Resolves when all are answered. */
  async settled(): Promise<void> {
    await this.#inProgress.at(-1)?.answered;
  }

  /** `answer` is called when the commands before are answered. */
  add(received: Received<Reply>, answer: Answer<Reply>): void {
    this.#ready = ended(received.stored, this.#ready);
    const reply = this.#ready.then(() => received.carryOut());
    const before = this.#inProgress.at(-1)?.answered;
    const answered = ended(reply, before).then(() => this.#answer(reply, answer));
    const own: InProgress = { hasReply: false, answered };
    void ended(reply).then(() => (own.hasReply = true));
    this.#inProgress.push(own);
  }

  async #answer(reply: Promise<Reply>, answer: Answer<Reply>): Promise<void> {
    await answer(reply, this.#inProgress[1]?.hasReply === true);
    this.#inProgress.shift();
  }
}

/** Resolves when all have ended in whatever way: others who wait for them hear of failures. */
async function ended(...promises: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  await Promise.allSettled(promises.filter((promise) => promise !== undefined));
}
