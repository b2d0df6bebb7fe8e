/**
 * `backup`, `restore`, and `verifydata` of a backup.
 */

import { Fault } from '#domain/values/fault';
import type { BegunBackup } from './backup-control.ts';
import type { BackupFlags, RestoreFlags, VerifyFlags } from './flags.ts';
import { askServer, type Tools } from './tools.ts';

/** Silent when all went well. Exit code 1 when the backup is not all that it should be. */
export async function backup(target: string, flags: BackupFlags, tools: Tools): Promise<number> {
  const { terminal, openers } = tools;
  const { dir, since, offline, withKeys, verbose } = flags;
  const { goOn, end } = offline ? ALONE : await beside(flags, tools);
  try {
    const missing = await openers.backup(dir, {
      target,
      ...(since === undefined ? {} : { since }),
      offline,
      withKeys,
      goOn,
      note: noteTo(tools, verbose),
      warn: (sentence) => terminal.err(sentence),
    });
    for (const body of missing) terminal.err(`a message is not in the backup, nor here: ${body}`);
    return missing.length === 0 ? 0 : 1;
  } finally {
    await end();
  }
}

interface Company {
  /** Throws when the server does not wait any more. */
  readonly goOn: () => Promise<void>;
  readonly end: () => Promise<void>;
}

const ALONE: Company = { goOn: () => Promise.resolve(), end: () => Promise.resolve() };

/** The running server removes nothing until the end. */
async function beside(flags: BackupFlags, tools: Tools): Promise<Company> {
  const { hold } = await begun(flags, tools);
  const ask = async (command: string): Promise<void> => {
    await askServer(command, flags, tools, { hold });
  };
  return {
    goOn: () => ask('backup.renew'),
    async end() {
      try {
        await ask('backup.end');
      } catch (error) {
        // A server that has stopped meanwhile holds nothing.
        if (!isNobodyThere(error)) throw error;
      }
    },
  };
}

function isNobodyThere(error: unknown): boolean {
  return error instanceof Fault && error.code === 'CannotConnect';
}

async function begun(flags: BackupFlags, tools: Tools): Promise<BegunBackup> {
  try {
    return (await askServer('backup.begin', flags, tools, {})) as BegunBackup;
  } catch (error) {
    if (!isNobodyThere(error)) throw error;
    const sentence = 'No server runs on the folder: ask for the backup with --offline.';
    throw new Error(sentence, { cause: error });
  }
}

export async function restore(
  from: string,
  target: string,
  flags: RestoreFlags,
  tools: Tools,
): Promise<void> {
  const { terminal, openers } = tools;
  const { at, exact, prior = [], verbose } = flags;
  const restored = await openers.restore(from, {
    target,
    priors: prior,
    ...(at === undefined ? {} : { at }),
    exact,
    note: noteTo(tools, verbose),
  });
  const { position, bodies, toDo } = restored;
  terminal.out(`restored: events up to position ${position}, ${bodies} bodies`);
  if (!exact) {
    terminal.out('every mailbox has a new UIDVALIDITY');
    terminal.out('delivery is paused: look at `daybook queue list`, then `daybook queue resume`');
  }
  for (const sentence of toDo) terminal.out(sentence);
}

/** Exit code 1 when something was found. */
export async function verifyBackup(
  from: string,
  flags: VerifyFlags,
  tools: Tools,
): Promise<number> {
  const { terminal, openers } = tools;
  let findings = 0;
  const note = (text: string): void => terminal.err(text);
  for await (const finding of openers.verifyBackup(from, flags.prior ?? [], note)) {
    findings++;
    terminal.out(flags.json ? JSON.stringify(finding) : `${finding.where}: ${finding.what}`);
  }
  if (!flags.json) terminal.out(findings === 0 ? `${from}: OK` : `findings: ${findings}`);
  return findings === 0 ? 0 : 1;
}

function noteTo({ terminal }: Tools, verbose: boolean): (text: string) => void {
  return verbose ? (text) => terminal.err(text) : () => undefined;
}

/** A position of the log, or a time with its zone; undefined for anything else. */
export function readPoint(text: string): RestoreFlags['at'] {
  if (/^[1-9]\d{0,15}$/.test(text)) return { type: 'position', position: Number(text) };
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text);
  const time = isTime ? Date.parse(text) : NaN;
  return Number.isNaN(time) ? undefined : { type: 'time', time };
}
