/**
 * Command lines, from the words to what is printed; a server that only has its control socket
 * answers at the other end of a pipe.
 */

import { duplexPair } from 'node:stream';
import { fakeClock } from './clock.ts';
import { NO_OPENERS, NO_TERMINAL } from './openers.ts';
import { silentLog } from './silent-log.ts';
import { serveControl, type ControlCommands } from '#protocols/cli/control';
import type { Openers, Terminal } from '#protocols/cli/openers';
import { runProgram } from '#protocols/cli/program';
import type { Clock } from '#protocols/ports';

/** What a command line came to. */
export interface Ran {
  readonly code: number;
  /** Lines on standard output, and on standard error. */
  readonly out: readonly string[];
  readonly err: readonly string[];
}

/** What a command line meets; nothing else is to be used. */
export type Met = Partial<Openers> & Partial<Omit<Terminal, 'out' | 'err'>>;

export async function runLine(args: readonly string[], met: Met = {}): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = {
    ...NO_TERMINAL,
    ...met,
    out: (line: string | Uint8Array) =>
      void out.push(typeof line === 'string' ? line : Buffer.from(line).toString('latin1')),
    err: (line: string) => void err.push(line),
  };
  return { code: await runProgram(args, terminal, { ...NO_OPENERS, ...met }), out, err };
}

/** Opens the control socket of a server with these commands. */
export function controlOf(
  commands: ControlCommands,
  clock: Clock = fakeClock(),
): Openers['openControl'] {
  return async () => {
    const [client, server] = duplexPair();
    void serveControl(server, commands, { clock, log: silentLog });
    return client;
  };
}
