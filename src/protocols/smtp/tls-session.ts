/**
 * Opens a connection to a host and tells what TLS came to, for reports.
 *
 * It looks on from beside the wire: what counts is the handshake, not how mail goes on behind it.
 * A connection without TLS, after one where TLS failed, is no session of its own.
 * RFC 8460 §4.3 (types of results), §4.4 (failure-reason-code).
 */

import type { Dialer, DialTarget, Wire } from '../ports.ts';
import type { TlsResults } from '../ports-remote.ts';
import {
  tlsResultsOf,
  unreachedResult,
  type TlsContext,
  type TlsProblemFound,
  type TlsSession,
} from '../trust/tls-rpt.ts';
import { openSmtpClient, type SmtpClientOptions } from './client.ts';
import { SmtpClientError } from './client-error.ts';
import type { SmtpClient } from './client-session.ts';
import { tlsProblemOf } from './client-tls.ts';
import type { Destination, Unreachable } from './destinations.ts';
import type { RemoteHost } from './remote-host.ts';

/** Whom the connection is for. */
export interface ReportedAim {
  readonly destination: Destination;
  readonly report: TlsContext['report'];
  /** The host sees another address than our end of the connection has. */
  readonly viaProxy: boolean;
}

/** Opens a connection like `openSmtpClient`; what came of TLS is told to `results`. */
export async function openReported(
  options: SmtpClientOptions,
  host: RemoteHost,
  aim: ReportedAim,
  results: TlsResults,
): Promise<SmtpClient> {
  const context = contextOf(host, aim);
  if (context === undefined || options.tls === 'none') return await openSmtpClient(options);
  const watch = new TlsWatch(options, aim);
  const tell = (session: TlsSession | undefined): void => {
    if (session === undefined) return;
    for (const result of tlsResultsOf(context, session)) results.record(result);
  };
  try {
    const client = await openSmtpClient({ ...options, dialer: watch.dialer });
    tell(watch.opened(client));
    return client;
  } catch (error) {
    if (error instanceof SmtpClientError) tell(watch.failed(error));
    throw error;
  }
}

/** Tells of a host that nobody may ask for the sake of its TLS. */
export function reportUnreached(
  { tlsFailure }: Unreachable,
  { destination, report }: ReportedAim,
  results: TlsResults,
): void {
  if (tlsFailure === undefined || destination.type !== 'hosts') return;
  const { domain: recipientDomain, sts } = destination;
  results.record(unreachedResult({ recipientDomain, sts, report }, tlsFailure));
}

function contextOf(
  { name, tls, tlsa }: RemoteHost,
  { destination, report }: ReportedAim,
): TlsContext | undefined {
  // RFC 8460 §3: who has no name has no record that asks for reports.
  if (destination.type !== 'hosts') return undefined;
  const { reasons, dane } = tls;
  return {
    recipientDomain: destination.domain,
    sts: destination.sts,
    isMxMismatch: reasons.some((one) => one.startsWith('sts-mx-mismatch')),
    host: name,
    tlsa,
    dane: reasons.includes('dane-unusable') ? 'unusable' : dane === undefined ? 'none' : 'proven',
    report,
  };
}

/** One connection, looked at from beside. */
class TlsWatch {
  readonly dialer: Dialer;
  readonly #ip: string;
  readonly #viaProxy: boolean;
  #wire: Wire | undefined;
  #handshake: 'none' | 'begun' | 'done' = 'none';
  /** Of the handshake, or of the connection behind it. */
  #failure: unknown;
  /** What the usual check says. */
  #problem: string | undefined;
  /** Why the host is not believed. */
  #objection: string | undefined;

