/**
 * Mail hosts of the world, in memory: each takes mail as its script says, and notes what it took.
 */

import { duplexPair, type Duplex } from 'node:stream';
import { FAKE_TLS } from './pipes.ts';
import { Fault } from '#domain/values/fault';
import type { Dialer, DialTarget, ServerCertificates, Wire } from '#protocols/ports';

/**
 * A line, `drop` for the end of the connection, `silence` for nothing at all; behind a message
 * `keep` to take it and go without a word.
 */
export type HostAnswer = string;

export interface HostScript {
  /** Behind the name, in the answer to EHLO. */
  readonly words?: readonly string[];
  /**
   * What is answered to a command, to `connect`, to `data` (the first line of a message) and to
   * `.`; undefined for yes.
   */
  readonly answer?: (command: string, heard: Heard) => HostAnswer | undefined;
  /** What the handshake shows; false when it fails. */
  readonly shown?: ServerCertificates | false;
  /** Nobody is there. */
  readonly isDown?: boolean;
}

/** A connection as the host sees it. */
export interface Heard {
  readonly target: DialTarget;
  readonly commands: string[];
  isSecure: boolean;
  isOpen: boolean;
}

export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  /** One character per octet, without the dots. */
  readonly text: string;
  readonly isSecure: boolean;
}

const WORDS = ['PIPELINING', 'SIZE 10000000', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES'];
const TRUSTED: ServerCertificates = { chain: [], problem: undefined };

export class FakeHosts {
  readonly heard: Heard[] = [];
  readonly mail: TakenMail[] = [];
  openMax = 0;
  readonly #scripts: Map<string, HostScript>;

  /** By address; nobody is at any other. */
  constructor(scripts: Readonly<Record<string, HostScript>>) {
    this.#scripts = new Map(Object.entries(scripts));
  }

  /** Puts another host there. */
  set(address: string, script: HostScript): void {
    this.#scripts.set(address, script);
  }

  /** The addresses that were dialled, in order. */
  get dialed(): readonly string[] {
    return this.heard.map(({ target }) => target.host);
  }

  readonly dialer: Dialer = {
    dial: async (target) => {
      const script = this.#scripts.get(target.host);
      const heard: Heard = { target, commands: [], isSecure: false, isOpen: false };
      this.heard.push(heard);
      await Promise.resolve();
      if (script === undefined || script.isDown === true) {
        throw new Fault('CannotConnect', `Cannot connect to ${target.host}:${target.port}.`);
      }
      heard.isOpen = true;
      if (target.tls === 'implicit') this.#shakeHands(script, target);
      heard.isSecure = target.tls === 'implicit';
      const wire = this.#wire(script, heard, target, true);
      this.openMax = Math.max(this.openMax, this.heard.filter(({ isOpen }) => isOpen).length);
      return wire;
    },
  };

  #shakeHands({ shown = TRUSTED }: HostScript, target: DialTarget): void {
    const objection =
      shown === false ? 'the handshake broke' : (target.trust?.judge?.(shown) ?? undefined);
    if (objection !== undefined) throw new Fault('TlsHandshakeFailed', objection);
  }

  #wire(script: HostScript, heard: Heard, target: DialTarget, greets: boolean): Wire {
    const [near, far] = duplexPair();
    near.on('error', () => undefined);
    const close = (): void => {
      // The stream in the clear ends when TLS begins.
      if (host.isReleased) return;
      heard.isOpen = false;
      far.destroy();
    };
    const host = new HostConversation(script, heard, far, (mail) => this.mail.push(mail));
    near.on('close', close);
    if (greets) host.greet();
    return {
      stream: near,
      remoteIp: target.host,
      localIp: '198.51.100.1',
      tls: heard.isSecure ? FAKE_TLS : undefined,
      startTls:
        heard.isSecure || target.tls === 'none'
          ? undefined
          : async () => {
              host.isReleased = true;
              await Promise.resolve();
              try {
                this.#shakeHands(script, target);
              } catch (error) {
                heard.isOpen = false;
                throw error;
              }
              heard.isSecure = true;
              return this.#wire(script, heard, target, false);
            },
      destroy: () => {
        near.destroy();
        close();
      },
    };
  }
}

