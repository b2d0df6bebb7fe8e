/**
 * Small files in a backup: secrets, as they are sealed; the configuration; keys, when they are
 * wanted. Each stands under its name and the beginning of its hash, so that a newer one does not
 * replace what a complete backup refers to.
 */

import { lstat, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { backupFile, type KeptFile } from './backup-manifest.ts';
import { codeOf, pathBelow, replaceFile } from './files.ts';

/** A file as it is now. */
export interface FileSource {
  readonly kind: KeptFile['kind'];
  readonly from: string;
  readonly octets: Buffer;
}

const FOLDERS: Readonly<Record<KeptFile['kind'], string>> = {
  secret: 'secrets',
  config: 'config',
  key: 'keys',
};

/**
 * Puts the files into the backup; gives those that are in it. Secrets of before stay, since older
 * positions of the log refer to them.
 */
export async function keepFiles(
  directory: string,
  sources: readonly FileSource[],
  before: readonly KeptFile[],
): Promise<readonly KeptFile[]> {
  const kept = new Map<string, KeptFile>();
  for (const file of before) if (file.kind === 'secret') kept.set(keyOf(file), file);
  for (const { kind, from, octets } of sources) {
    const { sha256, ...measured } = backupFile('', octets);
    const name = `${path.basename(from)}.${sha256.slice(0, 16)}`;
    const own = `${FOLDERS[kind]}/${name}`;
    // The latest of a name is behind those of before.
    kept.delete(keyOf({ path: own, from }));
    kept.set(keyOf({ path: own, from }), { ...measured, sha256, path: own, kind, from });
    const file = path.join(directory, own);
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    if ((await lstat(file).catch(nothingThere)) === undefined) await replaceFile(file, octets);
  }
  return [...kept.values()];
}

function keyOf(file: Pick<KeptFile, 'path' | 'from'>): string {
  return JSON.stringify([file.path, file.from]);
}

/** Removes what the manifest of before named and the new one does not. */
export async function removeFormer(
  directory: string,
  before: readonly KeptFile[],
  kept: readonly KeptFile[],
): Promise<void> {
  const names = new Set(kept.map((file) => file.path));
  for (const { path: own } of before) {
    if (!names.has(own)) await rm(pathBelow(directory, own), { force: true });
  }
}

/** The sealed secrets of a store; one that is removed meanwhile is nobody's any more. */
export async function secretsIn(directory: string): Promise<readonly FileSource[]> {
  const sources: FileSource[] = [];
  for (const name of (await readdir(directory)).sort()) {
    if (name.endsWith('.part')) continue;
    const octets = await readFile(path.join(directory, name)).catch(nothingThere);
    if (octets !== undefined) sources.push({ kind: 'secret', from: name, octets });
  }
  return sources;
}

/** Undefined where there is no such file. */
export async function fileSource(
  kind: KeptFile['kind'],
  from: string,
  file: string,
): Promise<FileSource | undefined> {
  const octets = await readFile(file).catch(nothingThere);
  return octets && { kind, from, octets };
}

function nothingThere(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
}
