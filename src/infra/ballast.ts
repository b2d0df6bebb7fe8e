/**
 * Room on the disk that is kept back for what must not stop half way: facts that the log has and
 * the views have not, outcomes of attempts that are not recorded yet.
 *
 * It is a file that goes when the disk is full. From then on no mail is taken, until there is
 * plenty of room again.
 *
 * Diagnostics: without room the Fault DiskFull; other errors of the system pass through.
 */

import { randomBytes } from 'node:crypto';
import { rmSync, statSync } from 'node:fs';
import { rm, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Fault } from '#domain/values/fault';
import { diskFault } from './files.ts';

const BALLAST_BYTES: number = 16 * 1024 * 1024;
/** Not to take the last room there is: what has to grow needs some too. */
const FREE_BYTES_MIN: number = 2 * BALLAST_BYTES;

export class Ballast {
  readonly #file: string;
  #isThere: boolean;
  #making: Promise<void> | undefined;

  /** `dir` is on the disk that is meant. */
  constructor(dir: string) {
    this.#file = path.join(dir, 'ballast');
    this.#isThere = statSync(this.#file, { throwIfNoEntry: false })?.size === BALLAST_BYTES;
  }

  /** Makes it where it is missing; mail is taken only while it is held. */
  async hold(): Promise<void> {
    if (this.#isThere) return;
    this.#making ??= this.#make().finally(() => (this.#making = undefined));
    await this.#making;
  }

  /** Leaves its room to whoever writes next. */
  spend(): void {
    if (!this.#isThere) return;
    this.#isThere = false;
    rmSync(this.#file, { force: true });
  }

  async #make(): Promise<void> {
    const { bavail, bsize } = await statfs(path.dirname(this.#file));
    if (bavail * bsize < FREE_BYTES_MIN) throw new Fault('DiskFull', 'The disk is almost full.');
    try {
      // Octets by chance: a file system that compresses them, or leaves out zeros, keeps no room.
      await writeFile(this.#file, randomBytes(BALLAST_BYTES), { mode: 0o600 });
      this.#isThere = true;
    } catch (error) {
      await rm(this.#file, { force: true });
      throw diskFault(error);
    }
  }
}