class HostConversation {
  isReleased = false;
  readonly #script: HostScript;
  readonly #heard: Heard;
  readonly #far: Duplex;
  readonly #take: (mail: TakenMail) => void;
  #in = '';
  #isDeaf = false;
  #from: string | undefined;
  #to: string[] = [];
  #text: string | undefined;

  constructor(script: HostScript, heard: Heard, far: Duplex, take: (mail: TakenMail) => void) {
    this.#script = script;
    this.#heard = heard;
    this.#far = far;
    this.#take = take;
    far.on('error', () => undefined);
    far.on('data', (chunk: Buffer) => {
      this.#in += chunk.toString('latin1');
      for (let end = this.#in.indexOf('\r\n'); end >= 0; end = this.#in.indexOf('\r\n')) {
        const line = this.#in.slice(0, end);
        this.#in = this.#in.slice(end + 2);
        this.#line(line);
      }
    });
  }

  greet(): void {
    this.#answer('connect', '220 mx ESMTP');
  }

  #line(line: string): void {
    if (this.#isDeaf) return;
    if (this.#text !== undefined) return this.#textLine(line);
    this.#heard.commands.push(line);
    const verb = line.slice(0, 4).toUpperCase();
    switch (verb) {
      case 'EHLO': {
        const isNews = (word: string): boolean => word !== 'STARTTLS' || !this.#heard.isSecure;
        const words = ['mx', ...(this.#script.words ?? WORDS).filter(isNews)];
        const lines = words.map((word, i) => `250${i + 1 === words.length ? ' ' : '-'}${word}`);
        this.#answer(line, lines.join('\r\n'));
        return;
      }
      case 'MAIL':
        this.#to = [];
        if (this.#answer(line, '250 2.1.0 fine')) this.#from = addressIn(line);
        return;
      case 'RCPT':
        if (this.#answer(line, '250 2.1.5 fine')) this.#to.push(addressIn(line));
        return;
      case 'DATA':
        if (this.#from === undefined) this.#answer(line, '503 5.5.1 MAIL first');
        else if (this.#to.length === 0) this.#answer(line, '554 5.5.1 nobody');
        else if (this.#answer(line, '354 go on')) this.#text = '';
        return;
      case 'STAR':
        this.#answer(line, '220 2.0.0 go on');
        return;
      case 'QUIT':
        if (this.#answer(line, '221 2.0.0 bye')) this.#end();
        return;
      default:
        this.#answer(line, '250 2.0.0 fine');
    }
  }

  #textLine(line: string): void {
    const text = this.#text ?? '';
    if (line !== '.') {
      // Who objects in the middle of a message does not take it.
      if (text === '' && !this.#answer('data', '')) this.#isDeaf = true;
      this.#text = `${text}${line.replace(/^\./, '')}\r\n`;
      return;
    }
    this.#text = undefined;
    const mail = { from: this.#from ?? '', to: this.#to, text, isSecure: this.#heard.isSecure };
    this.#from = undefined;
    const isTaken = this.#answer('.', '250 2.0.0 taken');
    if (isTaken) this.#take(mail);
  }

  /** True for yes. */
  #answer(command: string, usual: string): boolean {
    const answer = this.#script.answer?.(command, this.#heard) ?? usual;
    if (answer === 'drop' || answer === 'keep') this.#end();
    else if (answer !== 'silence' && answer !== '') this.#far.write(`${answer}\r\n`);
    return answer === usual || answer === 'keep' || /^[23]/.test(answer);
  }

  #end(): void {
    this.#heard.isOpen = false;
    this.#far.end();
  }
}

function addressIn(command: string): string {
  return /<(.*)>/.exec(command)?.[1] ?? '';
}
