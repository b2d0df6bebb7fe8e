/**
 * Puts together the queue: its notices, and who delivers what is due, on this machine or in the
 * world.
 */

import path from 'node:path';
import { isOpenAccount, postmasterAccount, routedTransport } from '#domain/directory/state';
import {
  ATTEMPTS_MAX,
  doublingSchedule,
  fixedSchedule,
  type RetrySchedule,
} from '#domain/queue/outcome';
import { systemClock, systemRandom } from '#infra/clock';
import type { LoadedConfig } from '#infra/config';
import type { QueueConfig } from '#infra/config-schema';
import { openDialer } from '#infra/dialer';
import { openResolver } from '#infra/dns';
import { readDnsServers } from '#infra/dns-servers';
import type { Engine } from '#infra/engine';
import { openFetch } from '#infra/fetch';
import { openSocksDialer } from '#infra/socks';
import { sourceIpsOf } from '#infra/source-ips';
import { openStsCache } from '#infra/sts-cache';
import type { Log } from '#protocols/ports';
import type { Metrics } from '#protocols/ports-metrics';
import type { TlsResults } from '#protocols/ports-remote';
import { failingFirst, remoteAttempts } from '#protocols/smtp/attempt';
import { localAttempts, localWaits } from '#protocols/smtp/local-attempt';
import { noticeWriter, type NoticeWriter } from '#protocols/smtp/notices';
import { startRunner, type Runner, type RunnerSettings } from '#protocols/smtp/runner';
import { stsPolicyFor } from '#protocols/trust/sts-policies';
import { startStsRefresh } from '#protocols/trust/sts-refresh';
import { transportsOf } from './compose-transports.ts';

export interface QueueParts {
  readonly engine: Engine;
  readonly loaded: LoadedConfig;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface RunningQueue {
  readonly notices: NoticeWriter;
  stop(): Promise<void>;
}

const SMTP_PORT = 25;
const ATTEMPTS_AT_ONCE = 10;
const FORGOTTEN: TlsResults = { record: () => undefined };

/** Everything comes back into the account that it is from, unless its transport is to fail. */
export async function startLocalQueue(parts: QueueParts): Promise<RunningQueue> {
  const { engine, loaded } = parts;
  const { bodies, directory } = engine;
  const local = localAttempts(loaded.config.Hostname, { bodies, directory, clock: systemClock });
  const settings = failingFirst(local, await transportsOf(loaded), routingOf(engine));
  const notices = noticesWith(localWaits, parts);
  const runner = await started(settings, notices, parts);
  return { notices, stop: () => runner.stop() };
}

/** Mail goes where its recipients are. */
export async function startRemoteQueue(parts: QueueParts): Promise<RunningQueue> {
  const { engine, loaded, metrics } = parts;
  const log = parts.log.child({ pkg: 'queue' });
  const ports = { clock: systemClock, random: systemRandom, log };
  const transports = await transportsOf(loaded);
  const resolver = openResolver({ ...ports, servers: await readDnsServers() });
  const fetch = openFetch({ ...ports, resolver });
  const { DataDir, Queue = {}, Hostname, NoOutgoingTLSReports } = loaded.config;
  const cache = await openStsCache(path.join(loaded.pathOf(DataDir), 'mta-sts'));
  const sts = { ...ports, resolver, fetch, cache };
  const { schedule, attemptsMax } = scheduleOf(Queue);
  const settings = remoteAttempts(
    {
      attemptsAtOnce: Queue.AttemptsAtOnce ?? ATTEMPTS_AT_ONCE,
      attemptsMax,
      schedule,
      transports,
    },
    {
      ...ports,
      metrics,
      tlsResults: NoOutgoingTLSReports === true ? FORGOTTEN : engine.tlsResults,
      resolver,
      bodies: engine.bodies,
      hostName: Hostname,
      port: SMTP_PORT,
      dialer: openDialer({ ...ports, sourceIps: sourceIpsOf(loaded.config.Listeners) }),
      socksDialer: (proxy) => openSocksDialer(proxy, ports),
      stsPolicyFor: (domain, signal) => stsPolicyFor(domain, sts, signal),
      isDisabled: (domain) => engine.directory.state.disabledDomains.has(domain),
      ...routingOf(engine),
    },
  );
  // Without chance: in the middle of what chance makes of it.
  const notices = noticesWith((attempt) => schedule(attempt, 0.5), parts);
  const runner = await started(settings, notices, parts);
  const refresh = startStsRefresh(sts);
  return {
    notices,
    async stop() {
      await Promise.all([runner.stop(), refresh.stop()]);
      resolver.close();
    },
  };
}

function routingOf({ directory }: Engine): Pick<Parameters<typeof remoteAttempts>[1], 'routeFor'> {
  return {
    routeFor: (accountId, routed) => routedTransport(directory.state, accountId, routed),
  };
}

function noticesWith(
  waitAfter: (attempt: number) => number,
  { engine, loaded, log, metrics }: QueueParts,
): NoticeWriter {
  const { bodies, directory, lanes } = engine;
  return noticeWriter(loaded.config.Hostname, waitAfter, {
    bodies,
    commands: lanes,
    places: {
      postmaster: () => postmasterAccount(directory.state),
      hasAccount: (accountId) => isOpenAccount(directory.state, accountId),
    },
    metrics,
    clock: systemClock,
    random: systemRandom,
    log: log.child({ pkg: 'queue' }),
  });
}

function started(
  settings: RunnerSettings,
  notices: NoticeWriter,
  { engine, log }: QueueParts,
): Promise<Runner> {
  return startRunner(settings, {
    commands: engine.lanes,
    views: engine.lanes,
    queue: engine.books,
    pause: engine.directory,
    notices,
    clock: systemClock,
    log: log.child({ pkg: 'queue' }),
  });
}

function scheduleOf({ RetryWaits }: QueueConfig): {
  readonly schedule: RetrySchedule;
  readonly attemptsMax: number;
} {
  if (RetryWaits === undefined) return { schedule: doublingSchedule, attemptsMax: ATTEMPTS_MAX };
  const [first, ...others] = RetryWaits;
  const schedule = fixedSchedule([first * 1000, ...others.map((seconds) => seconds * 1000)]);
  return { schedule, attemptsMax: RetryWaits.length + 1 };
}
