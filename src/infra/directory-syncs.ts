/**
 * Directories made and put on the disk, for many who ask at the same time.
 *
 * Invariants: a sync covers everything that happened in the directory before it was asked for; of
 * those who ask while one runs, all wait for one more. A directory counts as made only when its
 * name is on the disk too.
 */

import { closeSync, fsync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { diskFault } from './files.ts';

const fsyncAsync = promisify(fsync);

interface Running {
  readonly done: Promise<void>;
  /** The one that starts when this one ends. */
  next: Promise<void> | undefined;
}

export class DirectorySyncs {
  readonly #running = new Map<string, Running>();
  readonly #making = new Map<string, Promise<void>>();

  sync(directory: string): Promise<void> {
    const running = this.#running.get(directory);
    if (running === undefined) return this.#start(directory);
    running.next ??= running.done.then(
      () => this.#start(directory),
      // Its failure was told to those who asked for it.
      () => this.#start(directory),
    );
    return running.next;
  }

  /** Makes a directory, at once, if it is not there; its name is on the disk when it resolves. */
  make(directory: string): Promise<void> {
    const known = this.#making.get(directory);
    if (known !== undefined) return known;
    // It is forgotten behind the next line, also when making it fails at once.
    const making = this.#make(directory).finally(() => this.#making.delete(directory));
    this.#making.set(directory, making);
    return making;
  }

  async #make(directory: string): Promise<void> {
    try {
      mkdirSync(directory, { mode: 0o700, recursive: true });
      await this.sync(path.dirname(directory));
    } catch (error) {
      throw diskFault(error);
    }
  }

  #start(directory: string): Promise<void> {
    const done = syncNow(directory).finally(() => {
      if (this.#running.get(directory) === running) this.#running.delete(directory);
    });
    const running: Running = { done, next: undefined };
    this.#running.set(directory, running);
    return done;
  }
}

/** Only the sync goes to the pool of threads: there it may wait for others, opening need not. */
async function syncNow(directory: string): Promise<void> {
  // Windows does not open directories; NTFS keeps names in its own journal.
  if (process.platform === 'win32') return;
  const descriptor = openSync(directory, 'r');
  try {
    await fsyncAsync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
