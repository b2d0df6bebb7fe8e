/**
 * The step interface of SASL mechanisms, for the side that asks and the side that proves.
 *
 * A protocol starts an exchange, carries its octets in base64 lines, and maps failures to its own
 * codes. It adds no rule of its own about credentials.
 *
 * Invariants: nothing here throws because of what the peer sent; a failed or finished exchange is
 * not used again; a response is at most `SASL_RESPONSE_BYTES_MAX` octets; a client that has shown a
 * TLS key gets into the account of that key only, whatever it proves.
 * RFC 4422 (SASL), RFC 4954 and RFC 9051 §6.2.2 (its carriers).
 */

import { Buffer } from 'node:buffer';
import { unreachable } from '#domain/values/decision';
import type { AccountId } from '#domain/values/ids';
import type { LoginOutcome, Logins, Random, TlsFacts } from '../ports.ts';

/** Far more than any mechanism needs: logins and passwords are short. */
export const SASL_RESPONSE_BYTES_MAX = 4096;

/** Why a client was not let in. */
export type SaslFailure =
  /** Unknown login, wrong password, wrong proof: never told apart. */
  | { readonly type: 'wrong-credentials' }
  /** The client sees another TLS connection than we do: perhaps somebody sits in between. */
  | { readonly type: 'wrong-binding' }
  /** The client wants to act as somebody else (authorization identity). */
  | { readonly type: 'not-authorized' }
  /** The credentials are right, but the administrator closed the account. */
  | { readonly type: 'forbidden'; readonly reason: string }
  | { readonly type: 'needs-tls' }
  /** The password was set before anything was kept for this mechanism. */
  | { readonly type: 'no-secret' }
  /** The client sent `*`. */
  | { readonly type: 'cancelled' }
  | { readonly type: 'bad-base64' }
  /** The response does not have the form of the mechanism; `what` is a sentence for the client. */
  | { readonly type: 'malformed'; readonly what: string }
  /** The form is right, but SCRAM does not allow it at this point. */
  | { readonly type: 'bad-exchange'; readonly what: string };

export type ServerStep =
  /** To be sent; the client's answer goes into the next `next`. */
  | { readonly type: 'challenge'; readonly data: Buffer }
  | { readonly type: 'done'; readonly accountId: AccountId; readonly login: string }
  | { readonly type: 'failed'; readonly failure: SaslFailure };

/** What the server side of an exchange may use. */
export interface ServerContext extends LoginPlace {
  readonly random: Random;
  /** Our name, for challenges. */
  readonly hostName: string;
  /** The administrator lets passwords travel without TLS. */
  readonly passwordsInClear: boolean;
}

/** Where somebody logs in. */
export interface LoginPlace {
  readonly logins: Logins;
  readonly tls: TlsFacts | undefined;
}

/** One client proving who it is. */
export interface ServerExchange {
  /** As whom the client wants to log in, once it has said so; for the records. */
  readonly claimedLogin: string | undefined;
  /**
   * Takes the client's response: the initial one, or undefined when there is none, and later the
   * answer to each challenge. Rejects with a Fault when credentials cannot be looked up.
   */
  next(response: Buffer | undefined): Promise<ServerStep>;
}

/** Why we do not go on as a client. */
export type ClientFailure =
  /** The server could not prove that it knows the password. */
  | { readonly type: 'server-not-genuine' }
  /** The server refused; the word is its own (RFC 5802 §7 server-error-value). */
  | { readonly type: 'refused'; readonly word: string }
  | { readonly type: 'bad-exchange'; readonly what: string };

export type ClientStep =
  | { readonly type: 'response'; readonly data: Buffer }
  | { readonly type: 'failed'; readonly failure: ClientFailure };

/** What the client side of an exchange may use. */
export interface ClientContext {
  /** With EXTERNAL '' for whatever the server takes the key for. */
  readonly login: string;
  readonly password: string;
  readonly random: Random;
  readonly tls: TlsFacts | undefined;
  /** Names of the mechanisms that the server offered. */
  readonly offered: readonly string[];
}

