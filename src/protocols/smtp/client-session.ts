/**
 * An open connection to a server that takes mail: logging in, sending, saying goodbye.
 *
 * One thing at a time: who gives a second message before the first one is answered has made a
 * mistake.
 */

import { SMTP_CLIENT_QUIT_MS } from '../limits.ts';
import type { Clock, Random, TlsFacts } from '../ports.ts';
import type { SmtpConversation } from './client-conversation.ts';
import { deliver, type DeliveryResult } from './client-delivery.ts';
import type { Delivery } from './client-envelope.ts';
import { SmtpClientError, type TlsProblem } from './client-error.ts';
import type { Extensions } from './client-extensions.ts';
import { authenticate, type Credentials } from './client-login.ts';
import type { SmtpReply } from './client-reply.ts';

export interface SmtpClientTimeouts {
  /** For connecting, and for the TLS handshake. */
  readonly connectMs: number;
  /** For a reply, and for the server to take what is sent. */
  readonly replyMs: number;
  /** For the reply behind a message. */
  readonly endMs: number;
  /** For a message with everything around it. */
  readonly deliveryMs: number;
}

/** How the conversation began. */
export interface SmtpOpening {
  readonly greeting: SmtpReply;
  readonly extensions: Extensions;
  /** What the usual check says of TLS here, whether somebody insists on it or not. */
  readonly tlsProblem: TlsProblem | undefined;
}

export interface SmtpClientPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly ownKey: boolean;
  readonly timeouts: SmtpClientTimeouts;
}

export class SmtpClient implements AsyncDisposable {
  readonly greeting: SmtpReply;
  readonly extensions: Extensions;
  readonly tlsProblem: TlsProblem | undefined;
  readonly #conversation: SmtpConversation;
  readonly #ports: SmtpClientPorts;
  #isBusy = false;

  constructor(conversation: SmtpConversation, opening: SmtpOpening, ports: SmtpClientPorts) {
    this.greeting = opening.greeting;
    this.extensions = opening.extensions;
    this.tlsProblem = opening.tlsProblem;
    this.#conversation = conversation;
    this.#ports = ports;
  }

  get tls(): TlsFacts | undefined {
    return this.#conversation.wire.tls;
  }

  get remoteIp(): string {
    return this.#conversation.wire.remoteIp;
  }

  get localIp(): string {
    return this.#conversation.wire.localIp;
  }

  /** False when nothing more can be sent. */
  get isOpen(): boolean {
    return this.#conversation.failure === undefined;
  }

  /** Resolves when the connection is over, with the reason. */
  get ended(): Promise<SmtpClientError> {
    return this.#conversation.ended;
  }

  /** Gives the name of the mechanism; throws SmtpClientError. */
  async authenticate(credentials: Credentials): Promise<string> {
    const { random, ownKey, timeouts } = this.#ports;
    const ports = { random, ownKey, replyMs: timeouts.replyMs };
    return await this.#alone(credentials.signal, () =>
      authenticate(this.#conversation, this.extensions, credentials, ports),
    );
  }

  /** Sends a message; what goes wrong stands in the result. Cancelled, the connection is over. */
  async deliver(delivery: Delivery): Promise<DeliveryResult> {
    const { clock, timeouts } = this.#ports;
    return await this.#alone(delivery.signal, async () => {
      const conversation = this.#conversation;
      const cancelTimer = clock.after(timeouts.deliveryMs, () => {
        conversation.fail('Timeout', 'Sending the message took too long.');
      });
      try {
        return await deliver(conversation, this.extensions, delivery, timeouts);
      } finally {
        cancelTimer();
      }
    });
  }

  /** Says goodbye and closes. Who does not answer that has still taken what was sent before. */
  async quit(): Promise<void> {
    const conversation = this.#conversation;
    try {
      if (this.isOpen) await conversation.ask('QUIT', SMTP_CLIENT_QUIT_MS);
    } catch (error) {
      if (!(error instanceof SmtpClientError)) throw error;
    } finally {
      this.close();
    }
  }

  /** Ends the connection at once. */
  close(): void {
    this.#conversation.fail('Closed', 'The connection is closed.');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  async #alone<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    if (this.#isBusy) throw new Error('an SMTP connection does one thing at a time');
    this.#isBusy = true;
    const onAbort = (): void => {
      this.#conversation.fail('Cancelled', 'Sending was cancelled.');
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      if (signal?.aborted === true) onAbort();
      return await work();
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#isBusy = false;
    }
  }
}