  constructor({ dialer, host }: SmtpClientOptions, { viaProxy }: ReportedAim) {
    this.#ip = host;
    this.#viaProxy = viaProxy;
    this.dialer = {
      dial: async (target) => {
        const wire = await dialer.dial(this.#watched(target));
        this.#wire = wire;
        const { startTls } = wire;
        if (startTls === undefined) return wire;
        return { ...wire, startTls: (alreadyRead) => this.#secured(startTls, alreadyRead) };
      },
    };
  }

  /** Undefined when there was nothing to see. */
  opened({ greeting, tls }: SmtpClient): TlsSession {
    const helo = greeting.lines[0]?.split(' ')[0];
    return tls === undefined
      ? this.#session('plain', NOT_OFFERED, helo)
      : this.#session('established', this.#unenforced, helo);
  }

  failed(error: SmtpClientError): TlsSession | undefined {
    if (error.code === 'Cancelled') return undefined;
    switch (this.#handshake) {
      case 'none':
        return error.stage === 'tls' ? this.#session('failed', refusalOf(error)) : undefined;
      case 'begun':
        return this.#session('failed', this.#handshakeProblem);
      case 'done': {
        // RFC 8446 §6.2: a client hears that it is not wanted when it believes to be in.
        const alert = remoteAlert(this.#failure);
        return alert === undefined
          ? this.#session('established', this.#unenforced)
          : this.#session('failed', { resultType: 'validation-failure', reasonCode: alert });
      }
    }
  }

  #watched(target: DialTarget): DialTarget {
    const { trust } = target;
    if (trust?.judge === undefined) return target;
    const { judge } = trust;
    return {
      ...target,
      trust: {
        ...trust,
        judge: (shown) => {
          this.#problem = shown.problem;
          this.#objection = judge(shown);
          return this.#objection;
        },
      },
    };
  }

  async #secured(startTls: NonNullable<Wire['startTls']>, alreadyRead: Buffer): Promise<Wire> {
    this.#handshake = 'begun';
    try {
      const wire = await startTls(alreadyRead);
      this.#handshake = 'done';
      wire.stream.once('error', (error) => {
        this.#failure = error;
      });
      return wire;
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  get #unenforced(): TlsProblemFound | undefined {
    return this.#problem === undefined ? undefined : certificateProblem(this.#problem);
  }

  get #handshakeProblem(): TlsProblemFound {
    if (this.#objection === undefined) {
      return { resultType: 'validation-failure', reasonCode: handshakeReason(this.#failure) };
    }
    return certificateProblem(this.#objection);
  }

  #session(
    state: TlsSession['state'],
    problem: TlsProblemFound | undefined,
    receivingHelo = '',
  ): TlsSession {
    const sendingIp = this.#viaProxy ? '' : (this.#wire?.localIp ?? '');
    return { state, problem, sendingIp, receivingIp: this.#ip, receivingHelo };
  }
}

const NOT_OFFERED: TlsProblemFound = { resultType: 'starttls-not-supported', reasonCode: '' };

/** STARTTLS was not offered, or refused, or the host could not wait. */
function refusalOf({ tlsProblem = 'validation-failure', reply }: SmtpClientError): TlsProblemFound {
  const reasonCode = reply === undefined ? '' : `smtp-starttls-reply-code-${reply.code}`;
  return { resultType: tlsProblem, reasonCode };
}

/** What DANE or the usual check has to say; RFC 8460 has no types for what DANE says. */
function certificateProblem(objection: string): TlsProblemFound {
  const resultType = objection.startsWith('dane-') ? 'validation-failure' : tlsProblemOf(objection);
  return { resultType, reasonCode: objection };
}

const REASONS: Readonly<Record<string, string>> = {
  ETIMEDOUT: 'io-timeout-during-handshake',
  ECONNRESET: 'connection-closed-during-handshake',
  EPIPE: 'connection-closed-during-handshake',
  ERR_SSL_WRONG_VERSION_NUMBER: 'tls-record-header-error',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'tls-record-header-error',
};

/** Why the two did not come to terms; the dialer gives the cause along. */
function handshakeReason(failure: unknown): string {
  const cause = failure instanceof Error ? failure.cause : undefined;
  const alert = remoteAlert(cause);
  if (alert !== undefined) return alert;
  const code = codeOf(cause);
  const local = /^ERR_SSL_(.+)$/.exec(code)?.[1];
  return REASONS[code] ?? (local === undefined ? 'handshake-failed' : `tls-local-${dashed(local)}`);
}

/** RFC 8446 §6: `tls-remote-alert-40-handshake-failure`. */
function remoteAlert(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const number = /SSL alert number (\d{1,3})/.exec(error.message)?.[1];
  if (number === undefined) return undefined;
  const name = /^ERR_SSL_(?:SSLV3_|TLSV1_|TLSV13_|SSL\/TLS_)?(?:ALERT_)?(.+)$/.exec(
    codeOf(error),
  )?.[1];
  return `tls-remote-alert-${number}${name === undefined ? '' : `-${dashed(name)}`}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function dashed(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}
