/**
 * The queue of a folder at work until nothing is left in it, or until it kills itself at one point
 * of an attempt.
 *
 * Arguments: the folder, the port where all mail goes, how many messages to queue before, the point
 * and how often it is passed before the kill. Says on standard output what it has queued.
 */

import { writeSync } from 'node:fs';
import { isRefusal } from '#domain/values/decision';
import { fixedSchedule } from '#domain/queue/outcome';
import { systemClock, systemRandom } from '#infra/clock';
import { openDialer } from '#infra/dialer';
import { queueCounts } from '#projections/queue-counts';
import type { Commands } from '#protocols/ports';
import { remoteAttempts } from '#protocols/smtp/attempt';
import { noticeWriter } from '#protocols/smtp/notices';
import { startRunner } from '#protocols/smtp/runner';
import { fakeResolver } from '../support/dns.ts';
import { openFolder } from '../support/folder.ts';
import { noticePlaces } from '../support/notices.ts';
import { notedMetrics } from '../support/remote-world.ts';
import { silentLog } from '../support/silent-log.ts';

const ACCOUNT = 1;
const CAUSE = { actor: 'test' };
/** Long enough that nothing is tried again meanwhile. */
const RETRY_MS = 400;

const [dir = '', port = '', count = '0', point = '', passes = '0'] = process.argv.slice(2);
let left = Number(passes);

/** The process ends here when it is the point. */
function pass(here: string): void {
  if (here !== point) return;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
  left--;
}

const engine = await openFolder(dir);

const commands: Commands = {
  async execute(accountId, command, cause) {
    if (command.type === 'StartAttempt') pass('before-start');
    const done = await engine.lanes.execute(accountId, command, cause);
    if (command.type === 'StartAttempt') pass('after-start');
    if (command.type === 'FinishAttempt') pass('after-append');
    return done;
  },
};

for (let i = 0; i < Number(count); i++) await queueOne(systemRandom.uuid());

const ports = { clock: systemClock, random: systemRandom, log: silentLog, bodies: engine.bodies };
const settings = remoteAttempts(
  {
    attemptsAtOnce: 5,
    attemptsMax: 50,
    schedule: fixedSchedule([RETRY_MS]),
    transports: new Map([
      [
        'all',
        {
          type: 'relay',
          host: '127.0.0.1',
          port: Number(port),
          tls: 'none',
          anyCertificate: false,
        },
      ],
    ]),
  },
  {
    ...ports,
    metrics: notedMetrics(),
    tlsResults: engine.tlsResults,
    hostName: 'mail.example.org',
    port: 25,
    dialer: openDialer(ports),
    resolver: fakeResolver({}),
    stsPolicyFor: () => Promise.resolve({ type: 'none' }),
    routeFor: () => 'all',
    isDisabled: () => false,
    socksDialer: () => openDialer(ports),
  },
);
const runner = await startRunner(
  {
    ...settings,
    async attempt(one, stop) {
      const made = await settings.attempt(one, stop);
      pass('after-reply');
      return made;
    },
  },
  {
    ...ports,
    commands,
    views: engine.lanes,
    queue: engine.books,
    pause: engine.directory,
    notices: noticeWriter('mail.example.org', () => RETRY_MS, {
      ...ports,
      commands,
      places: noticePlaces(),
      metrics: notedMetrics(),
    }),
  },
);

while (engine.books.read((sql) => queueCounts(sql, 0)).length > 0) {
  await new Promise((resolve) => setTimeout(resolve, 20));
}
await runner.stop();
await engine.close();

/** To two recipients of one domain. */
async function queueOne(token: string): Promise<void> {
  const octets = Buffer.from(`Subject: ${token}\r\n\r\nhello\r\n`);
  const staged = await engine.bodies.stage(
    (async function* () {
      yield octets;
    })(),
    1000,
  );
  await engine.bodies.link(staged, ACCOUNT);
  await staged.discard();
  const done = await engine.lanes.execute(
    ACCOUNT,
    {
      type: 'QueueMessage',
      mailFrom: 'daybook@localhost',
      recipients: ['a', 'b'].map((name) => ({ recipient: `${name}-${token}@${token}.example` })),
      body: staged.hash,
      prefix: '',
      sizeBytes: octets.length,
      headerId: `<${token}@localhost>`,
      smtpUtf8: false,
      eightBit: false,
    },
    CAUSE,
  );
  if (isRefusal(done)) throw new Error(done.refused);
  writeSync(1, `${token}\n`);
}
