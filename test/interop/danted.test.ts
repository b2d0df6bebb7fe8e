/**
 * Debian's SOCKS server: mail goes through it, and what it does not allow waits.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startZone } from '../support/dns-zone.ts';
import { freePort, untilListening } from '../support/ports.ts';
import { missing } from '../support/programs.ts';
import { openRealQueue } from '../support/real-queue.ts';
import { startSink } from '../support/sink.ts';
import { temporaryDirectory } from '../support/temporary.ts';

function notHere(): string | false {
  if (missing('danted')) return missing('danted');
  return process.getuid?.() === 0 ? false : 'danted runs only when root starts it';
}

function configuration(port: number): string {
  return [
    'logoutput: /dev/null',
    `internal: 127.0.0.1 port = ${port}`,
    'external: 127.0.0.1',
    'socksmethod: none',
    'clientmethod: none',
    'user.privileged: root',
    'user.unprivileged: nobody',
    'client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }',
    'socks block { from: 0.0.0.0/0 to: 127.66.0.0/16 }',
    'socks pass { from: 127.0.0.0/8 to: 127.0.0.0/8 }',
    '',
  ].join('\n');
}

it('smtp 123: danted leads to the host, unless it may not', { skip: notHere() }, async () => {
  await using directory = await temporaryDirectory();
  await using sink = await startSink();
  await using zone = await startZone({
    hosts: { 'mx.far.example': '127.0.0.1', 'mx.closed.example': '127.66.0.1' },
    domains: { 'far.example': ['mx.far.example'], 'closed.example': ['mx.closed.example'] },
  });
  const port = await freePort();
  await writeFile(directory.file('danted.conf'), configuration(port));
  const args = ['-f', directory.file('danted.conf'), '-p', directory.file('pid')];
  const danted = spawn('danted', args, { stdio: 'ignore' });
  const exited = once(danted, 'exit');
  try {
    await untilListening(port);
    const proxy = { host: '127.0.0.1', port, hostName: 'proxied.example.org' };
    const transport = { type: 'direct', families: ['ipv4', 'ipv6'], proxy } as const;
    await using queue = await openRealQueue({ port: sink.port, dnsPort: zone.port, transport });
    await queue.queue(['bob@far.example']);
    const remote = { host: 'mx.far.example', ip: '127.0.0.1' };
    assert.partialDeepStrictEqual(await queue.ends(1), [{ type: 'AttemptSucceeded', remote }]);
    assert.equal(sink.mail[0]?.greeted, 'proxied.example.org');
    await queue.queue(['bob@closed.example']);
    const [refused] = await queue.ends(1);
    assert.partialDeepStrictEqual(refused, { type: 'AttemptFailed', code: 0, permanent: false });
    assert.match(refused?.text ?? '', /NotAllowed/);
  } finally {
    danted.kill('SIGTERM');
    await Promise.race([exited, sleep(5000)]);
    danted.kill('SIGKILL');
  }
});
