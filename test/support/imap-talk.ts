/**
 * A client of IMAP for tests of the beginning of conversations: says a line, hears the tagged one,
 * and logs in with the client side of any mechanism of ours.
 */

import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import { fakeRandom } from './clock.ts';
import type { TlsFacts } from '#protocols/ports';
import { findMechanism } from '#protocols/sasl/catalog';

export interface Credentials {
  readonly login: string;
  readonly password?: string;
  readonly tls?: TlsFacts | undefined;
}

export class ImapTalk {
  readonly #stream: Duplex;
  #in = '';
  #ended = false;
  #wake: (() => void) | undefined;
  #tags = 0;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => {
      this.#in += chunk.toString('latin1');
      this.#wake?.();
    });
    const ended = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    stream.on('end', ended);
    stream.on('close', ended);
    stream.on('error', ended);
  }

  /** Undefined at the end. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#in.indexOf('\r\n');
      if (end >= 0) {
        const line = this.#in.slice(0, end);
        this.#in = this.#in.slice(end + 2);
        return line;
      }
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
    }
  }

  send(text: string): void {
    this.#stream.write(`${text}\r\n`);
  }

  /** The tagged answer to a command without its tag; untagged lines before it are passed over. */
  async ask(command: string): Promise<string> {
    const tag = `t${++this.#tags}`;
    this.send(`${tag} ${command}`);
    return this.#tagged(tag);
  }

  /** AUTHENTICATE as far as it goes; the tagged answer without its tag. */
  async authenticate(
    mechanism: string,
    { login, password = '', tls }: Credentials,
  ): Promise<string> {
    const found = findMechanism(mechanism);
    assert.ok(found !== undefined, mechanism);
    const random = fakeRandom(mechanism);
    // As if PLUS had been offered, which it is.
    const offered = [`${mechanism}-PLUS`];
    const client = found.startClient({ login, password, random, tls, offered });
    const tag = `t${++this.#tags}`;
    const initial = client.initial?.toString('base64');
    this.send(
      `${tag} AUTHENTICATE ${mechanism}${initial === undefined ? '' : ` ${initial || '='}`}`,
    );
    for (;;) {
      const line = await this.line();
      if (line?.startsWith('+ ') !== true) return answerOf(tag, line);
      const step = await client.next(Buffer.from(line.slice(2), 'base64'));
      this.send(step.type === 'response' ? step.data.toString('base64') : '*');
    }
  }

  async #tagged(tag: string): Promise<string> {
    for (;;) {
      const line = await this.line();
      if (line?.startsWith('* ') !== true) return answerOf(tag, line);
    }
  }
}

function answerOf(tag: string, line: string | undefined): string {
  assert.ok(line?.startsWith(`${tag} `) === true, `not the answer to ${tag}: ${line}`);
  return line.slice(tag.length + 1);
}
