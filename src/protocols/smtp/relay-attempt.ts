/**
 * An attempt by way of one server that takes all our mail: a smarthost, or a submission server.
 *
 * Invariants: no look-ups, no policies: who the server is stands in the configuration; mail that
 * requires TLS goes to a server that has proven who it is, or not at all.
 */

import type { QueueItem } from '#domain/queue/state';
import type { ClientKey, Dialer } from '../ports.ts';
import { allOf, failedBy, failedWith, outcomesOf } from './attempt-outcome.ts';
import { countedConnection, observeDelivery } from './attempt-metrics.ts';
import { openSmtpClient } from './client.ts';
import type { DeliveryResult } from './client-delivery.ts';
import { SmtpClientError } from './client-error.ts';
import { STRONG_MECHANISMS } from './client-login.ts';
import type { SmtpClient } from './client-session.ts';
import { deliveryOf, type SendingPorts } from './sending.ts';
import type { Attempt, Attempted } from './runner.ts';
import type { RelayAuth, RelayTransport } from './transport.ts';

export interface RelayPorts extends SendingPorts {
  readonly dialer: Dialer;
}

/** A minute, and a second more for each MiB. */
const RELAY_MS = 60_000;
const MEBIBYTE: number = 1024 * 1024;

export async function attemptByRelay(
  transport: RelayTransport,
  one: Attempt,
  ports: RelayPorts,
  signal: AbortSignal,
): Promise<Attempted> {
  const { items, attempt } = one;
  const [first] = items;
  // RFC 8689 §4.2.1
  if (first.requireTls === true && (transport.tls === 'none' || transport.anyCertificate)) {
    const text = 'The transport does not verify TLS, which the message requires.';
    const reply = { code: 554, enhancedCode: '5.7.30' };
    return { outcomes: allOf(items, failedWith(text, true, reply)) };
  }
  const startedAt = ports.clock.now();
  const { result, client } = await delivered(transport, one, ports, signal);
  const tlsmode = TLS_MODES[transport.tls];
  observeDelivery({ attempt, transport: one.transport, tlsmode }, startedAt, result, ports);
  const remote = { host: transport.host, ip: client?.remoteIp ?? '' };
  const outcomes =
    result.recipients.length === 0 && result.failure !== undefined
      ? allOf(items, failedBy(result.failure, { remote }, isFinal))
      : outcomesOf(items, result, { remote });
  return client === undefined ? { outcomes } : { outcomes, goodbye: client.quit() };
}

const TLS_MODES = { implicit: 'immediate', starttls: 'requiredstarttls', none: 'skip' } as const;

async function delivered(
  transport: RelayTransport,
  { accountId, items }: Attempt,
  ports: RelayPorts,
  signal: AbortSignal,
): Promise<{ readonly result: DeliveryResult; readonly client?: SmtpClient }> {
  let client: SmtpClient | undefined;
  try {
    client = await countedConnection(() => openRelay(transport, items[0], ports, signal), ports);
    if (transport.auth !== undefined) await logIn(client, transport.auth, signal);
    const delivery = deliveryOf(accountId, items, ports, signal);
    return { result: await client.deliver({ ...delivery, strict8bit: true }), client };
  } catch (failure) {
    if (!(failure instanceof SmtpClientError)) throw failure;
    const result = { recipients: [], failure };
    return client === undefined ? { result } : { result, client };
  }
}

/** A password can be put right before the next attempt: what it refuses is not the message. */
function isFinal({ permanent, stage, code }: SmtpClientError): boolean {
  return permanent && !(stage === 'auth' && code === 'Refused');
}

function openRelay(
  { host, port, tls, anyCertificate, clientKey }: RelayTransport,
  { sizeBytes }: QueueItem,
  { dialer, clock, random, log, hostName }: RelayPorts,
  signal: AbortSignal,
): Promise<SmtpClient> {
  const key: { readonly clientKey?: ClientKey } = clientKey === undefined ? {} : { clientKey };
  return openSmtpClient({
    dialer,
    clock,
    random,
    log,
    host,
    port,
    hostName,
    tls,
    trust: anyCertificate ? { anyCertificate: true } : {},
    ...key,
    timeouts: { deliveryMs: RELAY_MS + Math.ceil(sizeBytes / MEBIBYTE) * 1000 },
    signal,
  });
}

async function logIn(
  client: SmtpClient,
  { login, password, mechanisms = STRONG_MECHANISMS }: RelayAuth,
  signal: AbortSignal,
): Promise<void> {
  await client.authenticate({ login, password, mechanisms, signal });
}
