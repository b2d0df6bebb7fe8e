/**
 * Secrets, keys and the configuration of a backup, put where a server looks for them.
 */

import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { readBackupFile, type KeptFile, type ReadManifest } from './backup-manifest.ts';
import { movedConfig } from './config-move.ts';
import { pathBelow, replaceFile } from './files.ts';

export interface RestoredFiles {
  /** Sentences about files that are not where the configuration looks for them. */
  readonly toDo: readonly string[];
  /** Writes the configuration. */
  finish(): Promise<void>;
}

const CONFIG_FOLDER = 'config';
const KEYS_FOLDER = 'keys';
const SECRETS = path.join('data', 'secrets');

/** `target` is the folder of the server. Of several contents of a secret the latest counts. */
export async function restoreFiles(
  chain: readonly ReadManifest[],
  target: string,
): Promise<RestoredFiles> {
  const toDo: string[] = [];
  const configDir = path.join(target, CONFIG_FOLDER);
  await mkdir(path.join(target, SECRETS), { recursive: true, mode: 0o700 });
  await mkdir(configDir, { recursive: true, mode: 0o750 });
  let config: { readonly name: string; readonly text: string } | undefined;
  for (const { directory, manifest } of chain) {
    const isLatest = manifest === chain.at(-1)?.manifest;
    for (const file of manifest.files) {
      if (file.kind !== 'secret' && !isLatest) continue;
      const octets = await readBackupFile(directory, file);
      if (file.kind === 'config') {
        config = { name: file.from, text: octets.toString('utf8') };
        continue;
      }
      const place = placeOf(file, target);
      await mkdir(path.dirname(place), { recursive: true, mode: 0o700 });
      await replaceFile(place, octets);
      if (file.kind === 'key' && !isInside(file.from)) {
        toDo.push(`The configuration looks for ${file.from}, which was put into ${place}.`);
      }
    }
  }
  if (config === undefined) return { toDo, finish: () => Promise.resolve() };
  const { name, text } = config;
  const moved = movedConfig(text);
  const keyFile = path.resolve(configDir, moved.secretsKeyFile);
  const isTold = toDo.some((sentence) => sentence.includes(` ${moved.secretsKeyFile},`));
  if (!existsSync(keyFile) && !isTold) {
    toDo.push(`Put the key of the secret store into ${keyFile}: without it nobody can log in.`);
  }
  return { toDo, finish: () => replaceFile(pathBelow(configDir, name), moved.text, 0o640) };
}

function placeOf({ kind, from }: KeptFile, target: string): string {
  if (kind === 'secret') return pathBelow(path.join(target, SECRETS), from);
  const configDir = path.join(target, CONFIG_FOLDER);
  return isInside(from)
    ? pathBelow(configDir, from.replaceAll('\\', '/'))
    : path.join(configDir, KEYS_FOLDER, path.basename(from));
}

/** Below the folder of the configuration. */
function isInside(from: string): boolean {
  return !path.isAbsolute(from) && !from.split(/[\\/]/).includes('..');
}
