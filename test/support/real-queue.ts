/**
 * The whole queue with everything real: log, lanes, sockets, DNS over UDP. Only where it dials, and
 * whom it trusts, is the test's.
 */

import { openFolder } from './folder.ts';
import { runDaybook } from './programs.ts';
import { noticePlaces } from './notices.ts';
import { notedMetrics, type NotedMetrics } from './remote-world.ts';
import { silentLog } from './silent-log.ts';
import { temporaryDirectory } from './temporary.ts';
import type { AccountEvent } from '#domain/log/streams';
import type { AttemptFailed, AttemptSucceeded, SendingOptions } from '#domain/queue/events';
import { fixedSchedule } from '#domain/queue/outcome';
import { isRefusal } from '#domain/values/decision';
import { systemClock, systemRandom } from '#infra/clock';
import { openDialer } from '#infra/dialer';
import { openResolver } from '#infra/dns';
import type { Engine } from '#infra/engine';
import { openSocksDialer } from '#infra/socks';
import type { Commands } from '#protocols/ports';
import { remoteAttempts } from '#protocols/smtp/attempt';
import { noticeWriter } from '#protocols/smtp/notices';
import { startRunner } from '#protocols/smtp/runner';
import type { Transport } from '#protocols/smtp/transport';

const ACCOUNT = 1;
const CAUSE = { actor: 'test' };

export interface RealQueueOptions {
  /** Where hosts listen. */
  readonly port: number;
  readonly dnsPort?: number;
  /** All mail goes by it. */
  readonly transport?: Transport;
  /** Milliseconds between attempts. */
  readonly waits?: readonly [number, ...number[]];
  readonly attemptsAtOnce?: number;
  /** Queues mail before anything is tried. */
  readonly before?: (engine: Engine) => Promise<void>;
}

export interface RealQueue extends AsyncDisposable {
  readonly metrics: NotedMetrics;
  queue(recipients: readonly string[], more?: Queued): Promise<void>;
  /** The next ends of attempts, in the order in which they are recorded. */
  ends(count: number): Promise<readonly (AttemptSucceeded | AttemptFailed)[]>;
}

export interface Queued {
  readonly octets?: Buffer;
  readonly mailFrom?: string;
  readonly smtpUtf8?: boolean;
  readonly options?: SendingOptions;
}

const MESSAGE = Buffer.from('Subject: hello\r\n\r\nhello\r\n');

export async function openRealQueue(options: RealQueueOptions): Promise<RealQueue> {
  const directory = await temporaryDirectory();
  const prepared = await runDaybook(['localserve', '--dir', directory.path, '--init-only']);
  if (prepared.code !== 0) throw new Error(prepared.stderr);
  const engine = await openFolder(directory.path);
  await options.before?.(engine);
  const ended: (AttemptSucceeded | AttemptFailed)[] = [];
  const ports = { clock: systemClock, random: systemRandom, log: silentLog, bodies: engine.bodies };
  const resolver = openResolver({
    ...ports,
    servers: [{ ip: '127.0.0.1', port: options.dnsPort ?? 1, trusted: true }],
  });
  const metrics = notedMetrics();
  const schedule = fixedSchedule(options.waits ?? [3_600_000]);
  const settings = remoteAttempts(
    {
      attemptsAtOnce: options.attemptsAtOnce ?? 10,
      attemptsMax: (options.waits?.length ?? 1) + 1,
      schedule,
      transports: new Map(options.transport === undefined ? [] : [['all', options.transport]]),
    },
    {
      ...ports,
      metrics,
      resolver,
      tlsResults: engine.tlsResults,
      hostName: 'out.example.org',
      port: options.port,
      dialer: openDialer(ports),
      socksDialer: (proxy) => openSocksDialer(proxy, ports),
      stsPolicyFor: () => Promise.resolve({ type: 'none' }),
      routeFor: () => (options.transport === undefined ? undefined : 'all'),
      isDisabled: () => false,
    },
  );
  const runner = await startRunner(settings, {
    ...ports,
    commands: watched(engine, (event) => {
      if (event.type === 'AttemptSucceeded' || event.type === 'AttemptFailed') ended.push(event);
    }),
    views: engine.lanes,
    queue: engine.books,
    pause: engine.directory,
    notices: noticeWriter('out.example.org', (attempt) => schedule(attempt, 0), {
      ...ports,
      commands: engine.lanes,
      places: noticePlaces(ACCOUNT),
      metrics,
    }),
  });
  return {
    metrics,
    queue: (recipients, more) => queued(engine, recipients, more),
    async ends(count) {
      const giveUpAt = Date.now() + 30_000;
      while (ended.length < count) {
        if (Date.now() > giveUpAt) throw new Error(`only ${ended.length} attempts have ended`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return ended.splice(0, count);
    },
    async [Symbol.asyncDispose]() {
      await runner.stop();
      resolver.close();
      await engine.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

function watched(engine: Engine, see: (event: AccountEvent) => void): Commands {
  return {
    async execute(accountId, command, cause) {
      const done = await engine.lanes.execute(accountId, command, cause);
      if (!isRefusal(done)) for (const { event } of done.facts) see(event);
      return done;
    },
  };
}

async function queued(
  { bodies, lanes }: Engine,
  recipients: readonly string[],
  { octets = MESSAGE, mailFrom = 'daybook@localhost', smtpUtf8 = false, options }: Queued = {},
): Promise<void> {
  const staged = await bodies.stage(
    (async function* () {
      yield octets;
    })(),
    100_000_000,
  );
  await bodies.link(staged, ACCOUNT);
  await staged.discard();
  const done = await lanes.execute(
    ACCOUNT,
    {
      type: 'QueueMessage',
      mailFrom,
      recipients: recipients.map((recipient) => ({ recipient })),
      body: staged.hash,
      prefix: 'Received: by the test\r\n',
      sizeBytes: octets.length + 23,
      headerId: '<1@localhost>',
      smtpUtf8,
      eightBit: octets.some((octet) => octet > 127),
      ...(options === undefined ? {} : { options }),
    },
    CAUSE,
  );
  if (isRefusal(done)) throw new Error(done.refused);
}
