/**
 * Foreign programs as test peers: whether they are here, and running them with a bound on time.
 */

import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A skip reason when a program is missing, false when it is there. */
export function missing(program: string): string | false {
  const found = spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;
  return found ? false : `${program} is not installed`;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, at most `seconds`. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { input?: string; env?: Record<string, string>; cwd?: string; seconds?: number } = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      args,
      {
        cwd: options.cwd,
        env: { ...process.env, ...options.env },
        timeout: (options.seconds ?? 60) * 1000,
        maxBuffer: 64 * 1024 * 1024,
      },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ code, stdout, stderr });
      },
    );
    // A program that reads nothing may be over before anybody writes.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}

/** Runs a command line of ours to its end, in a process of its own. */
export function runDaybook(
  args: readonly string[],
  options: { readonly input?: string } = {},
): Promise<Ran> {
  const command = ['--disable-warning=ExperimentalWarning', MAIN, ...args];
  return runProgram(process.execPath, command, options);
}
