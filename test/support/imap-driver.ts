/**
 * A raw IMAP driver for benches and kill tests: sends a line, waits for the tagged answer, gives
 * the octets. It parses nothing, so that what is measured is the server.
 */

import { connect, type Socket } from 'node:net';

export class ImapDriver {
  readonly #socket: Socket;
  #received: Buffer[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  #count = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#received.push(chunk);
      this.#wake?.();
    });
    const ended = (): void => {
      this.#closed = true;
      this.#wake?.();
    };
    socket.on('error', ended);
    socket.on('close', ended);
  }

  static async open(host: string, port: number): Promise<ImapDriver> {
    const socket = connect(port, host);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const driver = new ImapDriver(socket);
    await driver.#until((text) => text.endsWith('\r\n'));
    return driver;
  }

  /** Sends one command; resolves with everything up to and with its tagged line. */
  async command(text: string): Promise<Buffer> {
    const tag = this.sendOnly(text);
    return await this.answer(tag);
  }

  /** Sends without waiting; returns the tag. */
  sendOnly(text: string): string {
    const tag = `T${++this.#count}x`;
    this.#socket.write(`${tag} ${text}\r\n`);
    return tag;
  }

  sendRaw(bytes: string | Buffer): void {
    this.#socket.write(bytes);
  }

  /** Waits for the tagged answer; throws when the connection ends first. */
  async answer(tag: string): Promise<Buffer> {
    const tagged = new RegExp(`(^|\r\n)${tag} [^\r\n]*\r\n$`);
    return await this.#until((text) => tagged.test(text));
  }

  /** Waits for an untagged answer that matches; takes everything received. */
  async untagged(pattern: RegExp): Promise<Buffer> {
    return await this.#until((text) => text.endsWith('\r\n') && pattern.test(text));
  }

  /** Everything that comes until the server closes the connection. */
  async untilClosed(): Promise<string> {
    while (!this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return Buffer.concat(this.#received.splice(0)).toString('latin1');
  }

  /** Waits until `done` says yes to the last octets received; takes everything received. */
  async #until(done: (lastOctets: string) => boolean): Promise<Buffer> {
    for (;;) {
      if (this.#received.length > 0 && done(this.#tail())) {
        const all = Buffer.concat(this.#received);
        this.#received = [];
        return all;
      }
      if (this.#closed) throw new Error('the connection ended');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #tail(): string {
    const wanted = 1024;
    const pieces: Buffer[] = [];
    let have = 0;
    for (let i = this.#received.length - 1; i >= 0 && have < wanted; i--) {
      const piece = this.#received[i] as Buffer;
      pieces.unshift(piece);
      have += piece.length;
    }
    return Buffer.concat(pieces).subarray(-wanted).toString('latin1');
  }

  close(): void {
    this.#socket.destroy();
  }
}
