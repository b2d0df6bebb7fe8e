/**
 * The table of contents of a backup. It is written last and replaced at once: where it is, the
 * backup is complete, and everything in it has its hash here or in a list that has.
 *
 * Diagnostics: a backup that cannot be read, or is not what its manifest says, is a BadBackup with
 * one sentence that names the file.
 */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Compile } from 'typebox/schema';
import { codeOf, pathBelow } from './files.ts';

/** The backup is not usable, or not for this. */
export class BadBackup extends Error {
  override readonly name = 'BadBackup';
}

/** A file of the backup. */
export interface BackupFile {
  /** Below the backup, with `/`. */
  readonly path: string;
  /** Octets. */
  readonly size: number;
  readonly sha256: string;
}

/** A sealed part of the log, and the bodies that are in the backup because it names them. */
export interface BackupPiece extends BackupFile {
  readonly first: number;
  readonly last: number;
  /** Of the log at its end. */
  readonly hash: string;
  readonly events: number;
  readonly bodies: BackupFile & { readonly count: number; readonly bytes: number };
}

/** A file that was somewhere else: a secret, the configuration, a key. */
export interface KeptFile extends BackupFile {
  readonly kind: 'secret' | 'config' | 'key';
  /** The reference of a secret, or as the configuration calls the file. */
  readonly from: string;
}

export interface Manifest {
  readonly daybook: 'backup';
  readonly version: 1;
  /** Version of the program. */
  readonly madeBy: string;
  /** ISO 8601, UTC. */
  readonly madeAt: string;
  /** UUID of the log. */
  readonly log: string;
  /** Of the last event in the backup, and the hash of the log there. */
  readonly position: number;
  readonly hash: string;
  /** No server ran meanwhile. */
  readonly offline: boolean;
  /** The head of each stream, and of each that was dropped. */
  readonly streams: Readonly<Record<string, number>>;
  readonly dropped: Readonly<Record<string, number>>;
  /** Together with the backups before it. */
  readonly counts: {
    readonly events: number;
    readonly bodies: number;
    readonly bodyBytes: number;
  };
  /** The backup before it, without which this one is not whole. */
  readonly since?: {
    /** Where it was. */
    readonly directory: string;
    readonly position: number;
    /** Of the log there. */
    readonly hash: string;
  };
  readonly pieces: readonly BackupPiece[];
  readonly files: readonly KeptFile[];
  /** `<account>/<hash>` of messages in mailboxes or queues whose bodies were not there any more. */
  readonly missing: readonly string[];
}

export const MANIFEST = 'manifest.json';

const text = { type: 'string' };
const count = { type: 'integer', minimum: 0 };
const hash = { type: 'string', pattern: '^[0-9a-f]{64}$' };
const file = { path: text, size: count, sha256: hash };

function record(properties: object, optional: object = {}): object {
  return {
    type: 'object',
    properties: { ...properties, ...optional },
    required: Object.keys(properties),
  };
}

const schema = Compile(
  record(
    {
      daybook: { const: 'backup' },
      version: { const: 1 },
      madeBy: text,
      madeAt: text,
      log: text,
      position: count,
      hash,
      offline: { type: 'boolean' },
      streams: { type: 'object', additionalProperties: { type: 'integer' } },
      dropped: { type: 'object', additionalProperties: { type: 'integer' } },
      counts: record({ events: count, bodies: count, bodyBytes: count }),
      pieces: {
        type: 'array',
        items: record({
          ...file,
          first: count,
          last: count,
          hash,
          events: count,
          bodies: record({ ...file, count, bytes: count }),
        }),
      },
      files: {
        type: 'array',
        items: record({ ...file, kind: { enum: ['secret', 'config', 'key'] }, from: text }),
      },
      missing: { type: 'array', items: text },
    },
    { since: record({ directory: text, position: count, hash }) },
  ),
);

export interface ReadManifest {
  readonly directory: string;
  readonly manifest: Manifest;
}

/** Undefined when there is none: no backup, or one that is not complete. */
export async function findManifest(directory: string): Promise<ReadManifest | undefined> {
  const name = path.join(directory, MANIFEST);
  let octets: Buffer;
  try {
    octets = await readFile(name);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
  return { directory, manifest: manifestIn(octets, name) };
}

export async function readManifest(directory: string): Promise<ReadManifest> {
  const found = await findManifest(directory);
  if (found !== undefined) return found;
  throw new BadBackup(`${directory} is no complete backup: there is no ${MANIFEST}.`);
}

function manifestIn(octets: Buffer, name: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(octets.toString('utf8'));
  } catch (cause) {
    throw new BadBackup(`${name} is damaged: it is not JSON.`, { cause });
  }
  if (typeof value === 'object' && value !== null && 'version' in value && value.version !== 1) {
    throw new BadBackup(`${name} was written by a newer release.`);
  }
  if (isManifest(value)) return value;
  const [, [first]] = schema.Errors(value);
  const where = first === undefined ? '' : ` (${first.instancePath} ${first.message})`;
  throw new BadBackup(`${name} is not the manifest of a backup${where}.`);
}

function isManifest(value: unknown): value is Manifest {
  return schema.Check(value);
}

/**
 * The backup and those before it that it stands on, the oldest first. Each is looked for where it
 * was, and in `elsewhere`.
 */
export async function backupChain(
  directory: string,
  elsewhere: readonly string[],
): Promise<readonly ReadManifest[]> {
  const chain = [await readManifest(directory)];
  for (;;) {
    const [{ manifest, directory: own }] = chain as [ReadManifest];
    const { since } = manifest;
    if (since === undefined) return chain;
    const places = [...elsewhere, path.resolve(own, since.directory)];
    const found = await firstWith(places, manifest.log, since);
    if (found === undefined) {
      throw new BadBackup(
        `${own} continues the backup that was in ${since.directory} up to position ` +
          `${since.position}, which is not there: say where it is by --prior.`,
      );
    }
    chain.unshift(found);
  }
}

/** It may have been continued meanwhile: only what it had then is taken. */
async function firstWith(
  places: readonly string[],
  log: string,
  { position, hash }: NonNullable<Manifest['since']>,
): Promise<ReadManifest | undefined> {
  for (const directory of places) {
    const { manifest } = (await findManifest(directory)) ?? {};
    if (manifest?.log !== log) continue;
    const pieces = manifest.pieces.filter(({ last }) => last <= position);
    const end = pieces.at(-1) ?? { last: manifest.since?.position, hash: manifest.since?.hash };
    if (end.last !== position || end.hash !== hash) continue;
    return { directory, manifest: { ...manifest, pieces, position, hash } };
  }
  return undefined;
}

/** The octets of a file that is as the manifest says. */
export async function readBackupFile(directory: string, file: BackupFile): Promise<Buffer> {
  const name = pathBelow(directory, file.path);
  let octets: Buffer;
  try {
    octets = await readFile(name);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new BadBackup(`${name} is missing.`);
    throw error;
  }
  const sha256 = createHash('sha256').update(octets).digest('hex');
  if (octets.length === file.size && sha256 === file.sha256) return octets;
  throw new BadBackup(`${name} was altered: it is not what the manifest says.`);
}

export function backupFile(path: string, octets: Uint8Array): BackupFile {
  const sha256 = createHash('sha256').update(octets).digest('hex');
  return { path, size: octets.length, sha256 };
}
