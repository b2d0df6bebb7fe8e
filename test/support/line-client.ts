/**
 * One end of a conversation in lines: what arrives is kept and handed out line by line.
 */

import type { Duplex } from 'node:stream';

/** Nothing in these tests takes so long. */
const PATIENCE_MS = 5000;

export class LineClient {
  #stream: Duplex;
  #text = '';
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
    this.#listen(stream);
  }

  /** Goes on with another stream, as after STARTTLS. */
  attach(stream: Duplex): void {
    this.#stream = stream;
    this.#listen(stream);
  }

  /** Octets as they are; a string is UTF-8. */
  send(octets: string | Buffer): void {
    this.#stream.write(octets);
  }

  /** The next line, one character per octet; undefined when the peer has ended. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\r\n');
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return line;
      }
      if (this.#ended) return undefined;
      await this.#arrival();
    }
  }

  /** Lines up to one that begins with `start`, that one included. */
  async until(start: string): Promise<readonly string[]> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.line();
      if (line === undefined) throw new Error(`the end came before ${start}: ${lines.join('\n')}`);
      lines.push(line);
      if (line.startsWith(start)) return lines;
    }
  }

  /** Sends a command with its tag; what is answered, up to the tagged line. */
  async command(text: string): Promise<readonly string[]> {
    this.send(`${text}\r\n`);
    return this.until(`${text.slice(0, text.indexOf(' '))} `);
  }

  /** Goes away without a word. */
  destroy(): void {
    this.#stream.destroy();
  }

  async #arrival(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(() => {
      reject(new Error(`nothing came for a while; so far: ${JSON.stringify(this.#text)}`));
    }, PATIENCE_MS);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  #listen(stream: Duplex): void {
    const end = (): void => {
      if (stream !== this.#stream) return;
      this.#ended = true;
      this.#wake();
    };
    stream.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
      this.#wake();
    });
    stream.on('end', () => {
      stream.end();
      end();
    });
    stream.on('close', end);
    stream.on('error', end);
  }
}
