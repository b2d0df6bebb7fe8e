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
import type { SmtpClientError } from './client-error.ts';
import { STRONG_MECHANISMS } from './client-login.ts';
import type { SmtpClient } from './client-session.ts';
import { deliveryOf, type SendingPorts } from './sending.ts';
import { deliverOver, type Connections } from './several-connections.ts';
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
  const { result, ip, goodbye } = await delivered(transport, one, ports, signal);
  const tlsmode = TLS_MODES[transport.tls];
  observeDelivery({ attempt, transport: one.transport, tlsmode }, startedAt, result, ports);
  const remote = { host: transport.host, ip };
  const outcomes =
    result.recipients.length === 0 && result.failure !== undefined
      ? allOf(items, failedBy(result.failure, { remote }, isFinal))
      : outcomesOf(items, result, { remote });
  return { outcomes, goodbye };
}

const TLS_MODES = { implicit: 'immediate', starttls: 'requiredstarttls', none: 'skip' } as const;

interface Delivered {
  readonly result: DeliveryResult;
  /** Of the relay; '' when it was not reached. */
  readonly ip: string;
  readonly goodbye: Promise<void>;
}

async function delivered(
  transport: RelayTransport,
  { accountId, items }: Attempt,
  ports: RelayPorts,
  signal: AbortSignal,
): Promise<Delivered> {
  const { auth } = transport;
  const goodbyes: Promise<void>[] = [];
  let ip = '';
  const connections: Connections = {
    open: () => countedConnection(() => openRelay(transport, items[0], ports, signal), ports),
    ...(auth === undefined ? {} : { ready: (client) => logIn(client, auth, signal) }),
    leave: (client) => {
      ip = client.remoteIp;
      goodbyes.push(client.quit());
    },
  };
  const delivery = deliveryOf(accountId, items, ports, signal);
  const result = await deliverOver(connections, { ...delivery, strict8bit: true });
  return { result, ip, goodbye: Promise.all(goodbyes).then(() => undefined) };
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
