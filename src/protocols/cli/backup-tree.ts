/**
 * The commands that make copies of a server and servers of copies.
 */

import { InvalidArgumentError, type Command } from 'commander';
import { readPoint } from './backup.ts';
import type { BackupFlags, RestoreFlags } from './flags.ts';
import type { TreeParts } from './tree.ts';

export function addBackup(
  program: Command,
  { tools, dir }: TreeParts,
  finish: (exitCode: number) => void,
): void {
  program
    .command('backup <target>')
    .description(
      'copy log, messages, secrets and configuration into a new directory, or add what is new ' +
        'to a backup that is there; says nothing when all is well',
    )
    .addOption(dir())
    .option('--since <prior>', 'only what this backup does not have; to be kept together with it')
    .option('--offline', 'of a server that does not run', false)
    .option('--with-keys', 'also the key of the secret store, and the keys for TLS', false)
    .option('--verbose', 'tell what is done, on standard error', false)
    .action(async (target: string, flags: BackupFlags) => {
      finish(await (await import('./backup.ts')).backup(target, flags, tools));
    });
  program
    .command('restore <backup> <folder>')
    .description(
      'check a backup and make a server of it in a new folder; its mailboxes get new ' +
        'UIDVALIDITYs, and delivery is paused',
    )
    .option('--at <point>', 'leave out what came later than a position or a time', point)
    .option('--prior <directories...>', 'where backups are that this one needs, if they moved')
    .option('--exact', 'of a backup made with --offline: go on as if nothing had been', false)
    .option('--verbose', 'tell what is done, on standard error', false)
    .action(async (from: string, target: string, flags: RestoreFlags) => {
      const { restore } = await import('./backup.ts');
      await restore(from, target, flags, tools);
    });
}

function point(text: string): RestoreFlags['at'] {
  const read = readPoint(text);
  if (read !== undefined) return read;
  throw new InvalidArgumentError('It must be a position or a time like 2026-01-31T12:00:00Z.');
}
