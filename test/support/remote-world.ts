/**
 * Outgoing mail in memory: the real attempts between a queue and hosts that follow scripts, in a
 * DNS that is a map.
 */

import assert from 'node:assert/strict';
import { fakeClock, fakeRandom, type FakeClock } from './clock.ts';
import { fakeResolver, type Zone } from './dns.ts';
import { FakeHosts, type HostScript } from './fake-hosts.ts';
import { QueueWorld } from './queue-world.ts';
import { silentLog } from './silent-log.ts';
import { ALICE, MemoryBodies } from './smtp.ts';
import { notedTlsResults, type NotedTlsResults } from './tls-results.ts';
import type { AttemptOutcome } from '#domain/queue/attempts';
import { ATTEMPTS_MAX, doublingSchedule } from '#domain/queue/outcome';
import type { QueueItem } from '#domain/queue/state';
import type { Counts, Durations, Metrics } from '#protocols/ports-metrics';
import { remoteAttempts, type RemotePorts } from '#protocols/smtp/attempt';
import { attemptDirectly } from '#protocols/smtp/direct-attempt';
import type { Attempt } from '#protocols/smtp/runner';
import { DIRECT, type Transport } from '#protocols/smtp/transport';

export interface NotedMetrics extends Metrics {
  /** Names with the values of their labels. */
  readonly counted: string[];
  readonly observed: (Durations[keyof Durations] & { readonly ms: number })[];
}

export function notedMetrics(): NotedMetrics {
  const counted: string[] = [];
  const observed: NotedMetrics['observed'] = [];
  return {
    counted,
    observed,
    count: <Name extends keyof Counts>(name: Name, labels: Counts[Name]) =>
      void counted.push([name, ...Object.values(labels)].join(' ')),
    observe: (_, labels, ms) => void observed.push({ ...labels, ms }),
  };
}

export interface RemoteOptions {
  readonly zones?: Readonly<Record<string, Zone>>;
  readonly hosts?: Readonly<Record<string, HostScript>>;
  readonly transports?: Readonly<Record<string, Transport>>;
  readonly ports?: Partial<RemotePorts>;
}

/** `there.example` has one host, at 192.0.2.1. */
export const THERE: Readonly<Record<string, Zone>> = {
  'there.example': { MX: [{ preference: 10, exchange: 'mx.there.example' }] },
  'mx.there.example': { A: ['192.0.2.1'], insecure: true },
};

export interface Remote {
  readonly hosts: FakeHosts;
  readonly metrics: NotedMetrics;
  readonly tlsResults: NotedTlsResults;
  readonly ports: RemotePorts;
  readonly transports: ReadonlyMap<string, Transport>;
}

function remotePorts(
  { clock, bodies }: { readonly clock: FakeClock; readonly bodies: MemoryBodies },
  { zones = THERE, hosts: scripts = { '192.0.2.1': {} }, transports = {}, ports }: RemoteOptions,
): Remote {
  const hosts = new FakeHosts(scripts);
  const metrics = notedMetrics();
  const tlsResults = notedTlsResults();
  return {
    hosts,
    metrics,
    tlsResults,
    transports: new Map(Object.entries(transports)),
    ports: {
      bodies,
      clock,
      random: fakeRandom(),
      log: silentLog,
      metrics,
      tlsResults,
      hostName: 'mail.example.org',
      port: 25,
      dialer: hosts.dialer,
      resolver: fakeResolver(zones),
      stsPolicyFor: () => Promise.resolve({ type: 'none' }),
      routeFor: () => undefined,
      isDisabled: () => false,
      socksDialer: () => hosts.dialer,
      ...ports,
    },
  };
}

/** A queue whose mail goes to the scripted hosts. */
export async function openRemoteWorld(
  options: RemoteOptions = {},
): Promise<{ readonly world: QueueWorld } & Remote> {
  const world = new QueueWorld();
  const remote = remotePorts(world, options);
  const settings = remoteAttempts(
    {
      attemptsAtOnce: 10,
      attemptsMax: ATTEMPTS_MAX,
      schedule: doublingSchedule,
      transports: remote.transports,
    },
    remote.ports,
  );
  await world.start(settings, (attempt) => doublingSchedule(attempt, 0.5));
  return { world, ...remote };
}

const MESSAGE = Buffer.from('Subject: hi\r\n\r\nhello\r\n');
const HASH = 'ab'.repeat(32);

/** Attempts without a queue around them. */
export function attemptWorld(options: RemoteOptions = {}): Remote & { readonly clock: FakeClock } {
  const clock = fakeClock();
  const bodies = new MemoryBodies();
  bodies.linked.set(`${ALICE}/${HASH}`, MESSAGE);
  return { clock, ...remotePorts({ clock, bodies }, options) };
}

/** An attempt of alice at the recipients. */
export function attemptAt(
  recipients: readonly [string, ...string[]],
  more: Partial<QueueItem> = {},
  transport = '',
): Attempt {
  const [first, ...others] = recipients.map((recipient, i): QueueItem => ({
    queueId: i + 1,
    baseId: 1,
    recipient,
    mailFrom: 'alice@example.org',
    headerId: '<1@example.org>',
    body: HASH,
    prefix: '',
    sizeBytes: MESSAGE.length,
    smtpUtf8: false,
    eightBit: false,
    queuedAt: 0,
    transport,
    requireTls: null,
    nextAttemptAt: 0,
    lastAttemptAt: null,
    attempts: 1,
    inAttempt: true,
    isHeld: false,
    canceling: null,
    dialed: [],
    ...more,
  }));
  if (first === undefined) throw new Error('an attempt is at somebody');
  return { accountId: ALICE, items: [first, ...others], attempt: first.attempts, transport };
}

export type AttemptWorld = ReturnType<typeof attemptWorld>;

export async function outcomesAt(
  world: AttemptWorld,
  one: Attempt,
): Promise<readonly AttemptOutcome[]> {
  const signal = new AbortController().signal;
  const { outcomes, goodbye } = await attemptDirectly(DIRECT, one, world.ports, signal);
  await goodbye;
  return one.items.map(({ queueId }) => outcomes.get(queueId) as AttemptOutcome);
}

/** The outcome for one recipient at there.example. */
export async function sentAlone(
  options: RemoteOptions = {},
  more: Parameters<typeof attemptAt>[1] = {},
): Promise<{ readonly outcome: AttemptOutcome; readonly world: AttemptWorld }> {
  const world = attemptWorld(options);
  const [outcome] = await outcomesAt(world, attemptAt(['bob@there.example'], more));
  assert.ok(outcome);
  return { outcome, world };
}

/** A host that answers these commands, or verbs, so. */
export function answering(
  answers: Readonly<Record<string, string>>,
  more: HostScript = {},
): HostScript {
  const answer = (command: string): string | undefined =>
    answers[command] ?? answers[command.slice(0, 4)];
  return { ...more, answer };
}

/** Hosts a (192.0.2.1, preference 10) and b (192.0.2.2, preference 20). */
export const TWO: Readonly<Record<string, Zone>> = {
  'there.example': {
    MX: [
      { preference: 20, exchange: 'b.there.example' },
      { preference: 10, exchange: 'a.there.example' },
    ],
  },
  'a.there.example': { A: ['192.0.2.1'], insecure: true },
  'b.there.example': { A: ['192.0.2.2'], insecure: true },
};

export function twoHosts(a: HostScript, b: HostScript = {}): RemoteOptions {
  return { zones: TWO, hosts: { '192.0.2.1': a, '192.0.2.2': b } };
}
