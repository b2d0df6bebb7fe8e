/**
 * The only place that knows every room: configuration → log → views → lanes → ports → servers.
 *
 * What is opened is closed in reverse, also when opening fails half-way.
 */

import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { domainToASCII } from 'node:url';
import type { RecordedEvent } from '#domain/log/event';
import { accountNamed, accountOfLogin } from '#domain/directory/state';
import { parseAddress } from '#domain/values/address';
import { accountsIn } from '#infra/accounts-in-log';
import { systemClock, systemRandom } from '#infra/clock';
import {
  BadConfig,
  localConfig,
  readConfig,
  readDataDir,
  writeConfig,
  type LoadedConfig,
} from '#infra/config';
import { dialControl } from '#infra/control-socket';
import { openEngine, type Engine } from '#infra/engine';
import { openLog, type LogLevel, type OpenLog } from '#infra/log';
import { openLogins, type OpenLogins } from '#infra/logins';
import { openMetrics, type OpenMetrics } from '#infra/metrics';
import { openRates } from '#infra/rates';
import { renumberMailboxes } from '#infra/renumber';
import { tailEventLog } from '#infra/tail';
import { keepExpungedMs, startRetention } from '#infra/retention';
import { verifyEngine } from '#infra/verify';
import { queueCounts } from '#projections/queue-counts';
import { webhookCount } from '#projections/webhook-lists';
import { isLoopbackAddress } from '#protocols/cli/flags';
import { makeFirstAccount } from '#protocols/cli/first-account';
import type {
  Listening,
  LocalServerOptions,
  RunningServer,
  ServerOptions,
  Store,
  TailOptions,
} from '#protocols/cli/openers';
import { readFacts } from '#protocols/message/facts';
import { hmacMd5States } from '#protocols/sasl/md5';
import { prepareLogin, preparePassword } from '#protocols/sasl/prepare';
import { startControl } from './compose-control.ts';
import { startDirectoryDesk } from './compose-directory.ts';
import {
  startLocalQueue,
  startRemoteQueue,
  type QueueParts,
  type RunningQueue,
} from './compose-queue.ts';
import { readerOf } from './compose-reading.ts';
import { startWebhooks } from './compose-webhooks.ts';
import { certificateOf, endpointsOf, metricsEndpoints, type ServerPorts } from './endpoints.ts';

/** Facts are durable that could not be posted; the next start does it. */
const FATAL_EXIT_CODE = 70;

type Closer = () => Promise<void> | void;

function configFile(dir: string): string {
  return path.join(dir, 'config', 'daybook.yaml');
}

/** Makes keys, the first account and, last of all, the configuration. True when it did. */
export async function prepareLocal(options: LocalServerOptions): Promise<boolean> {
  const file = configFile(options.dir);
  if (existsSync(file)) return false;
  const config = localConfig(options.ip ?? '127.0.0.1');
  const loaded: LoadedConfig = {
    path: file,
    config,
    pathOf: (relative) => path.resolve(path.dirname(file), relative),
  };
  const log = openLog({ level: 'warn' });
  const engine = await engineOf(loaded, log);
  try {
    await certificateOf(loaded, addressesOf(loaded, options));
    const logins = await loginsOf(engine);
    await makeFirstAccount({
      directory: (command, cause) => engine.directory.execute(command, cause),
      account: (accountId, command, cause) => engine.lanes.execute(accountId, command, cause),
      addDkimKey: (domain, wanted, cause) => engine.dkimKeys.add(domain, wanted, cause),
      accountNamed: (name) => accountNamed(engine.directory.state, name)?.accountId,
      storePassword: async (password) => {
        const stored = await logins.storePassword(password);
        if (stored.type !== 'stored') throw new Error('the local password is not acceptable');
        return stored.secret;
      },
    });
  } finally {
    await engine.close();
  }
  await writeConfig(file, config);
  return true;
}

