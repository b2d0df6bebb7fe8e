/**
 * One attempt of the real queue: whether it may be made at all, by which transport it goes, and
 * the schedule of those that follow.
 *
 * Invariants: an attempt ends with an outcome for every item, whatever fails on the way; one that
 * runs when the server stops has a while to come to its end, and then its outcome is unknown.
 */

import type { RetrySchedule } from '#domain/queue/outcome';
import type { Routed } from '#domain/queue/route';
import type { QueueItem } from '#domain/queue/state';
import { domainOf } from '#domain/values/address';
import type { AccountId } from '#domain/values/ids';
import { QUEUE_STOP_MS } from '../limits.ts';
import { allOf, failedWith } from './attempt-outcome.ts';
import { attemptDirectly, type DirectPorts } from './direct-attempt.ts';
import { attemptByRelay, type RelayPorts } from './relay-attempt.ts';
import type { Attempt, Attempted, AttemptOutcomes, RunnerSettings } from './runner.ts';
import { DIRECT, type FailTransport, type SocksProxy, type Transport } from './transport.ts';

export interface RemoteSettings {
  readonly attemptsAtOnce: number;
  readonly attemptsMax: number;
  readonly schedule: RetrySchedule;
  /** By name. */
  readonly transports: ReadonlyMap<string, Transport>;
}

export interface RemotePorts extends RelayPorts, DirectPorts {
  /** The name of the transport that the routes choose; undefined is direct delivery. */
  readonly routeFor: (accountId: AccountId, routed: Routed) => string | undefined;
  /** The domain is one of ours, and its mail is to wait. */
  readonly isDisabled: (domain: string) => boolean;
  readonly socksDialer: (proxy: SocksProxy) => DirectPorts['dialer'];
}

/** Said of every item; nobody was asked. */
const DISABLED = failedWith('The domain of the sender is temporarily disabled.', false);
/** Nobody knows how far it had come. */
const OUR_FAILURE = {
  ...failedWith('Something failed on our side; the message may have been taken.', false),
  mayBeTaken: true,
};
/** RFC 5321 §4.5.3.1.8: so many recipients every server takes at once. */
const ITEMS_PER_ATTEMPT = 100;
const DRAW_RANGE: number = 2 ** 32;

/** Mail goes out to the world. */
export function remoteAttempts(settings: RemoteSettings, ports: RemotePorts): RunnerSettings {
  const { attemptsAtOnce, attemptsMax, schedule, transports } = settings;
  const draw = (): number => ports.random.bytes(4).readUInt32BE(0) / DRAW_RANGE;
  return {
    attemptsAtOnce,
    // A host that is asked by many at once takes mail from none of them.
    attemptsPerDestination: 1,
    itemsPerAttempt: ITEMS_PER_ATTEMPT,
    attemptsMax,
    nextAttemptAt: (attempt) => ports.clock.now() + schedule(attempt, draw()),
    transportFor: (accountId, item) => transportFor(accountId, item, ports),
    attempt: (one, stop) => attempted(one, transports, ports, stop),
  };
}

function transportFor(
  accountId: AccountId,
  item: QueueItem,
  { routeFor }: Pick<RemotePorts, 'routeFor'>,
): string {
  if (item.transport !== '') return item.transport;
  const routed = {
    fromDomain: nameOf(item.mailFrom),
    toDomain: nameOf(item.recipient),
    attempts: item.attempts,
  };
  return routeFor(accountId, routed) ?? '';
}

/** '' for the null reverse-path and for an address literal: neither has a name. */
function nameOf(address: string): string {
  const domain = domainOf(address);
  return domain.startsWith('[') ? '' : domain;
}

/** Undefined when it was cut short because the server stops. */
async function attempted(
  one: Attempt,
  transports: ReadonlyMap<string, Transport>,
  ports: RemotePorts,
  stop: AbortSignal,
): Promise<Attempted | undefined> {
  const { items, attempt: number, transport } = one;
  const patience = patienceWith(stop, ports);
  try {
    const made = await attempt(one, transports, ports, patience.signal);
    const isCut = patience.signal.aborted && !someDelivered(made.outcomes);
    return isCut ? undefined : made;
  } catch (err) {
    const [{ queueId }] = items;
    ports.log.error({ queueId, attempt: number, transport, err }, 'attempt broke');
    return { outcomes: allOf(items, OUR_FAILURE) };
  } finally {
    patience.end();
  }
}

function someDelivered(outcomes: AttemptOutcomes): boolean {
  return [...outcomes.values()].some(({ type }) => type === 'delivered');
}

/** A signal that comes a while after another one. */
function patienceWith(
  stop: AbortSignal,
  { clock }: RemotePorts,
): { readonly signal: AbortSignal; readonly end: () => void } {
  const control = new AbortController();
  let cancel: () => void = () => undefined;
  const onStop = (): void => {
    cancel = clock.after(QUEUE_STOP_MS, () => control.abort());
  };
  stop.addEventListener('abort', onStop, { once: true });
  if (stop.aborted) onStop();
  const end = (): void => {
    stop.removeEventListener('abort', onStop);
    cancel();
  };
  return { signal: control.signal, end };
}

async function attempt(
  one: Attempt,
  transports: ReadonlyMap<string, Transport>,
  ports: RemotePorts,
  signal: AbortSignal,
): Promise<Attempted> {
  const { items, transport: name } = one;
  if (ports.isDisabled(nameOf(items[0].mailFrom))) return { outcomes: allOf(items, DISABLED) };
  const transport = name === '' ? DIRECT : transports.get(name);
  switch (transport?.type) {
    case undefined:
      return { outcomes: allOf(items, failedWith(`There is no transport ${name}.`, false)) };
    case 'fail':
      return { outcomes: allOf(items, failedBy(transport)) };
    case 'relay':
      return await attemptByRelay(transport, one, ports, signal);
    case 'direct': {
      const { proxy } = transport;
      const dialer = proxy === undefined ? ports.dialer : ports.socksDialer(proxy);
      return await attemptDirectly(transport, one, { ...ports, dialer }, signal);
    }
  }
}

/** The same attempts, but a transport that fails is heeded before them. */
export function failingFirst(
  settings: RunnerSettings,
  transports: RemoteSettings['transports'],
  routing: Pick<RemotePorts, 'routeFor'>,
): RunnerSettings {
  return {
    ...settings,
    transportFor: (accountId, item) => transportFor(accountId, item, routing),
    attempt: async (one, stop) => {
      const transport = transports.get(one.transport);
      if (transport?.type !== 'fail') return await settings.attempt(one, stop);
      return { outcomes: allOf(one.items, failedBy(transport)) };
    },
  };
}

function failedBy({ code, text }: FailTransport): ReturnType<typeof failedWith> {
  const enhancedCode = `${Math.floor(code / 100)}.7.0`;
  return failedWith(text, code >= 500, { code, enhancedCode });
}
