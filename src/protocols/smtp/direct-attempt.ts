/**
 * An attempt at the hosts of the recipient's domain: one after the other, until one of them has
 * answered for the recipients.
 *
 * Invariants: a host that could not be reached, or could not take mail now, is passed over; one
 * that refuses for good ends the attempt; once a host has all of a message no other host gets it.
 * Without TLS a host is only asked where nothing requires it, and never about DMARC reports.
 * RFC 5321 §5.1, RFC 3207 §4, RFC 7435 §3.
 */

import type { Remote } from '#domain/queue/events';
import { isPermanent } from '#domain/queue/outcome';
import { domainOf } from '#domain/values/address';
import { CONNECT_MS } from '../limits.ts';
import type { Dialer } from '../ports.ts';
import type { TlsResults } from '../ports-remote.ts';
import { allOf, failedBy, failedWith, outcomesOf, type FailedOutcome } from './attempt-outcome.ts';
import {
  countDestination,
  countedConnection,
  countHost,
  observeDelivery,
  tlsModeOf,
} from './attempt-metrics.ts';
import type { DeliveryResult } from './client-delivery.ts';
import { SmtpClientError, type SmtpStage } from './client-error.ts';
import type { SmtpClient } from './client-session.ts';
import {
  findDestination,
  type Aim,
  type Destination,
  type DestinationPorts,
  type Unreachable,
} from './destinations.ts';
import { remoteHosts, type RemoteHost } from './remote-host.ts';
import { unknownPolicyResult } from '../trust/tls-rpt.ts';
import type { Attempt, Attempted, AttemptOutcomes } from './runner.ts';
import { deliveryOf, type SendingPorts } from './sending.ts';
import { deliverOver } from './several-connections.ts';
import { tlsTrustFor } from './tls-requirement.ts';
import { openReported, reportUnreached, type ReportedAim } from './tls-session.ts';
import type { DirectTransport } from './transport.ts';

export interface DirectPorts extends SendingPorts, DestinationPorts {
  /** Opens connections, through the proxy of the transport if it has one. */
  readonly dialer: Dialer;
  /** Where hosts listen. */
  readonly port: number;
  readonly tlsResults: TlsResults;
}

/** Of those that were dialled, the last ones are recorded: a domain may name hundreds. */
const DIALED_TOLD_MAX = 20;

/** Failures at these stages are about the host, not about the message or a recipient. */
const HOST_STAGES: ReadonlySet<SmtpStage> = new Set([
  'dial',
  'tls',
  'greeting',
  'ehlo',
  'mail',
  'rcpt',
  'data',
]);

export async function attemptDirectly(
  transport: DirectTransport,
  one: Attempt,
  ports: DirectPorts,
  signal: AbortSignal,
): Promise<Attempted> {
  const [{ recipient, requireTls, report }] = one.items;
  const domain = domainOf(recipient);
  const aim: Aim = { domain, requireTls: requireTls ?? undefined, signal };
  const destination = await findDestination(aim, ports);
  countDestination(destination, ports);
  if (destination.type === 'unreachable') {
    const { stsFailure } = destination;
    const about = { recipientDomain: domain, report };
    if (stsFailure !== undefined) ports.tlsResults.record(unknownPolicyResult(about, stsFailure));
    return { outcomes: allOf(one.items, unreached(destination, [])) };
  }
  return await new Walk(transport, one, { destination, aim, signal }, ports).walked();
}

/** What a host made of it: answers for the items, or nothing that counts. */
type AtHost =
  | { readonly type: 'answered'; readonly outcomes: AttemptOutcomes }
  | { readonly type: 'passed-over'; readonly outcome: FailedOutcome };

/** One attempt on its way from host to host. */
class Walk {
  readonly #transport: DirectTransport;
  readonly #one: Attempt;
  readonly #aim: Aim;
  readonly #signal: AbortSignal;
  readonly #ports: DirectPorts;
  readonly #reported: ReportedAim;
  readonly #dialed: Remote[] = [];
  readonly #goodbyes: Promise<void>[] = [];

  constructor(
    transport: DirectTransport,
    one: Attempt,
    where: { readonly destination: Destination; readonly aim: Aim; readonly signal: AbortSignal },
    ports: DirectPorts,
  ) {
    const [{ report }] = one.items;
    const viaProxy = transport.proxy !== undefined;
    this.#transport = transport;
    this.#one = one;
    this.#aim = where.aim;
    this.#signal = where.signal;
    this.#ports = ports;
    this.#reported = { destination: where.destination, report, viaProxy };
  }

