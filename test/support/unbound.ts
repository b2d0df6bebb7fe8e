/**
 * Debian's unbound on this machine: zones that we write, some of them signed, some of those broken
 * afterwards; answers pass its validator.
 */

import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encode } from 'dns-packet';
import { missing, runProgram } from './programs.ts';
import { temporaryDirectory } from './temporary.ts';

const PROGRAM = 'unbound';

export interface TestZone {
  readonly name: string;
  /** Lines of a zone file, besides SOA and NS. */
  readonly lines: readonly string[];
  readonly signed: boolean;
  /** Replaced in the file after it was signed. */
  readonly forge?: readonly [from: string, to: string];
}

export interface Unbound extends AsyncDisposable {
  readonly port: number;
}

/** A skip reason when something is missing. */
export function unboundMissing(): string | false {
  return missing(PROGRAM) || missing('ldns-keygen') || missing('ldns-signzone');
}

export async function startUnbound(zones: readonly TestZone[]): Promise<Unbound> {
  const dir = await temporaryDirectory();
  const anchors: string[] = [];
  const parts: string[] = [];
  for (const zone of zones) {
    const file = await writeZone(dir.path, zone, anchors);
    parts.push(
      `auth-zone:\n  name: "${zone.name}"\n  zonefile: "${file}"`,
      '  for-downstream: no\n  for-upstream: yes\n  fallback-enabled: no',
    );
  }
  await writeFile(dir.file('anchors'), anchors.join(''));
  const port = await freePort();
  const insecure = zones.filter(({ signed }) => !signed).map(({ name }) => name);
  await writeFile(dir.file('unbound.conf'), configuration(port, dir.path, insecure, parts));
  const child = spawn(PROGRAM, ['-d', '-p', '-c', dir.file('unbound.conf')], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  try {
    await untilAnswering(port);
  } catch (error) {
    child.kill('SIGTERM');
    throw error;
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
      await dir[Symbol.asyncDispose]();
    },
  };
}

async function writeZone(dir: string, zone: TestZone, anchors: string[]): Promise<string> {
  const { name, signed, forge } = zone;
  const plain = join(dir, `${name}.zone`);
  const head = [
    `$ORIGIN ${name}.`,
    '$TTL 300',
    `@ IN SOA ns.${name}. root.${name}. 1 3600 600 86400 60`,
    `@ IN NS ns.${name}.`,
    'ns IN A 127.0.0.1',
  ];
  await writeFile(plain, `${[...head, ...zone.lines].join('\n')}\n`);
  if (!signed) return plain;
  const keygen = await runProgram('ldns-keygen', ['-a', 'ECDSAP256SHA256', '-k', name], {
    cwd: dir,
  });
  const key = keygen.stdout.trim();
  const file = `${plain}.signed`;
  const args = ['-n', '-o', name, '-f', file, plain, key];
  const ran = await runProgram('ldns-signzone', args, { cwd: dir });
  if (ran.code !== 0) throw new Error(`ldns-signzone: ${ran.stderr}`);
  anchors.push(await readFile(join(dir, `${key}.ds`), 'utf8'));
  if (forge !== undefined) {
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(...forge));
  }
  return file;
}

function configuration(
  port: number,
  dir: string,
  insecure: readonly string[],
  zones: readonly string[],
): string {
  const server = [
    'interface: 127.0.0.1',
    `port: ${port}`,
    'username: ""',
    'chroot: ""',
    'pidfile: ""',
    `directory: "${dir}"`,
    'use-syslog: no',
    'do-daemonize: no',
    'num-threads: 1',
    'module-config: "validator iterator"',
    `trust-anchor-file: "${join(dir, 'anchors')}"`,
    'do-not-query-localhost: no',
    'ede: yes',
    'val-log-level: 2',
    'cache-max-ttl: 0',
    'access-control: 127.0.0.0/8 allow',
    ...insecure.map((name) => `domain-insecure: "${name}"`),
  ];
  return ['server:', ...server.map((line) => `  ${line}`), ...zones].join('\n') + '\n';
}

/** Free a moment ago; programs cannot be told to take any. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

/** The server says nothing of when it is ready: it is asked until it answers. */
async function untilAnswering(port: number): Promise<void> {
  // It knows this name by itself.
  const question = encode({ type: 'query', id: 1, questions: [{ type: 'A', name: 'localhost' }] });
  for (let left = 100; left > 0; left--) {
    const socket = createSocket('udp4');
    const answered = once(socket, 'message').then(
      () => true,
      () => false,
    );
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.send(question);
    const first = await Promise.race([answered, sleep(100, false)]);
    socket.close();
    if (first) return;
    await sleep(50);
  }
  throw new Error('unbound does not answer.');
}