/** Everything on loopback. */
export async function openLocalServer(options: LocalServerOptions): Promise<RunningServer> {
  const loaded = readConfig(configFile(options.dir));
  addressesOf(loaded, options);
  const onlyAt = options.ip === undefined ? {} : { onlyAt: [options.ip] };
  const local = { startQueue: startLocalQueue, isLocal: true, ...onlyAt };
  return await openServer(loaded, { ...options, ...local });
}

/** For the world, as the configuration says. */
export async function openWorldServer(options: ServerOptions): Promise<RunningServer> {
  const loaded = readConfig(configFile(options.dir));
  const world = { startQueue: startRemoteQueue, isLocal: false, limits: true };
  return await openServer(loaded, { ...options, ...world });
}

interface HowToServe extends ServerOptions {
  readonly startQueue: (parts: QueueParts) => Promise<RunningQueue>;
  /** Mail is neither judged nor sent away. */
  readonly isLocal: boolean;
  readonly limits: boolean;
  /** Addresses instead of those of the listeners. */
  readonly onlyAt?: readonly string[];
}

async function openServer(loaded: LoadedConfig, options: HowToServe): Promise<RunningServer> {
  const { config } = loaded;
  const dataDir = dataDirOf(loaded);
  const transports = Object.keys(config.Transports ?? {});
  const log = openLog({ level: (options.logLevel ?? config.LogLevel) as LogLevel });
  const closers: Closer[] = [() => log.close()];
  const stop = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const engine = await engineOf(loaded, log);
    closers.push(() => engine.close());
    const { pausedFor } = engine.directory.state;
    if (pausedFor !== null) log.warn({ reason: pausedFor }, 'delivery is paused');
    const retention = startRetention(engine, config, {
      log: log.child({ pkg: 'retention' }),
      fatal: (error) => giveUp(log, error),
    });
    closers.push(() => retention.stop());
    const logins = await loginsOf(engine);
    const rates = openRates({
      clock: systemClock,
      limits: config.RateLimits,
      off: !options.limits,
    });
    const metrics = metricsOf(engine, transports);
    const reader = readerOf(engine, dataDir);
    closers.push(() => reader.close());
    const webhooks = await startWebhooks({ engine, reader, log, metrics });
    closers.push(() => webhooks.stop());
    const queue = await options.startQueue({ engine, loaded, log, metrics });
    closers.push(() => queue.stop());
    const { notices } = queue;
    const desk = await startDirectoryDesk({ engine, dataDir, logins, notices, log });
    closers.push(() => desk.stop());
    const { isLocal, onlyAt } = options;
    const ports = portsOf(engine, { reader, logins, rates });
    const endpoints = await endpointsOf({ loaded, ports, log, isLocal, onlyAt });
    const listeners: { stop(): void; close(): Promise<void> }[] = [];
    closers.push(
      () => closeAll(listeners),
      () => closeAll(endpoints),
      () => listeners.forEach((listener) => listener.stop()),
    );
    const control = { engine, dataDir, transports, queue, webhooks, desk, reader, log };
    closers.push(await startControl(control));
    const listening: Listening[] = [];
    for (const endpoint of [...endpoints, ...metricsEndpoints(loaded, metrics, log, onlyAt)]) {
      for (const host of endpoint.hosts) {
        const listener = await endpoint.listen(host);
        listeners.push(listener);
        const { service, tls } = endpoint;
        listening.push({ service, host, port: listener.port, tls });
      }
    }
    return { listening, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function closeAll(parts: readonly { close(): Promise<void> }[]): Promise<void> {
  await Promise.all(parts.map((part) => part.close()));
}

function metricsOf(engine: Engine, transports: readonly string[]): OpenMetrics {
  return openMetrics({
    transports,
    queue: (now) => engine.books.read((sql) => queueCounts(sql, now)),
    webhooks: () => engine.books.read(webhookCount),
    isPaused: () => engine.directory.isPaused(),
    clock: systemClock,
  });
}

function portsOf(
  engine: Engine,
  others: Pick<ServerPorts, 'reader' | 'logins' | 'rates'>,
): ServerPorts {
  return {
    commands: engine.lanes,
    views: engine.lanes,
    changes: engine.live,
    settings: engine.accounts,
    bodies: engine.bodies,
    texts: engine.texts,
    directory: engine.directory,
    signing: engine.dkimKeys,
    attempts: engine.audit,
    ...others,
    clock: systemClock,
    random: systemRandom,
  };
}

/** A connection to the server that runs on the folder. */
export function openControl(dir: string): Promise<Duplex> {
  return dialControl(readDataDir(configFile(dir)));
}

/** The data directory without a server on it. */
export async function openStore(dir: string): Promise<Store> {
  const loaded = readConfig(configFile(dir));
  const log = openLog({ level: 'warn' });
  const engine = await engineOf(loaded, log);
  return {
    async *rebuild() {
      for (const accountId of await accountsIn(engine.eventLog)) {
        const start = systemClock.now();
        const events = await engine.lanes.rebuild(accountId);
        const milliseconds = systemClock.now() - start;
        yield { account: `account ${accountId}`, events, milliseconds };
        if (engine.texts === undefined) continue;
        const began = systemClock.now();
        const texts = await engine.texts.rebuild(accountId);
        yield { account: `account ${accountId}`, texts, milliseconds: systemClock.now() - began };
      }
      const start = systemClock.now();
      const events = await engine.books.rebuild();
      yield { account: 'server', events, milliseconds: systemClock.now() - start };
    },
    renumber: (account) => renumberMailboxes(engine, account),
    verify: (note) => verifyEngine(engine, log, note),
    async close() {
      await engine.close();
      log.close();
    },
  };
}

/** Events of a data directory, beside whoever writes them. */
export function tailLog(
  dir: string,
  options: TailOptions,
  signal: AbortSignal,
): AsyncIterable<RecordedEvent> {
  const { config, pathOf } = readConfig(configFile(dir));
  return tailEventLog(pathOf(config.DataDir), options, signal);
}

function dataDirOf({ config, pathOf }: LoadedConfig): string {
  return pathOf(config.DataDir);
}

function engineOf(loaded: LoadedConfig, log: OpenLog): Promise<Engine> {
  const { config, pathOf } = loaded;
  return openEngine({
    dataDir: dataDirOf(loaded),
    secretsKeyFile: pathOf(config.SecretsKeyFile),
    log,
    readFacts,
    textReader:
      config.NoTextIndex === true ? undefined : import.meta.resolve('#protocols/message/text'),
    keepExpungedMs: keepExpungedMs(config),
    fatal: (error) => giveUp(log, error),
  });
}

function giveUp(log: OpenLog, error: unknown): never {
  log.error({ err: error }, 'the server cannot carry on');
  process.exit(FATAL_EXIT_CODE);
}

function loginsOf(engine: Engine): Promise<OpenLogins> {
  return openLogins({
    secrets: engine.secrets,
    clock: systemClock,
    random: systemRandom,
    prepare: { login: prepareLogin, password: preparePassword },
    cramMd5StatesOf: (password) => hmacMd5States(Buffer.from(password)),
    lookupKey: (fingerprint) => engine.tlsKeys.holder(fingerprint),
    lookup: (login) => {
      const address = parseAddress(login, domainToASCII);
      if (address === undefined) return undefined;
      const { state } = engine.directory;
      const accountId = accountOfLogin(state, address.localpart, address.domain);
      if (accountId === undefined) return undefined;
      return { accountId, login, ...engine.books.credentials(accountId) };
    },
  });
}

/** Loopback only: everybody knows the password. */
function addressesOf({ config, path: file }: LoadedConfig, { ip }: LocalServerOptions): string[] {
  if (ip !== undefined) return [ip];
  const addresses = Object.values(config.Listeners).flatMap(({ IPs }) => IPs);
  const foreign = addresses.find((address) => !isLoopbackAddress(address));
  if (foreign === undefined) return [...new Set(addresses)];
  throw new BadConfig(`${file}: ${foreign} is not a loopback address; localserve needs one`);
}
