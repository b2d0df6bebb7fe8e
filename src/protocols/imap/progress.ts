/**
 * How far a long command is, for a client that waits: told every ten seconds, so that it neither
 * gives up nor believes the connection dead.
 *
 * Invariant: it writes only while the command has nothing of its own to write.
 *
 * RFC 9585 §4
 */

import { IMAP_PROGRESS_MS } from '../limits.ts';
import type { Session } from './session.ts';
import { quotedOrLiteral } from './writer.ts';

/** Carries out work of which nothing is known until it is done, on so many messages. */
export async function withProgress<Result>(
  session: Session,
  total: number,
  work: () => Promise<Result>,
): Promise<Result> {
  using _ = new Progress(session, total);
  return await work();
}

export class Progress {
  done = 0;
  readonly #session: Session;
  readonly #total: number;
  #cancel: () => void;

  /** From now on until it is disposed of; `total` as `done` counts. */
  constructor(session: Session, total: number) {
    this.#session = session;
    this.#total = total;
    this.#cancel = this.#wait();
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }

  #wait(): () => void {
    return this.#session.ports.clock.after(IMAP_PROGRESS_MS, () => {
      this.#tell();
      this.#cancel = this.#wait();
    });
  }

  #tell(): void {
    const { out, tag, isOver } = this.#session;
    if (isOver) return;
    // RFC 9585 §4: a goal that is reached is none.
    const goal = this.done < this.#total ? this.#total : 'NIL';
    out.line(`* OK [INPROGRESS (${quotedOrLiteral(tag)} ${this.done} ${goal})] still at it`);
    void out.flush();
  }
}
