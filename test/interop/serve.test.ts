/**
 * `serve` in a process of its own: certificates of the configuration, metrics, and mail that goes
 * out by transports.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { parse, stringify } from 'yaml';
import { newCertificate } from '../support/chains.ts';
import { freeLoopbackAddress, LOGIN, PASSWORD, startLocalserve } from '../support/localserve.ts';
import { runDaybook } from '../support/programs.ts';
import { startSink } from '../support/sink.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { silentLog } from '../support/silent-log.ts';
import { systemClock, systemRandom } from '#infra/clock';
import { openDialer } from '#infra/dialer';
import { openSmtpClient } from '#protocols/smtp/client';

/** A folder of localserve, changed into one for the world. */
async function prepare(dir: string, ip: string, sinkPort: number): Promise<void> {
  const prepared = await runDaybook(['localserve', '--dir', dir, '--ip', ip, '--init-only']);
  assert.equal(prepared.code, 0, prepared.stderr);
  const { cert, key } = await newCertificate({ name: 'CN=mail', hosts: ['mail.example.org'] });
  await writeFile(join(dir, 'config', 'cert.pem'), cert);
  await writeFile(join(dir, 'config', 'key.pem'), key);
  const file = join(dir, 'config', 'daybook.yaml');
  const config = parse(await readFile(file, 'utf8'));
  config.Listeners.local.TLS = { KeyCerts: [{ CertFile: 'cert.pem', KeyFile: 'key.pem' }] };
  config.Listeners.local.MetricsHTTP = { Enabled: true };
  config.Transports = {
    smart: { SMTP: { Host: '127.0.0.1', Port: sinkPort, NoSTARTTLS: true } },
    never: { Fail: { SMTPCode: 550, SMTPMessage: 'not by this way' } },
  };
  config.Queue = { RetryWaits: [600] };
  await writeFile(file, stringify(config));
}

async function submit(ip: string, recipient: string): Promise<void> {
  const ports = { clock: systemClock, random: systemRandom, log: silentLog };
  await using client = await openSmtpClient({
    ...ports,
    dialer: openDialer(ports),
    host: ip,
    port: 1587,
    hostName: 'client.example',
    tls: 'starttls',
    trust: { anyCertificate: true },
  });
  await client.authenticate({ login: LOGIN, password: PASSWORD });
  const octets = Buffer.from(`From: ${LOGIN}\r\nTo: ${recipient}\r\nSubject: out\r\n\r\nhello\r\n`);
  const { failure } = await client.deliver({
    mailFrom: LOGIN,
    recipients: [{ address: recipient }],
    body: async function* () {
      yield octets;
    },
  });
  assert.equal(failure, undefined);
}

async function metric(ip: string, name: string): Promise<number> {
  const text = await (await fetch(`http://${ip}:8010/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`daybook_${name} `));
  return Number(line?.split(' ').at(-1));
}

/** Until it is so; fails after a while. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 20_000;
  while (!(await isSo())) {
    assert.ok(Date.now() < giveUpAt, 'it never came to that');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

it('serves mail to the world as the configuration says', async () => {
  await using directory = await temporaryDirectory();
  await using sink = await startSink();
  const dir = directory.path;
  const ip = freeLoopbackAddress();
  await prepare(dir, ip, sink.port);
  await using server = await startLocalserve({ dir, ip, command: 'serve' });

  const secure = connectTls({ host: ip, port: 1993, rejectUnauthorized: false });
  await once(secure, 'secureConnect');
  assert.match(secure.getPeerX509Certificate()?.subjectAltName ?? '', /mail\.example\.org/);
  secure.destroy();

  // Nobody listens at port 25 of this address: the message waits, then goes by another way.
  await submit(ip, 'bob@[127.1.1.1]');
  await until(async () => (await metric(ip, 'queue_connection_total{result="error"}')) === 1);
  assert.equal(await metric(ip, 'queue_length'), 1);
  const change = async (...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await runDaybook(['queue', ...args, '--all', '--dir', dir]);
    assert.equal(code, 0, stderr);
  };
  await change('transport', 'smart');
  await change('schedule', '--now', '0s');
  await until(async () => (await metric(ip, 'queue_length')) === 0);
  const [mail, ...more] = sink.mail;
  assert.equal(more.length, 0);
  assert.deepEqual(mail?.to, ['bob@[127.1.1.1]']);
  assert.match(mail?.text ?? '', /\r\nSubject: out\r\n\r\nhello\r\n$/);
  assert.equal(await metric(ip, 'queue_connection_total{result="ok"}'), 1);
  assert.equal(await server.stop(), 0, server.said());
});
