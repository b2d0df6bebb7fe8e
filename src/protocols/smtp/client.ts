/**
 * An SMTP client that stands alone: it takes ports for the world and knows nothing of the server
 * beside it. Opens a connection, with TLS at once, by STARTTLS, by STARTTLS where it is offered, or
 * without; logs in; sends messages, with an answer for each recipient.
 *
 * Everything read is bounded, every wait has an end, everything can be cancelled.
 *
 * Diagnostics: SmtpClientError, with a stable code, for everything that goes wrong.
 *
 * RFC 5321, RFC 3207 (STARTTLS), RFC 8314 §3.3 (TLS at once); the others where they are spoken
 */

import {
  CONNECT_MS,
  SMTP_CLIENT_DELIVERY_MS,
  SMTP_CLIENT_END_MS,
  SMTP_CLIENT_REPLY_MS,
} from '../limits.ts';
import type { ClientKey, Clock, Dialer, Log, Random, TlsTrust, Wire } from '../ports.ts';
import { SmtpConversation } from './client-conversation.ts';
import { refused, SmtpClientError, unconnected } from './client-error.ts';
import { NO_EXTENSIONS, parseExtensions, type Extensions } from './client-extensions.ts';
import { isDone, isRefusal, type SmtpReply } from './client-reply.ts';
import { SmtpClient, type SmtpClientTimeouts } from './client-session.ts';
import { notedTrust, type TlsOpinion } from './client-tls.ts';

export interface SmtpClientOptions {
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
  /** What we call ourselves in EHLO. */
  readonly hostName: string;
  /** `opportunistic`: STARTTLS where it is offered; who then fails there is not asked again. */
  readonly tls: 'none' | 'opportunistic' | 'starttls' | 'implicit';
  /** With `anyCertificate` or `judge` the outcome of the usual check is still to be had. */
  readonly trust?: TlsTrust;
  /** Shown in the TLS handshake: the server may know us by it. */
  readonly clientKey?: ClientKey;
  readonly timeouts?: Partial<SmtpClientTimeouts>;
  /** Gives up opening. */
  readonly signal?: AbortSignal;
}

const TIMEOUTS: SmtpClientTimeouts = {
  connectMs: CONNECT_MS,
  replyMs: SMTP_CLIENT_REPLY_MS,
  endMs: SMTP_CLIENT_END_MS,
  deliveryMs: SMTP_CLIENT_DELIVERY_MS,
};

/** Connects, secures the connection as asked, and knows the extensions when it resolves. */
export async function openSmtpClient(options: SmtpClientOptions): Promise<SmtpClient> {
  const { clock, random, clientKey } = options;
  if (!/^[A-Za-z0-9_.[\]:-]{1,255}$/.test(options.hostName)) {
    const sentence = 'This is no name to introduce ourselves with.';
    throw new SmtpClientError('BadArgument', sentence, { stage: 'ehlo' });
  }
  const timeouts = { ...TIMEOUTS, ...options.timeouts };
  const opening = new Opening(options, timeouts);
  const { conversation, ...rest } = await opening.open();
  const ownKey = clientKey !== undefined;
  return new SmtpClient(conversation, rest, { clock, random, ownKey, timeouts });
}

interface Opened {
  readonly conversation: SmtpConversation;
  readonly greeting: SmtpReply;
  readonly extensions: Extensions;
  readonly tlsProblem: TlsOpinion['problem'];
}

/** The way from nothing to a connection that is ready for mail. */
class Opening {
  readonly #options: SmtpClientOptions;
  readonly #timeouts: SmtpClientTimeouts;
  readonly #opinion: TlsOpinion = { problem: undefined };
  #conversation: SmtpConversation | undefined;

  constructor(options: SmtpClientOptions, timeouts: SmtpClientTimeouts) {
    this.#options = options;
    this.#timeouts = timeouts;
  }

