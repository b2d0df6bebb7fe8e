/**
 * What one conversation tells the records of its attempts to log in.
 *
 * Mail programs often say what they are right after they logged in (IMAP ID, EHLO after a TLS key):
 * a success waits a little for that; the client does not.
 */

import type { AccountId } from '#domain/values/ids';
import type { AttemptedLogin, Clock, LoginAttempts, TlsFacts } from '../ports.ts';
import type { SaslFailure } from './mechanism.ts';

/** How long a success waits for the client's name. */
export const NAME_WAIT_MS = 1000;

export interface LoginRecordPorts {
  readonly attempts: LoginAttempts;
  readonly clock: Clock;
}

/** Where the client is. */
export interface LoginEnds {
  readonly remoteIp: string;
  readonly localIp: string;
  readonly tls: TlsFacts | undefined;
}

export interface EndedAttempt {
  readonly mechanism: string;
  readonly login: string;
  readonly result: AttemptedLogin['result'];
  readonly accountId?: AccountId;
}

export class LoginRecord {
  readonly #protocol: AttemptedLogin['protocol'];
  readonly #ports: LoginRecordPorts;
  #client = '';
  /** Records what waits. */
  #release: () => void = () => undefined;

  constructor(protocol: AttemptedLogin['protocol'], ports: LoginRecordPorts) {
    this.#protocol = protocol;
    this.#ports = ports;
  }

  add({ mechanism, ...ended }: EndedAttempt, { remoteIp, localIp, tls }: LoginEnds): void {
    this.#release();
    const { attempts, clock } = this.#ports;
    const record = (): void =>
      attempts.record({
        protocol: this.#protocol,
        mechanism: mechanism.toLowerCase(),
        ...ended,
        remoteIp,
        localIp,
        tls,
        fingerprint: tls?.peerKey?.fingerprint,
        userAgent: this.#client,
      });
    if (ended.result !== 'ok' || this.#client !== '') return record();
    const cancel = clock.after(NAME_WAIT_MS, () => this.#release());
    this.#release = () => {
      this.#release = () => undefined;
      cancel();
      record();
    };
  }

  /** The client has said what it is. */
  identify(client: string): void {
    this.#client = client;
    this.#release();
  }

  close(): void {
    this.#release();
  }
}

/** As what a failure is recorded. */
export function resultOf(failure: SaslFailure, sendsPassword: boolean): AttemptedLogin['result'] {
  switch (failure.type) {
    case 'wrong-credentials':
      return sendsPassword ? 'badpassword' : 'badcreds';
    case 'not-authorized':
      return 'badcreds';
    case 'wrong-binding':
      return 'badchanbind';
    case 'forbidden':
      return 'logindisabled';
    case 'cancelled':
      return 'aborted';
    case 'needs-tls':
    case 'no-secret':
    case 'bad-base64':
    case 'malformed':
    case 'bad-exchange':
      return 'badprotocol';
  }
}

/** The mechanism of whoever is let in by a TLS key without asking. */
export const KEY_MECHANISM = 'tlsclientauth';

/** What stands for a mechanism that is not ours: clients may write anything there. */
export const UNKNOWN_MECHANISM = 'unknown';
