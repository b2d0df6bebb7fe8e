/**
 * What can go wrong for a sender of mail: one class, that says at which point, whether trying again
 * may help, and what the server said.
 *
 * Invariant: no secret and nothing of the message is in an error.
 *
 * RFC 5321 §4.2.1 (what codes mean), RFC 8460 §4.3 (what TLS reports call failures)
 */

import { Fault } from '#domain/values/fault';
import type { SmtpReply } from './client-reply.ts';

/** How far things had come. `end`: behind the last octet of the message. */
export type SmtpStage =
  'dial' | 'tls' | 'greeting' | 'ehlo' | 'auth' | 'mail' | 'rcpt' | 'data' | 'end';

export type SmtpClientErrorCode =
  /** Nobody answered, or too late. */
  | 'CannotConnect'
  /** TLS was asked for and there is none. */
  | 'TlsNotOffered'
  /** The handshake failed, or it is not the server we want. */
  | 'TlsFailed'
  | 'ConnectionLost'
  | 'Timeout'
  /** The server said what SMTP does not know, or too much. */
  | 'BadReply'
  /** The server understood and said no: see `reply`. */
  | 'Refused'
  /** The server could not prove that it knows our password. */
  | 'NotGenuine'
  /** The server and we have no way to log in in common. */
  | 'NoMechanism'
  /** The message needs something that the server lacks; `enhanced` says what. */
  | 'NotOffered'
  /** Larger than the server takes. */
  | 'TooLarge'
  /** The server takes no more messages over this connection. */
  | 'LimitReached'
  /** No message that can be sent: its lines do not all end in CRLF. */
  | 'BadMessage'
  /** What the caller gave cannot be said in SMTP. */
  | 'BadArgument'
  /** The signal of the caller. */
  | 'Cancelled'
  /** We closed the connection ourselves. */
  | 'Closed'
  /** Code of the caller failed while it gave the octets of the message. */
  | 'CallerFailed';

/** RFC 8460 §4.3: in the words of TLS reports. */
export type TlsProblem =
  | 'starttls-not-supported'
  | 'certificate-host-mismatch'
  | 'certificate-expired'
  | 'certificate-not-trusted'
  | 'validation-failure';

export interface SmtpClientErrorOptions {
  readonly stage: SmtpStage;
  readonly cause?: unknown;
  /** What the server said; where there was no need to ask it, what it would have said. */
  readonly reply?: SmtpReply | undefined;
  /** RFC 3463; by default that of the reply. */
  readonly enhanced?: string | undefined;
  /** By default as the code, or the reply, has it. */
  readonly permanent?: boolean | undefined;
  readonly mayBeTaken?: boolean | undefined;
  readonly tlsProblem?: TlsProblem | undefined;
}

/** The next time will be no better. */
const PERMANENT: ReadonlySet<SmtpClientErrorCode> = new Set([
  'NoMechanism',
  'NotOffered',
  'TooLarge',
  'BadMessage',
  'BadArgument',
]);

export class SmtpClientError extends Error {
  override readonly name = 'SmtpClientError';
  readonly code: SmtpClientErrorCode;
  readonly stage: SmtpStage;
  readonly permanent: boolean;
  readonly reply: SmtpReply | undefined;
  /** `5.1.1`; '' when nobody said one. */
  readonly enhanced: string;
  /** The server has all of the message, and nobody knows what it made of it. */
  readonly mayBeTaken: boolean;
  readonly tlsProblem: TlsProblem | undefined;

  constructor(code: SmtpClientErrorCode, message: string, options: SmtpClientErrorOptions) {
    super(message, { cause: options.cause });
    const { stage, reply, permanent, tlsProblem, mayBeTaken = false } = options;
    this.code = code;
    this.stage = stage;
    this.reply = reply;
    this.enhanced = options.enhanced ?? reply?.enhanced ?? '';
    const isRefusedForGood = code === 'Refused' && reply !== undefined && reply.code >= 500;
    this.permanent = permanent ?? (isRefusedForGood || PERMANENT.has(code));
    this.mayBeTaken = mayBeTaken;
    this.tlsProblem = tlsProblem;
  }

  /** The three digits; 0 when there are none. */
  get replyCode(): number {
    return this.reply?.code ?? 0;
  }
}

/** A server's no. */
export function refused(
  reply: SmtpReply,
  options: Omit<SmtpClientErrorOptions, 'reply'>,
): SmtpClientError {
  const said = [reply.code, reply.enhanced, ...reply.lines].filter((word) => word !== '');
  const sentence = `The server said no: ${said.join(' ')}`;
  return new SmtpClientError('Refused', sentence, { ...options, reply });
}

/** Why there is no connection, or no TLS on it. */
export function unconnected(cause: unknown, tlsProblem?: TlsProblem): SmtpClientError {
  if (cause instanceof SmtpClientError) return cause;
  if (!(cause instanceof Fault)) throw cause;
  return cause.code === 'TlsHandshakeFailed'
    ? new SmtpClientError('TlsFailed', cause.message, {
        stage: 'tls',
        cause,
        tlsProblem: tlsProblem ?? 'validation-failure',
      })
    : new SmtpClientError('CannotConnect', cause.message, { stage: 'dial', cause });
}
