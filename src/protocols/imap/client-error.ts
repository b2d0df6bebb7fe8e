/**
 * What can go wrong for a client: one class, with a code that stays and a sentence for people.
 *
 * After `No`, `Bad`, `NotOffered`, `BadArgument` and mostly `Cancelled` the connection goes on;
 * after every other code it is closed.
 */

import { Fault } from '#domain/values/fault';
import type { ResponseCode } from './client-words.ts';
import { BadSyntax } from './parser.ts';
import { LineTooLong, LiteralTooBig, StreamEnded } from './reader.ts';

export type ImapClientErrorCode =
  /** Nobody answered, or too late. */
  | 'CannotConnect'
  /** No TLS, or not with whom we wanted to talk. */
  | 'TlsFailed'
  /** The server said that it ends the conversation. */
  | 'Bye'
  | 'ConnectionLost'
  /** No sign of the server for too long. */
  | 'Timeout'
  /** We closed the connection ourselves. */
  | 'Closed'
  /** The server said what IMAP does not know. */
  | 'BadResponse'
  /** The server said more than we are willing to read. */
  | 'TooLarge'
  /** The server could not prove that it knows our password. */
  | 'NotGenuine'
  /** The server understood the command and refused it. */
  | 'No'
  /** The server did not understand the command. */
  | 'Bad'
  /** The server, or the connection as it is, has no such thing. */
  | 'NotOffered'
  /** The signal of the caller. */
  | 'Cancelled'
  /** No command can say that. */
  | 'BadArgument'
  /** Code of the caller failed while it was told of news, or gave the octets of a message. */
  | 'CallerFailed';

export interface ImapClientErrorOptions {
  readonly cause?: unknown;
  /** What the server gave as its reason, in a word for programs. */
  readonly response?: ResponseCode | undefined;
}

export class ImapClientError extends Error {
  override readonly name = 'ImapClientError';
  readonly code: ImapClientErrorCode;
  /** The response code of the server's answer. RFC 5530 §3 */
  readonly response: ResponseCode | undefined;

  constructor(code: ImapClientErrorCode, message: string, options: ImapClientErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.response = options.response;
  }

  /** The response code as a word, `TRYCREATE`; '' when there was none. */
  get reason(): string {
    const { response } = this;
    return response === undefined ? '' : response.type === 'WORD' ? response.word : response.type;
  }
}

export function cancelled(): ImapClientError {
  return new ImapClientError('Cancelled', 'The command was cancelled.');
}

/** Whatever ended the conversation, as the one kind of error that callers meet. */
export function translated(cause: unknown): ImapClientError {
  if (cause instanceof ImapClientError) return cause;
  if (cause instanceof BadSyntax) {
    const sentence = `The server said what is not IMAP: ${cause.message}`;
    return new ImapClientError('BadResponse', sentence, { cause });
  }
  if (cause instanceof LineTooLong || cause instanceof LiteralTooBig) {
    const sentence = 'The server said more than we are willing to read.';
    return new ImapClientError('TooLarge', sentence, { cause });
  }
  if (cause instanceof StreamEnded) {
    return new ImapClientError('ConnectionLost', 'The connection was lost.', { cause });
  }
  if (cause instanceof Fault) {
    const code = cause.code === 'TlsHandshakeFailed' ? 'TlsFailed' : 'CannotConnect';
    return new ImapClientError(code, cause.message, { cause });
  }
  return new ImapClientError('CallerFailed', 'What the command was to send failed.', { cause });
}
