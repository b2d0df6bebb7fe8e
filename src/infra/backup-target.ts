/**
 * The directory that a backup is made in: new, or one that a backup is continued in.
 *
 * Invariants: what is somebody else's is left untouched; what an interrupted run has left is taken
 * over where it is whole, and removed else.
 */

import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { bodySize, BodyCarrier, formatBodyList, parseBodyList } from './backup-bodies.ts';
import {
  BadBackup,
  backupFile,
  findManifest,
  MANIFEST,
  type BackupFile,
  type BackupPiece,
  type ReadManifest,
} from './backup-manifest.ts';
import type { ListedBody } from './backup-bodies.ts';
import type { LogExport } from './event-log-sqlite-export.ts';
import type { LogHead } from './event-log-sqlite-verify.ts';
import { codeOf, namesIn, PART_SUFFIX, replaceFile, syncDirectory } from './files.ts';
import { readSegment, type Segment } from './log-segments.ts';

const UNFINISHED = 'unfinished.json';
const README = 'README.txt';
const PIECES = 'log';
const SEGMENT = /^(\d{12})-(\d{12})\.jsonl\.zst$/;

const README_TEXT = `This is a backup of a Daybook mail server. manifest.json says what is in it;
where that file is missing, the backup is not complete.

    daybook verifydata --backup DIR      checks every file
    daybook restore DIR NEW              makes a server of it in the new folder NEW

Unless it was made with --with-keys, a restored server needs two things besides, which are not in
here so that nobody who has only this directory can use it: the key of the secret store
(SecretsKeyFile in the configuration, 32 octets), and the keys and certificates for TLS that the
configuration names. Messages and the configuration can be read by whoever reads this directory.
`;

/** Who is told what a run left behind belongs to. */
interface Mark {
  readonly log: string;
  /** Hash of the log where the backup before it ends; '' without one. */
  readonly since: string;
}

/**
 * Looks at the directory. Gives the manifest of a complete backup
 * that is to be continued. Throws, and leaves all as it is, when it belongs to something else.
 */
export async function openTarget(
  directory: string,
  { log, since }: Mark,
): Promise<ReadManifest | undefined> {
  const found = await findManifest(directory);
  if (found !== undefined) {
    if (since !== '') throw new BadBackup(`${directory} is a backup already: leave out --since.`);
    return found;
  }
  const names = await namesIn(directory);
  if (names.includes(UNFINISHED)) {
    const mark = await readFile(path.join(directory, UNFINISHED), 'utf8');
    if (mark === markText({ log, since })) return undefined;
    throw new BadBackup(`${directory} is an unfinished backup of something else.`);
  }
  if (names.length > 0) {
    throw new BadBackup(`${directory} is in use and holds no backup: give a new directory.`);
  }
  return undefined;
}

function markText({ log, since }: Mark): string {
  return `${JSON.stringify({ daybook: 'unfinished-backup', version: 1, log, since })}\n`;
}

/** From here on the directory is ours. */
export async function markUnfinished(directory: string, { log, since }: Mark): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await replaceFile(path.join(directory, UNFINISHED), markText({ log, since }));
  await replaceFile(path.join(directory, README), README_TEXT);
  await mkdir(path.join(directory, PIECES), { recursive: true, mode: 0o700 });
  await syncDirectory(directory);
}

export async function markComplete(directory: string, manifest: string): Promise<void> {
  await replaceFile(path.join(directory, MANIFEST), manifest);
  await rm(path.join(directory, UNFINISHED), { force: true });
  await syncDirectory(directory);
}

/** Bodies that are not there get listed first, so that a run that is cut short can be undone. */
export async function writePiece(
  directory: string,
  segment: Segment,
  bodies: readonly ListedBody[],
  carry: () => Promise<void>,
): Promise<BackupPiece> {
  const names = namesOf(segment.first, segment.last.position);
  const list = formatBodyList(bodies);
  await replaceFile(path.join(directory, names.bodies), list);
  await carry();
  await replaceFile(path.join(directory, names.log), segment.octets);
  return pieceOf(segment, backupFile(names.log, segment.octets), {
    ...backupFile(names.bodies, list),
    ...totalOf(bodies),
  });
}

