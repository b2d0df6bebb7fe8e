/**
 * The sending side of a conversation: one command at a time, its literals when the server is ready
 * for them, and whatever is said behind the command line.
 *
 * RFC 9051 §4.3 (literals), RFC 7888 (literals that are not waited for), RFC 7889 (APPENDLIMIT)
 */

import type { Writable } from 'node:stream';
import { ImapClientError } from './client-error.ts';
import type { Turn } from './client-exchange.ts';
import type { OutgoingLiteral } from './client-line.ts';
import { ReplyWriter } from './writer.ts';

/** RFC 7888 §5: what LITERAL- lets through without asking. */
const LITERAL_MINUS_BYTES_MAX = 4096;

export class Sender {
  readonly #writer: ReplyWriter;
  readonly #capabilities: ReadonlySet<string>;
  readonly #sent: () => void;
  #turn: Turn | undefined;
  /** A continuation that came before somebody waited for it. */
  #early: string | undefined;
  #awaiting: ((text: string | undefined) => void) | undefined;
  #isGivenUp = false;

  /** `sent` is called whenever the server has taken something. */
  constructor(stream: Writable, capabilities: ReadonlySet<string>, sent: () => void) {
    this.#writer = new ReplyWriter(stream);
    this.#capabilities = capabilities;
    this.#sent = sent;
  }

  isSending(turn: Turn): boolean {
    return this.#turn === turn;
  }

  /** Resolves when all of it is said, or the server has answered before. */
  async send(turn: Turn): Promise<void> {
    this.#turn = turn;
    this.#early = undefined;
    try {
      if ((await this.#sendLine(turn)) && turn.exchange.talk !== undefined) {
        await turn.exchange.talk({
          continuation: () => this.#continuation(turn),
          line: async (text) => {
            this.#writer.line(text);
            await this.#flush();
          },
        });
      }
    } finally {
      this.#turn = undefined;
      this.#awaiting = undefined;
    }
  }

  /** The server is ready for more. */
  proceed(text: string): void {
    const resume = this.#awaiting;
    if (resume !== undefined) {
      this.#awaiting = undefined;
      resume(text);
    } else if (this.#turn !== undefined && this.#early === undefined) {
      this.#early = text;
    } else {
      throw new ImapClientError('BadResponse', 'The server waits for what nobody wants to send.');
    }
  }

  /** The command is answered: nobody waits for more of it. */
  finish(turn: Turn): void {
    if (this.#turn === turn) this.#resume();
  }

  giveUp(): void {
    this.#isGivenUp = true;
    this.#resume();
  }

  #resume(): void {
    const resume = this.#awaiting;
    this.#awaiting = undefined;
    resume?.(undefined);
  }

  /** False when the server answered before all was said. */
  async #sendLine(turn: Turn): Promise<boolean> {
    const writer = this.#writer;
    writer.put(`${turn.tag} `);
    for (const piece of turn.exchange.line.pieces) {
      if (typeof piece === 'string') writer.put(piece);
      else if (!(await this.#sendLiteral(piece, turn))) return false;
    }
    writer.put('\r\n');
    await this.#flush();
    return true;
  }

  async #sendLiteral(literal: OutgoingLiteral, turn: Turn): Promise<boolean> {
    const waits = this.#waits(literal.bytes);
    this.#writer.put(`${literal.binary ? '~' : ''}{${literal.bytes}${waits ? '' : '+'}}\r\n`);
    if (waits) {
      await this.#flush();
      if ((await this.#continuation(turn)) === undefined) return false;
    }
    const { octets } = literal;
    let left = literal.bytes;
    for await (const chunk of octets instanceof Uint8Array ? [octets] : octets) {
      left -= chunk.length;
      if (left < 0 || this.#isGivenUp) break;
      this.#writer.octets(chunk);
      if (this.#writer.full) await this.#flush();
    }
    if (left !== 0 && !this.#isGivenUp) {
      const sentence = `The literal has not the ${literal.bytes} octets that were announced.`;
      throw new ImapClientError('BadArgument', sentence);
    }
    return true;
  }

  #waits(bytes: number): boolean {
    if (this.#capabilities.has('LITERAL+')) return bytes > this.#appendLimit();
    const isMinus = this.#capabilities.has('LITERAL-') || this.#capabilities.has('IMAP4REV2');
    return !isMinus || bytes > LITERAL_MINUS_BYTES_MAX;
  }

  /** What is larger will be refused: better before it is sent than afterwards. */
  #appendLimit(): number {
    for (const name of this.#capabilities) {
      const limit = /^APPENDLIMIT=([0-9]{1,15})$/.exec(name)?.[1];
      if (limit !== undefined) return Number(limit);
    }
    return Infinity;
  }

  async #continuation(turn: Turn): Promise<string | undefined> {
    const early = this.#early;
    this.#early = undefined;
    if (turn.isOver || this.#isGivenUp) return undefined;
    if (early !== undefined) return early;
    return new Promise((resolve) => (this.#awaiting = resolve));
  }

  async #flush(): Promise<void> {
    await this.#writer.flush();
    this.#sent();
  }
}
