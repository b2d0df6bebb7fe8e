/**
 * A disk that is soon full: a small one in memory, which only root may mount.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs';
import path from 'node:path';
import { temporaryDirectory, type TemporaryDirectory } from './temporary.ts';

const DISK_BYTES = 48 * 1024 * 1024;
const PAGE_BYTES = 4096;

export interface SmallDisk extends AsyncDisposable {
  readonly dir: string;
  /** Leaves room for about so many octets. */
  fill(leaveBytes: number): void;
  free(): void;
}

function succeeds(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args).status === 0;
}

/** Undefined where nobody may mount one. */
export async function smallDisk(): Promise<SmallDisk | undefined> {
  const directory: TemporaryDirectory = await temporaryDirectory();
  const dir = directory.path;
  const options = ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', dir];
  if (!succeeds('mount', options)) {
    await directory[Symbol.asyncDispose]();
    return undefined;
  }
  const filler = path.join(dir, 'filler');
  return {
    dir,
    fill(leaveBytes) {
      const file = openSync(filler, 'w');
      const page = Buffer.alloc(PAGE_BYTES);
      let written = 0;
      try {
        for (;;) written += writeSync(file, page);
      } catch (error) {
        assert.match(String(error), /ENOSPC/);
      }
      closeSync(file);
      truncateSync(filler, Math.max(0, written - leaveBytes));
    },
    free: () => rmSync(filler, { force: true }),
    async [Symbol.asyncDispose]() {
      succeeds('umount', [dir]);
      await directory[Symbol.asyncDispose]();
    },
  };
}