function pieceOf(
  { first, last, events }: Pick<Segment, 'first' | 'last' | 'events'>,
  log: BackupFile,
  bodies: BackupPiece['bodies'],
): BackupPiece {
  const { position, hash } = last;
  return { ...log, first, last: position, hash: hash.toString('hex'), events, bodies };
}

function totalOf(bodies: readonly ListedBody[]): { count: number; bytes: number } {
  return { count: bodies.length, bytes: bodies.reduce((sum, { size }) => sum + size, 0) };
}

function namesOf(first: number, last: number): { readonly log: string; readonly bodies: string } {
  const range = `${String(first).padStart(12, '0')}-${String(last).padStart(12, '0')}`;
  return { log: `${PIECES}/${range}.jsonl.zst`, bodies: `${PIECES}/${range}.bodies` };
}

/** The pieces behind a head that an interrupted run has finished; what it began is removed. */
export async function takeOverPieces(
  directory: string,
  log: LogExport,
  from: LogHead,
  kept: readonly BackupPiece[],
): Promise<readonly BackupPiece[]> {
  const known = new Set(kept.flatMap(({ path: own, bodies }) => [own, bodies.path]));
  const names = (await namesIn(path.join(directory, PIECES))).map((name) => `${PIECES}/${name}`);
  const left = names.filter((name) => !known.has(name)).sort();
  if (left.length === 0) return [];
  const taken: BackupPiece[] = [];
  let head = from;
  for (const name of left) {
    const piece = await finishedPiece(directory, name, log, head);
    if (piece === undefined) continue;
    taken.push(piece);
    head = { position: piece.last, hash: Buffer.from(piece.hash, 'hex') };
  }
  const good = new Set(taken.flatMap(({ path: own, bodies }) => [own, bodies.path]));
  for (const name of left) if (!good.has(name)) await undo(directory, name);
  await removeParts(directory);
  return taken;
}

async function finishedPiece(
  directory: string,
  name: string,
  log: LogExport,
  from: LogHead,
): Promise<BackupPiece | undefined> {
  const [, first, last] = SEGMENT.exec(path.posix.basename(name)) ?? [];
  if (Number(first) !== from.position + 1) return undefined;
  const names = namesOf(Number(first), Number(last));
  try {
    const octets = await readFile(path.join(directory, name));
    const commits = await readSegment(octets, log.logId, from, name);
    const head = commits.at(-1)?.head;
    if (head === undefined || log.headAt(head.position)?.hash.equals(head.hash) !== true) {
      return undefined;
    }
    const list = await readFile(path.join(directory, names.bodies));
    const bodies = parseBodyList(list, names.bodies);
    if (bodies.some((body) => bodySize([directory], body) !== body.size)) return undefined;
    const events = commits.reduce((sum, { pieces }) => sum + pieces.length, 0);
    return pieceOf({ first: Number(first), last: head, events }, backupFile(name, octets), {
      ...backupFile(names.bodies, list),
      ...totalOf(bodies),
    });
  } catch (error) {
    // Cut short: it is made again.
    if (error instanceof BadBackup || codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes a piece that was not finished, and the bodies that came with it. */
async function undo(directory: string, name: string): Promise<void> {
  const file = path.join(directory, name);
  if (name.endsWith('.bodies')) {
    const carrier = new BodyCarrier(directory, () => undefined);
    const bodies = parseBodyList(await readFile(file), name);
    for (const body of bodies) await carrier.remove(body);
  }
  await rm(file);
}

/** Half-made files lie beside those that they were to become. */
async function removeParts(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && entry.name.endsWith(PART_SUFFIX)) {
      await rm(path.join(entry.parentPath, entry.name));
    }
  }
}