  async walked(): Promise<Attempted> {
    const outcomes = await this.#hosts();
    return { outcomes, goodbye: Promise.all(this.#goodbyes).then(() => undefined) };
  }

  async #hosts(): Promise<AttemptOutcomes> {
    const { destination } = this.#reported;
    const [{ dialed }] = this.#one.items;
    const family = familyOf(this.#transport.families);
    const options = { ...this.#aim, dialed, family };
    let last = failedWith('No host could be asked.', false);
    let mayHelp = false;
    for await (const host of remoteHosts(destination, options, this.#ports.resolver)) {
      countHost(host, this.#ports);
      const at = await this.#atHost(host);
      if (at.type === 'answered') return at.outcomes;
      // It has failed for ever only when no host gives hope.
      if (mayHelp && at.outcome.permanent) continue;
      mayHelp ||= !at.outcome.permanent;
      last = at.outcome;
    }
    return allOf(this.#one.items, { ...last, dialed: this.#dialed });
  }

  async #atHost(host: RemoteHost | Unreachable): Promise<AtHost> {
    if (host.type === 'unreachable') {
      reportUnreached(host, this.#reported, this.#ports.tlsResults);
      return { type: 'passed-over', outcome: unreached(host, this.#dialed) };
    }
    const { attempt, transport } = this.#one;
    const startedAt = this.#ports.clock.now();
    const result = await this.#delivered(host);
    const labels = { attempt, transport, tlsmode: tlsModeOf(host.tls) };
    observeDelivery(labels, startedAt, result, this.#ports);
    return this.#judged(host, result);
  }

  #delivered(host: RemoteHost): Promise<DeliveryResult> {
    const { accountId, items } = this.#one;
    const delivery = deliveryOf(accountId, items, this.#ports, this.#signal);
    const connections = {
      open: () => this.#open(host),
      leave: (client: SmtpClient) => void this.#goodbyes.push(client.quit()),
    };
    return deliverOver(connections, { ...delivery, requireTls: host.tls.requireTlsExtension });
  }

  #judged(host: RemoteHost, result: DeliveryResult): AtHost {
    const { items, attempt } = this.#one;
    // What is dialled last is who answers; behind a proxy the connection itself leads elsewhere.
    const ip = this.#dialed.at(-1)?.ip ?? '';
    const remotes = { remote: { host: host.name, ip }, dialed: this.#dialed };
    const isFinal = (error: SmtpClientError): boolean => {
      // Only what a host has said itself may be about the family of the address.
      if (error.code !== 'Refused') return error.permanent;
      const reply = { code: error.replyCode, enhancedCode: error.enhanced, text: '' };
      return error.permanent && isPermanent(reply, attempt, host.dualStack);
    };
    const { failure } = result;
    if (failure?.code === 'NotOffered' && host.tls.requireTlsExtension) {
      this.#ports.metrics.count('queue_requiretls_unsupported_total', { reason: 'norequiretls' });
    }
    if (failure !== undefined && isAboutHost(failure, result)) {
      // What another host may be able to do does not end the attempt.
      const isLast = isFinal(failure) && failure.code !== 'NotOffered';
      if (!isLast) return { type: 'passed-over', outcome: failedBy(failure, remotes, isFinal) };
      return { type: 'answered', outcomes: allOf(items, failedBy(failure, remotes, isFinal)) };
    }
    return { type: 'answered', outcomes: outcomesOf(items, result, remotes, isFinal) };
  }

  /** The addresses of the host in turn, and without TLS where that is right. */
  async #open(host: RemoteHost): Promise<SmtpClient> {
    let failure: SmtpClientError | undefined;
    for (const ip of host.addresses) {
      this.#dialed.push({ host: host.name, ip });
      if (this.#dialed.length > DIALED_TOLD_MAX) this.#dialed.shift();
      const secure = host.tls.mode === 'required' ? 'starttls' : 'opportunistic';
      try {
        return await this.#dial(host, ip, secure);
      } catch (error) {
        if (!(error instanceof SmtpClientError)) throw error;
        if (error.stage === 'tls' && this.#mayGoPlain(host)) return await this.#plain(host, ip);
        if (error.stage !== 'dial') throw error;
        failure = error;
      }
    }
    throw failure ?? new SmtpClientError('CannotConnect', 'No address.', { stage: 'dial' });
  }

  #mayGoPlain({ tls }: RemoteHost): boolean {
    const [{ report }] = this.#one.items;
    return tls.plaintextRetry && report !== 'dmarc';
  }

  #plain(host: RemoteHost, ip: string): Promise<SmtpClient> {
    const { log, metrics } = this.#ports;
    log.info({ host: host.name, ip }, 'TLS failed, going on without');
    metrics.count('queue_plaintext_fallback_total', {});
    if (host.tls.reasons.includes('tls-required-no')) {
      metrics.count('queue_tlsrequiredno_ignored_total', { ignored: 'badtls' });
    }
    return this.#dial(host, ip, 'none');
  }

  #dial(
    host: RemoteHost,
    ip: string,
    security: 'starttls' | 'opportunistic' | 'none',
  ): Promise<SmtpClient> {
    const { tls, addresses } = host;
    const { dialer, clock, random, log, hostName, port, tlsResults } = this.#ports;
    const { proxy } = this.#transport;
    const options = {
      dialer,
      clock,
      random,
      log,
      port,
      host: ip,
      hostName: proxy?.hostName ?? hostName,
      tls: security,
      trust: tlsTrustFor(tls, () => clock.now()),
      timeouts: { connectMs: CONNECT_MS / addresses.length },
      signal: this.#signal,
    };
    const open = (): Promise<SmtpClient> => openReported(options, host, this.#reported, tlsResults);
    return countedConnection(open, this.#ports);
  }
}

function familyOf(families: DirectTransport['families']): 4 | 6 | undefined {
  if (families.length > 1) return undefined;
  return families.includes('ipv4') ? 4 : 6;
}

/** True when no recipient was answered for, and nobody has the message. */
function isAboutHost(failure: SmtpClientError, { recipients }: DeliveryResult): boolean {
  return (
    HOST_STAGES.has(failure.stage) &&
    !failure.mayBeTaken &&
    recipients.every((one) => one.type === 'failed' && one.error === failure)
  );
}

function unreached(
  { permanent, enhanced, reason }: Unreachable,
  dialed: readonly Remote[],
): FailedOutcome {
  return { ...failedWith(reason, permanent, { enhancedCode: enhanced }), dialed };
}