  async open(): Promise<Opened> {
    const { signal } = this.#options;
    const wire = await this.#dialled();
    const onAbort = (): void => {
      this.#conversation?.fail('Cancelled', 'Opening was cancelled.');
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      let conversation = this.#begin(wire);
      const greeting = await conversation.reply(this.#timeouts.replyMs);
      this.#need(conversation, greeting);
      let extensions = await this.#introduced(conversation);
      if (this.#wantsTls(conversation, extensions)) {
        conversation = this.#begin(await this.#secured(conversation));
        // RFC 3207 §4.2: what was said before TLS counts no more.
        extensions = await this.#introduced(conversation);
      }
      return { conversation, greeting, extensions, tlsProblem: this.#opinion.problem };
    } catch (error) {
      const reason = unconnected(error, this.#opinion.problem);
      throw this.#conversation?.end(reason) ?? reason;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async #dialled(): Promise<Wire> {
    const { dialer, host, port, tls, trust = {}, clientKey, signal } = this.#options;
    try {
      return await dialer.dial({
        host,
        port,
        tls: tls === 'opportunistic' ? 'starttls' : tls,
        trust: notedTrust(trust, this.#opinion),
        ...(clientKey !== undefined && { clientKey }),
        timeoutMs: this.#timeouts.connectMs,
        ...(signal !== undefined && { signal }),
      });
    } catch (cause) {
      if (signal?.aborted !== true) throw unconnected(cause, this.#opinion.problem);
      throw new SmtpClientError('Cancelled', 'Opening was cancelled.', { stage: 'dial', cause });
    }
  }

  #begin(wire: Wire): SmtpConversation {
    const conversation = new SmtpConversation(wire, this.#options);
    this.#conversation = conversation;
    if (this.#options.signal?.aborted === true) {
      throw conversation.fail('Cancelled', 'Opening was cancelled.');
    }
    return conversation;
  }

  /** RFC 5321 §4.1.1.1; §3.2: HELO for a server that does not know EHLO. */
  async #introduced(conversation: SmtpConversation): Promise<Extensions> {
    const { hostName } = this.#options;
    const { replyMs } = this.#timeouts;
    conversation.stage = 'ehlo';
    const ehlo = await conversation.ask(`EHLO ${hostName}`, replyMs);
    if (isDone(ehlo)) return parseExtensions(ehlo);
    if (![500, 501, 502, 504].includes(ehlo.code)) this.#need(conversation, ehlo);
    this.#need(conversation, await conversation.ask(`HELO ${hostName}`, replyMs));
    return NO_EXTENSIONS;
  }

  #wantsTls(conversation: SmtpConversation, { words }: Extensions): boolean {
    const { tls } = this.#options;
    if (tls !== 'starttls' && tls !== 'opportunistic') return false;
    if (words.has('STARTTLS')) return true;
    this.#opinion.problem = 'starttls-not-supported';
    if (tls === 'opportunistic') return false;
    conversation.stage = 'tls';
    throw conversation.error('TlsNotOffered', 'The server does not offer STARTTLS.', {
      tlsProblem: 'starttls-not-supported',
    });
  }

  async #secured(conversation: SmtpConversation): Promise<Wire> {
    conversation.stage = 'tls';
    const { startTls } = conversation.wire;
    if (startTls === undefined) throw new Error('the dialer gave a wire without STARTTLS');
    const reply = await conversation.ask('STARTTLS', this.#timeouts.replyMs);
    if (!isDone(reply)) {
      // RFC 3207 §4: perhaps another time, or without.
      const tlsProblem = 'starttls-not-supported';
      throw refused(reply, { stage: 'tls', permanent: false, tlsProblem });
    }
    const rest = conversation.release();
    if (rest.length > 0) {
      const sentence = 'Somebody spoke between STARTTLS and the handshake.';
      throw conversation.error('TlsFailed', sentence, { tlsProblem: 'validation-failure' });
    }
    return await startTls(rest);
  }

  #need(conversation: SmtpConversation, reply: SmtpReply): void {
    if (isDone(reply)) return;
    const { stage } = conversation;
    if (isRefusal(reply)) throw refused(reply, { stage });
    throw conversation.fail('BadReply', `The server began with ${reply.code}.`);
  }
}
