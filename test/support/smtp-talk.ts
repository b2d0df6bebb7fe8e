/**
 * A client of a test: says what the test wants, as raw as it wants, over a pair of pipes.
 */

import assert from 'node:assert/strict';
import { duplexPair, type Duplex } from 'node:stream';
import type { TlsFacts, Wire } from '#protocols/ports';

/** What every pretended handshake ends in. */
export const TLS: TlsFacts = {
  version: 'TLSv1.3',
  cipher: 'TLS_AES_128_GCM_SHA256',
  channelBinding: { type: 'tls-exporter', data: Buffer.alloc(32, 7) },
};

export class Talk {
  #stream!: Duplex;
  #serverEnd!: Duplex;
  #in = '';
  #ended = false;
  #wake: (() => void) | undefined;

  /** The server's end; called once. `secured` is what STARTTLS leads to, if it is offered. */
  accept(tls: TlsFacts | undefined, secured: TlsFacts | undefined): Wire {
    const [client, server] = duplexPair();
    this.#stream = client;
    this.#serverEnd = server;
    client.setEncoding('latin1');
    client.on('data', (text: string) => {
      this.#in += text;
      this.#wake?.();
    });
    const ended = (): void => {
      // The pipe in the clear ends when TLS begins on it.
      if (client !== this.#stream) return;
      this.#ended = true;
      this.#wake?.();
    };
    client.on('end', ended);
    client.on('close', ended);
    server.on('error', () => ended());
    return {
      stream: server,
      remoteIp: '192.0.2.1',
      localIp: '198.51.100.1',
      tls,
      startTls:
        secured !== undefined && tls === undefined
          ? async (alreadyRead) => {
              this.handshake = alreadyRead.toString('latin1');
              return this.accept(secured, undefined);
            }
          : undefined,
      destroy: () => {
        server.destroy();
        ended();
      },
    };
  }

  /** What was handed back behind STARTTLS. */
  handshake: string | undefined;

  /** Takes nothing of what the server says. */
  set deaf(deaf: boolean) {
    if (deaf) this.#stream.pause();
    else this.#stream.resume();
  }

  /** The last words: nothing follows, but replies are still read. */
  writeLast(raw: string): void {
    this.#stream.end(raw);
  }

  write(raw: string | Buffer): void {
    this.#stream.write(typeof raw === 'string' ? Buffer.from(raw, 'utf8') : raw);
  }

  /** Resolves when the server has taken all that was written. */
  async writeAll(raw: Buffer): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#stream.write(raw, () => resolve());
    });
  }

  send(line: string): void {
    this.write(`${line}\r\n`);
  }

  /** The peer goes away in the middle of things. */
  hangUp(): void {
    this.#stream.destroy();
    this.#serverEnd.destroy();
  }

  /** The next line of the server, without its end. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#in.indexOf('\r\n');
      if (end >= 0) {
        const line = this.#in.slice(0, end);
        this.#in = this.#in.slice(end + 2);
        return line;
      }
      assert.ok(!this.#ended, `connection ended, left: ${JSON.stringify(this.#in)}`);
      await this.#news();
    }
  }

  /** All lines of the next reply, joined by line feeds. */
  async reply(): Promise<string> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.line();
      lines.push(line);
      if (line[3] !== '-') return lines.join('\n');
    }
  }

  /** Says a line and hears the reply. */
  async ask(line: string): Promise<string> {
    this.send(line);
    return this.reply();
  }

  /** Says each line and expects each reply to begin so. */
  async expect(...pairs: readonly (readonly [line: string, reply: string])[]): Promise<void> {
    for (const [line, begin] of pairs) {
      const heard = await this.ask(line);
      assert.ok(heard.startsWith(begin), `${line} → ${heard}, not ${begin}`);
    }
  }

  async closed(): Promise<void> {
    while (!this.#ended) await this.#news();
    assert.equal(this.#in, '');
  }

  async #news(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}
