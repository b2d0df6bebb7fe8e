/**
 * Answers of an IMAP server as they come off the wire: one response after the other, literals
 * included; and the connection that carries them, compressed or not.
 */

import type { Duplex } from 'node:stream';
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw } from 'node:zlib';

/** One character per octet. */
export type ResponseListener = (response: string) => void;

export class ResponseStream {
  readonly #stream: Duplex;
  readonly #hear: ResponseListener;
  readonly #ended: () => void;
  #text = '';
  /** Where the response being read has been searched for its end. */
  #from = 0;
  #deflate: DeflateRaw | undefined;
  #inflating = false;

  constructor(stream: Duplex, hear: ResponseListener, ended: () => void) {
    this.#stream = stream;
    this.#hear = hear;
    this.#ended = ended;
    const take = (octets: Buffer): void => {
      if (!this.#inflating) this.#take(octets);
    };
    stream.on('data', take);
    stream.on('end', ended);
    stream.on('close', ended);
    stream.on('error', ended);
  }

  send(octets: string): void {
    const bytes = Buffer.from(octets, 'latin1');
    if (this.#deflate === undefined) this.#stream.write(bytes);
    else this.#deflate.write(bytes);
  }

  /** RFC 4978: from the next octet on, both ways. */
  compress(): void {
    const inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH });
    const deflate = createDeflateRaw({ flush: constants.Z_SYNC_FLUSH });
    this.#inflating = true;
    this.#deflate = deflate;
    inflate.on('data', (octets: Buffer) => this.#take(octets));
    inflate.on('error', this.#ended);
    deflate.on('data', (octets: Buffer) => void this.#stream.write(octets));
    this.#stream.on('data', (octets: Buffer) => void inflate.write(octets));
  }

  /** Takes nothing off the wire for a while. */
  async pause(until: () => Promise<void>): Promise<void> {
    this.#stream.pause();
    await until();
    this.#stream.resume();
  }

  /** Goes away without a word. */
  destroy(): void {
    this.#stream.destroy();
  }

  #take(octets: Buffer): void {
    this.#text += octets.toString('latin1');
    for (;;) {
      const end = this.#text.indexOf('\r\n', this.#from);
      if (end < 0) return;
      const literal = /\{(\d+)\}$/.exec(this.#text.slice(this.#from, end));
      const next = end + 2 + Number(literal?.[1] ?? 0);
      if (literal !== null) {
        if (this.#text.length < next) return;
        this.#from = next;
        continue;
      }
      const response = this.#text.slice(0, end);
      this.#text = this.#text.slice(next);
      this.#from = 0;
      this.#hear(response);
    }
  }
}
