/**
 * A raw SMTP client over a real socket, for kill tests and hostile tests: says what the test wants,
 * and hears replies one by one.
 */

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { LOGIN, PASSWORD } from './localserve.ts';

export class SmtpDriver {
  readonly #socket: Socket;
  #heard = '';
  #ended = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#heard += text;
      this.#wake?.();
    });
    const ended = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on('error', ended);
    socket.on('end', ended);
    socket.on('close', ended);
  }

  /** Connects and hears the greeting. */
  static async open(host: string, port: number): Promise<SmtpDriver> {
    const driver = new SmtpDriver(connect(port, host));
    await driver.expect(220);
    return driver;
  }

  /** Introduces itself and logs in, in the clear. */
  static async openSubmission(host: string, port = 1587): Promise<SmtpDriver> {
    const driver = await SmtpDriver.open(host, port);
    await driver.ask('EHLO client.example', 250);
    const plain = Buffer.from(`\0${LOGIN}\0${PASSWORD}`).toString('base64');
    await driver.ask(`AUTH PLAIN ${plain}`, 235);
    return driver;
  }

  write(raw: string | Buffer): void {
    this.#socket.write(raw);
  }

  /** The next reply with all of its lines; throws when the connection ends first. */
  async reply(): Promise<string> {
    for (;;) {
      const last = /^\d{3}(?: .*)?\r\n/m.exec(this.#heard);
      if (last !== null) {
        const text = this.#heard.slice(0, last.index + last[0].length);
        this.#heard = this.#heard.slice(text.length);
        return text;
      }
      if (this.#ended) throw new Error('the connection ended');
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async expect(code: number): Promise<string> {
    const heard = await this.reply();
    assert.ok(heard.startsWith(String(code)), `${code} was expected: ${heard}`);
    return heard;
  }

  async ask(line: string, code: number): Promise<string> {
    this.write(`${line}\r\n`);
    return this.expect(code);
  }

  /** Sends a message; the reply behind its end, whatever it says. */
  async send(from: string, to: string, message: string): Promise<string> {
    await this.ask(`MAIL FROM:<${from}>`, 250);
    await this.ask(`RCPT TO:<${to}>`, 250);
    await this.ask('DATA', 354);
    this.write(`${message}\r\n.\r\n`);
    return this.reply();
  }

  /** Everything that is said until the server closes. */
  async untilClosed(): Promise<string> {
    while (!this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
    const heard = this.#heard;
    this.#heard = '';
    return heard;
  }

  close(): void {
    this.#socket.destroy();
  }
}
