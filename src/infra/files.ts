/**
 * Files that stay: what is needed so that a file is there, whole and under its name, after a power
 * cut, on every system.
 *
 * Invariants: a file gets its final name only when its content is on the disk; the name is on the
 * disk when the promise resolves. Half-made files end in `.part` and may be removed at any start.
 * Diagnostics: a full disk is the Fault DiskFull; other errors of the system pass through.
 */

import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, type FileHandle, link, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Fault } from '#domain/values/fault';

export const PART_SUFFIX = '.part';

/** Puts the content of a file on the disk. */
export async function syncFile(file: string): Promise<void> {
  // Windows flushes only what was opened for writing.
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Puts the names in a directory on the disk: files made, renamed and removed there. */
export async function syncDirectory(directory: string): Promise<void> {
  // Windows does not open directories; NTFS keeps names in its own journal.
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What stands in a directory; nothing where there is none. */
export async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Gives the file a new content: readers see the old or the new one, also after a power cut. */
export async function replaceFile(
  file: string,
  content: string | Uint8Array,
  mode = 0o600,
): Promise<void> {
  const part = partOf(file);
  try {
    const handle = await open(part, 'wx', mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, file);
    await syncDirectory(path.dirname(file));
  } catch (error) {
    await rm(part, { force: true });
    throw diskFault(error);
  }
}

/**
 * Gives a finished file, which is on the disk already, another name: a hard link, or a copy where
 * links are not possible. A target that exists is left as it is. The caller syncs the directory.
 */
export async function linkOrCopy(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    if (!isLinkImpossible(error)) throw diskFault(error);
    await copyWhole(source, target);
  }
}

/** Another file system, one without links, or one file with too many of them. */
const LINKS_IMPOSSIBLE: ReadonlySet<string> = new Set([
  'EXDEV',
  'EPERM',
  'EMLINK',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
]);

/** True when a file can have no more names there. */
export function isLinkImpossible(error: unknown): boolean {
  return LINKS_IMPOSSIBLE.has(codeOf(error));
}

/** Copies a file so that the target appears whole and on the disk, or not at all. */
export async function copyWhole(source: string, target: string): Promise<void> {
  const part = partOf(target);
  try {
    await copyFile(source, part, constants.COPYFILE_EXCL);
    await syncFile(part);
    await rename(part, target);
  } catch (error) {
    await rm(part, { force: true });
    throw diskFault(error);
  }
}

/** Closes a file, then removes it: Windows keeps files that are open. */
export async function closeAndRemove(handle: FileHandle, file: string): Promise<void> {
  await handle.close();
  await rm(file, { force: true });
}

/** A path below `root` in the form that is stored and compared: `ab/cd`, on every system. */
export function portablePath(root: string, file: string): string {
  return path.relative(root, file).split(path.sep).join('/');
}

/** The file that a stored path means; a path that would leave `root` is refused. */
export function pathBelow(root: string, portable: string): string {
  const file = path.join(root, ...portable.split('/'));
  const relative = path.relative(root, file);
  const outside = relative === '' || relative.split(path.sep)[0] === '..';
  if (outside || path.isAbsolute(relative) || portable.includes('\0')) {
    throw new RangeError(`not a path below the directory: ${portable}`);
  }
  return file;
}

/** The Fault that a full disk is; other errors come back as they are. */
export function diskFault(error: unknown): unknown {
  const full = codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT';
  return full ? new Fault('DiskFull', 'The disk is full.', { cause: error }) : error;
}

export function isDiskFull(error: unknown): boolean {
  return error instanceof Fault && error.code === 'DiskFull';
}

function partOf(file: string): string {
  return `${file}.${randomUUID()}${PART_SUFFIX}`;
}

/** The code of an error of the system, `ENOENT` for one; empty for other errors. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
