/**
 * A real localserve in a process of its own, for foreign clients, kill tests and benches: a fresh
 * folder, a loopback address that nobody else uses.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export const LOGIN = 'daybook@localhost';
export const PASSWORD = 'daybookdaybook';

export interface Localserve extends AsyncDisposable {
  readonly dir: string;
  readonly ip: string;
  readonly pid: number;
  readonly exited: Promise<number | null>;
  /** Everything on its standard output and error so far. */
  said(): string;
  /** SIGTERM; resolves with the exit code when the process is gone. */
  stop(): Promise<number | null>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

export interface LocalserveOptions {
  /** A folder from an earlier start; it is then not removed at the end. */
  readonly dir?: string;
  readonly ip?: string;
  /** `serve` listens where the configuration of the folder says, which must be at `ip`. */
  readonly command?: 'localserve' | 'serve';
  readonly args?: readonly string[];
  /** SIGKILL when it fires, also before the server is ready. */
  readonly killAt?: AbortSignal;
}

/** Resolves when every listener accepts. Throws with what the process said when it ends first. */
export async function startLocalserve(options: LocalserveOptions = {}): Promise<Localserve> {
  const ip = options.ip ?? freeLoopbackAddress();
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'daybook-test-')));
  const { command = 'localserve' } = options;
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      join(ROOT, 'src/main.ts'),
      command,
      '--dir',
      dir,
      ...(command === 'serve' ? [] : ['--ip', ip]),
      '--log-level',
      'error',
      ...(options.args ?? []),
    ],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code));
  });
  options.killAt?.addEventListener('abort', () => child.kill('SIGKILL'));
  const said = await untilReady(child, exited);
  return {
    dir,
    ip,
    pid: child.pid ?? 0,
    exited,
    said,
    stop: async () => {
      child.kill('SIGTERM');
      return await exited;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}

/** 127.x.y.z by chance: parallel runs do not meet. */
export function freeLoopbackAddress(): string {
  return `127.${randomInt(1, 255)}.${randomInt(0, 255)}.${randomInt(1, 255)}`;
}

async function untilReady(
  child: ChildProcess,
  exited: Promise<number | null>,
): Promise<() => string> {
  let said = '';
  const ready = new Promise<void>((resolve) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (/^ready/m.test(said)) resolve();
    });
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = exited.then((code) => {
    throw new Error(`localserve ended with ${code} before it was ready:\n${said}`);
  });
  await Promise.race([ready, ended]);
  ended.catch(() => {});
  return () => said;
}
