/**
 * An IMAP client that stands alone: it takes ports for the world and knows nothing of the server
 * beside it. Opens a connection, with TLS at once or by STARTTLS, and speaks in typed commands.
 *
 * Commands may be given without waiting for one another: they run in order, and are sent together
 * where that is safe. What a server says unasked goes to `onNews`. Everything read is bounded. A
 * command whose signal fires leaves the connection usable, unless it was sent only in part.
 *
 * Diagnostics: ImapClientError, with a stable code, for everything that goes wrong.
 *
 * RFC 9051, RFC 3501, RFC 7162 (CONDSTORE, QRESYNC); the others where they are spoken
 */

import {
  CONNECT_MS,
  IMAP_CLIENT_ANSWER_MS,
  IMAP_CLIENT_IDLE_MS,
  IMAP_CLIENT_LINE_BYTES_MAX,
  IMAP_CLIENT_LITERAL_BYTES_MAX,
  IMAP_CLIENT_LITERALS_MAX,
  IMAP_CLIENT_RESULTS_MAX,
} from '../limits.ts';
import type {
  ClientKey,
  Clock,
  Dialer,
  DialTarget,
  Log,
  Random,
  TlsTrust,
  Wire,
} from '../ports.ts';
import { Conversation } from './client-conversation.ts';
import { ImapClientError, translated } from './client-error.ts';
import { CommandLine } from './client-line.ts';
import { askCapabilities } from './client-login.ts';
import { ImapClient, type Greeting } from './client-session.ts';
import type { ServerNews } from './client-words.ts';

export interface ImapClientOptions {
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly host: string;
  readonly port: number;
  readonly tls: DialTarget['tls'];
  readonly trust?: TlsTrust;
  /** Shown in the TLS handshake: the server may know us by it. */
  readonly clientKey?: ClientKey;
  readonly timeouts?: Partial<ImapClientTimeouts>;
  readonly limits?: Partial<ImapClientLimits>;
  /** Called at once, in order, for everything that is no answer; must not throw. */
  readonly onNews?: (news: ServerNews) => void;
  /** Gives up opening. */
  readonly signal?: AbortSignal;
}

export interface ImapClientTimeouts {
  /** For connecting, and for the TLS handshake. */
  readonly connectMs: number;
  /** Without any sign of the server while a command runs. */
  readonly answerMs: number;
  /** IDLE is given anew after this. */
  readonly idleMs: number;
}

export interface ImapClientLimits {
  /** The lines of one answer. */
  readonly lineBytes: number;
  /** The literals of one answer, together: the largest message that can be fetched whole. */
  readonly literalBytes: number;
  /** Parts of an answer that one command gathers: mailboxes, numbers, ranges. */
  readonly results: number;
}

/** Connects, secures the connection as asked, and knows the capabilities when it resolves. */
export async function openImapClient(options: ImapClientOptions): Promise<ImapClient> {
  const { signal } = options;
  let conversation = converse(await dialled(options), options);
  const onAbort = (): void => {
    conversation.end(new ImapClientError('Cancelled', 'Opening was cancelled.'));
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal?.aborted === true) onAbort();
    const greeting = await welcome(conversation, options);
    void conversation.listen();
    if (options.tls === 'starttls') {
      if (conversation.capabilities.size === 0) await askCapabilities(conversation);
      const wire = await secured(conversation);
      conversation = converse(wire, options);
      if (signal?.aborted === true) onAbort();
      void conversation.listen();
    }
    if (conversation.capabilities.size === 0) await askCapabilities(conversation);
    return new ImapClient(conversation, greeting, {
      clock: options.clock,
      random: options.random,
      ownKey: options.clientKey !== undefined,
      idleMs: options.timeouts?.idleMs ?? IMAP_CLIENT_IDLE_MS,
    });
  } catch (error) {
    throw conversation.end(translated(error));
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

async function dialled(options: ImapClientOptions): Promise<Wire> {
  const { dialer, host, port, tls, trust, clientKey, timeouts, signal } = options;
  try {
    return await dialer.dial({
      host,
      port,
      tls,
      ...(trust !== undefined && { trust }),
      ...(clientKey !== undefined && { clientKey }),
      timeoutMs: timeouts?.connectMs ?? CONNECT_MS,
      ...(signal !== undefined && { signal }),
    });
  } catch (error) {
    if (signal?.aborted !== true) throw translated(error);
    throw new ImapClientError('Cancelled', 'Opening was cancelled.', { cause: error });
  }
}

function converse(wire: Wire, options: ImapClientOptions): Conversation {
  const { clock, log, timeouts, limits = {}, onNews = () => undefined } = options;
  const literalBytes = limits.literalBytes ?? IMAP_CLIENT_LITERAL_BYTES_MAX;
  return new Conversation({
    wire,
    clock,
    log,
    limits: {
      lineBytes: limits.lineBytes ?? IMAP_CLIENT_LINE_BYTES_MAX,
      literalBytes,
      literalsBytes: literalBytes,
      literals: IMAP_CLIENT_LITERALS_MAX,
    },
    resultsMax: limits.results ?? IMAP_CLIENT_RESULTS_MAX,
    answerMs: timeouts?.answerMs ?? IMAP_CLIENT_ANSWER_MS,
    onNews,
  });
}

async function welcome(conversation: Conversation, { tls }: ImapClientOptions): Promise<Greeting> {
  const { status: word, text, code } = await conversation.greeting();
  if (word === 'BYE') {
    const sentence = `The server does not want to talk: ${text}`;
    throw new ImapClientError('Bye', sentence, { response: code });
  }
  const isLoggedIn = word === 'PREAUTH';
  // RFC 9051 §7.1.4: there can be no STARTTLS any more; somebody in between might want just that.
  if (isLoggedIn && tls === 'starttls') {
    throw new ImapClientError('TlsFailed', 'The server lets us in before there is TLS.');
  }
  return { isLoggedIn, text, ...(code !== undefined && { code }) };
}

/** STARTTLS: what was said before it counts no more. RFC 9051 §6.2.1 */
async function secured(conversation: Conversation): Promise<Wire> {
  const { startTls } = conversation.wire;
  if (startTls === undefined || !conversation.capabilities.has('STARTTLS')) {
    throw new ImapClientError('TlsFailed', 'The server does not offer STARTTLS.');
  }
  await conversation.run({ line: new CommandLine('STARTTLS'), alone: true, last: true });
  const rest = conversation.release();
  if (rest.length > 0) {
    throw new ImapClientError('TlsFailed', 'Somebody spoke between STARTTLS and the handshake.');
  }
  return startTls(rest);
}