/** Proving to a server who we are. */
export interface ClientExchange {
  /** To be sent along with the command; undefined where the server speaks first. */
  readonly initial: Buffer | undefined;
  /** True when a success may be believed: all was sent, and the server proved itself if it can. */
  readonly complete: boolean;
  /** Answers a challenge. */
  next(challenge: Buffer): Promise<ClientStep>;
}

export interface Mechanism {
  /** As registered with IANA, in capitals. */
  readonly name: string;
  /** The password itself travels: only under TLS, unless the administrator allows otherwise. */
  readonly sendsPassword: boolean;
  /** Needs TLS in any case, to bind to it. */
  readonly bindsChannel: boolean;
  /** Proves nothing by itself: the client has shown its key in the handshake. */
  readonly usesKey: boolean;
  startServer(context: ServerContext): ServerExchange;
  startClient(context: ClientContext): ClientExchange;
}

/** What a connection allows. */
export interface ConnectionFacts {
  readonly tls: TlsFacts | undefined;
  readonly passwordsInClear: boolean;
  /** On the client's side: we have shown a key. */
  readonly ownKey?: boolean;
}

/** True when the client has shown a key, seen from either side. */
export function hasKey({ tls, ownKey }: ConnectionFacts): boolean {
  return ownKey === true || tls?.peerKey !== undefined;
}

/** True when the connection is too bare for the mechanism. */
export function needsTls(mechanism: Mechanism, connection: ConnectionFacts): boolean {
  if (connection.tls !== undefined) return false;
  const { sendsPassword, bindsChannel, usesKey } = mechanism;
  return bindsChannel || usesKey || (sendsPassword && !connection.passwordsInClear);
}

export type DecodedResponse = { readonly type: 'response'; readonly data: Buffer } | SaslFailure;

/**
 * The octets of a response line (without its end); `initial` for one that came with the command.
 */
export function decodeResponse(line: string, initial: boolean): DecodedResponse {
  if (line === '*' && !initial) return { type: 'cancelled' };
  // RFC 4959 §3, RFC 4954 §4: `=` is an initial response of no octets.
  if (line === '=' && initial) return { type: 'response', data: Buffer.alloc(0) };
  const data = Buffer.from(line, 'base64');
  // The decoder skips what is not base64; what was skipped shows when we encode again.
  if (data.toString('base64') !== line) return { type: 'bad-base64' };
  if (data.length > SASL_RESPONSE_BYTES_MAX) return malformed('The response is too long.');
  return { type: 'response', data };
}

/** True when the failure counts against the address that it came from. */
export function countsAsAttempt(failure: SaslFailure): boolean {
  switch (failure.type) {
    case 'wrong-credentials':
    case 'wrong-binding':
    case 'not-authorized':
      return true;
    default:
      return false;
  }
}

export function failed(failure: SaslFailure): ServerStep {
  return { type: 'failed', failure };
}

/** The server asks where the client has nothing more to say. */
export function outOfTurn(what: string): ClientStep {
  return { type: 'failed', failure: { type: 'bad-exchange', what } };
}

export function malformed(what: string): SaslFailure {
  return { type: 'malformed', what };
}

/** The end of an exchange, from what the logins said. */
export function stepOf(outcome: LoginOutcome, { logins, tls }: LoginPlace): ServerStep {
  switch (outcome.type) {
    case 'ok':
      if (tls?.peerKey !== undefined) {
        const holder = logins.keyHolder(tls.peerKey.fingerprint);
        if (holder?.accountId !== outcome.accountId) return failed({ type: 'wrong-credentials' });
      }
      return { type: 'done', accountId: outcome.accountId, login: outcome.login };
    case 'wrong':
      return failed({ type: 'wrong-credentials' });
    case 'forbidden':
      return failed({ type: 'forbidden', reason: outcome.reason });
    default:
      return unreachable(outcome);
  }
}
