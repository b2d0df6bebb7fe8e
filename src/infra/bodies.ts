/**
 * The body store: `accounts/<id>/bodies/ab/<sha256>`, one file for each content and account.
 *
 * Small bodies stay in memory until they are linked: then many of them go to the disk at the same
 * time, into the journal (body-journal.ts), and get files that are put on the disk later. A file
 * that is found under a wanted name is checked before it is relied on: a power cut may have left
 * it. Large bodies are written to `staging/` as they come, and linked. Facts of large bodies stand
 * beside them in `<sha256>.facts`; those of small ones are read from the body again, which costs
 * no more.
 *
 * Invariant: paths are made of hex digits and account numbers only.
 */

import { randomUUID } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { readdir, rm, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { MessageFacts } from '#domain/values/facts';
import type { AccountId, BodyHash, Instant } from '#domain/values/ids';
import type { Bodies, StagedBody } from '#protocols/ports';
import type { Ballast } from './ballast.ts';
import { FACTS_SUFFIX, factsBytes, readFactsFile, writeFactsFile } from './body-facts.ts';
import { startFilerThread, type StartFiler } from './body-filer-thread.ts';
import { collect, type Collected } from './body-collect.ts';
import { readHeader, readSlice, stateOf, type BodyState } from './body-files.ts';
import { BodyJournal, type JournalledBody } from './body-journal.ts';
import { recoverBodies } from './body-recovery.ts';
import { removeBody, wantAgain, type Removal } from './body-removal.ts';
import { DirectorySyncs } from './directory-syncs.ts';
import { codeOf, diskFault, linkOrCopy, PART_SUFFIX, syncFile } from './files.ts';
import { Recent } from './recent.ts';
import { Slots } from './slots.ts';

export interface BodyStore extends Bodies, AsyncDisposable {
  /**
   * Takes up what an earlier run left: bodies of the journal get their files (how many), what is
   * in `staging/` is removed. Only while nobody stages.
   */
  recover(): Promise<number>;
  /**
   * Everything linked so far is in its own file on the disk when it resolves, and nowhere else. To
   * be called before bodies are removed for good.
   */
  settle(): Promise<void>;
  /** Only when nobody links any more. */
  close(): Promise<void>;
  /** Takes a body away unless it is staged, or was stored or wanted after `storedUpTo`. */
  remove(accountId: AccountId, hash: BodyHash, storedUpTo: Instant): Promise<Removal>;
  /** Reads the body again and compares it with its name. */
  verifyBody(accountId: AccountId, hash: BodyHash): Promise<BodyState>;
}

export interface BodiesOptions {
  /** The data directory; it exists. */
  readonly dir: string;
  /** Room that is kept while mail is taken. */
  readonly ballast?: Ballast;
  readonly readFacts: (body: Buffer) => MessageFacts;
  /** What makes files of bodies; a thread unless it says otherwise. */
  readonly startFiler?: StartFiler;
  /** Nobody can carry on: the process must end; the next start repairs. */
  readonly fatal: (error: unknown) => void;
}

/** Up to here a body is staged in memory, and has no facts file. */
export const SMALL_BODY_BYTES: number = 256 * 1024;
/** What all bodies that are being staged may keep in memory together. */
const STAGED_BYTES_MAX: number = 64 * 1024 * 1024;
/** Links of large bodies made at the same time: each has two files open. */
const LINKS_MAX = 64;
/** Folders that are remembered; what is forgotten costs one sync. */
const FOLDERS_MAX = 50_000;
const RECENT_BODY_BYTES: number = 32 * 1024 * 1024;
const RECENT_FACTS_BYTES: number = 16 * 1024 * 1024;

export function openBodies(options: BodiesOptions): BodyStore {
  return new FileBodies(options);
}

/** A body that was staged here, with what links are made of. */
class Staged implements StagedBody {
  readonly hash: BodyHash;
  readonly sizeBytes: number;
  readonly facts: MessageFacts;
  /** Of a small body: what goes into the journal. */
  readonly small: JournalledBody | undefined;
  /** A file with this content: the staged one of a large body, the first one of a small. */
  file: string | undefined;
  /** The names that it was given. */
  readonly names: string[] = [];
  readonly #release: (names: readonly string[]) => Promise<void>;

  constructor(
    { hash, sizeBytes, octets, seen: facts }: Collected<MessageFacts>,
    stagedFile: string,
    release: (names: readonly string[]) => Promise<void>,
  ) {
    this.hash = hash;
    this.sizeBytes = sizeBytes;
    this.small = octets && { hash, octets };
    this.file = octets === undefined ? stagedFile : undefined;
    this.facts = facts;
    this.#release = release;
  }

  discard(): Promise<void> {
    return this.#release(this.names.splice(0));
  }
}

class FileBodies implements BodyStore {
  readonly #dir: string;
  readonly #staging: string;
  readonly #readFacts: (body: Buffer) => MessageFacts;
  readonly #factsVersion: number;
  readonly #syncs = new DirectorySyncs();
  readonly #slots = new Slots(LINKS_MAX);
  /** Accounts whose directories are on the disk, or will be. */
  readonly #accounts = new Map<AccountId, Promise<void>>();
  /** Folders of large bodies whose names are on the disk. */
  readonly #folders = new Set<string>();
  /** Names of staged bodies, and of how many: somebody is about to refer to them. */
  readonly #wanted = new Map<string, number>();
  /** Who is at a file, the last in line. */
  readonly #lines = new Map<string, Promise<void>>();
  readonly #recentBodies = new Recent<Buffer>(RECENT_BODY_BYTES);
  readonly #recentFacts = new Recent<MessageFacts>(RECENT_FACTS_BYTES);
  readonly #journal: BodyJournal;
  readonly #ballast: Ballast | undefined;
  /** Octets of staged bodies that are in memory. */
  #stagedBytes = 0;

  constructor(options: BodiesOptions) {
    const { dir, ballast, readFacts, startFiler = startFilerThread, fatal } = options;
    this.#dir = dir;
    this.#ballast = ballast;
    this.#journal = new BodyJournal({ dir, startFiler, fatal });
    this.#staging = path.join(dir, 'staging');
    this.#readFacts = readFacts;
    this.#factsVersion = readFacts(Buffer.alloc(0)).version;
    mkdirSync(this.#staging, { mode: 0o700, recursive: true });
  }

  async requireRoom(): Promise<void> {
    await this.#ballast?.hold();
  }

  async stage(body: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Staged> {
    const file = path.join(this.#staging, `${randomUUID()}${PART_SUFFIX}`);
    let keptBytes = 0;
    const keep = (bytes: number): void => {
      this.#stagedBytes += bytes - keptBytes;
      keptBytes = bytes;
    };
    const mayKeep = (bytes: number): boolean => {
      const small = bytes <= SMALL_BODY_BYTES && this.#stagedBytes <= STAGED_BYTES_MAX;
      keep(small ? bytes : 0);
      return small;
    };
    try {
      const look = this.#readFacts;
      const collected = await collect(body, { limitBytes, mayKeep, file, look });
      return new Staged(collected, file, async (names) => {
        keep(0);
        for (const name of names) this.#want(name, -1);
        if (collected.octets === undefined) await removeIfThere(file);
      });
    } catch (error) {
      keep(0);
      throw error;
    }
  }

  async link(staged: StagedBody, accountId: AccountId): Promise<void> {
    if (!(staged instanceof Staged)) throw new Error('a body is linked that was not staged here');
    const file = this.#fileOf(accountId, staged.hash);
    const source = staged.file;
    staged.file ??= file;
    staged.names.push(file);
    this.#want(file, 1);
    await this.#inLine(file, () => this.#link(staged, accountId, file, source));
    this.#recentFacts.set(file, staged.facts, factsBytes(staged.facts));
    const octets = staged.small?.octets;
    if (octets !== undefined) this.#recentBodies.set(file, octets, octets.length);
  }

  #want(file: string, more: 1 | -1): void {
    const count = (this.#wanted.get(file) ?? 0) + more;
    if (count === 0) this.#wanted.delete(file);
    else this.#wanted.set(file, count);
  }

  /** One at a time for each name: the next finds what the one before made. */
  async #inLine<T>(file: string, task: () => Promise<T>): Promise<T> {
    const before = this.#lines.get(file);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    this.#lines.set(file, ended);
    try {
      await before;
      return await task();
    } finally {
      if (this.#lines.get(file) === ended) this.#lines.delete(file);
      end();
    }
  }

  async #link(
    staged: Staged,
    accountId: AccountId,
    file: string,
    source: string | undefined,
  ): Promise<void> {
    if (staged.small !== undefined) {
      return this.#journal.keep(staged.small, { accountId, file, source });
    }
    if (source === undefined) throw new Error('a large body without its file');
    await this.#accountReady(accountId);
    await this.#slots.run(() => this.#linkLarge(source, file, staged));
  }

  async #linkLarge(source: string, file: string, { hash, facts }: Staged): Promise<void> {
    const directory = path.dirname(file);
    try {
      const ready = this.#folderReady(directory);
      const named = this.#another(source, file, hash).then(() => this.#syncs.sync(directory));
      // Both have ended before the next in line comes to the file, also when one has failed.
      for (const ended of await Promise.allSettled([ready, named])) {
        if (ended.status === 'rejected') throw ended.reason;
      }
    } catch (error) {
      throw diskFault(error);
    }
    writeFactsFile(file + FACTS_SUFFIX, facts);
  }

  /** Gives a file that is there the name `file` too. */
  async #another(source: string, file: string, hash: BodyHash): Promise<void> {
    if (existsSync(file)) {
      if ((await stateOf(file, hash)) === 'whole') {
        await wantAgain(file);
        return syncFile(file);
      }
      rmSync(file);
    }
    await linkOrCopy(source, file);
  }

  /** Makes a folder at once if it is not there; its name is on the disk when it resolves. */
  async #folderReady(directory: string): Promise<void> {
    if (this.#folders.has(directory) && existsSync(directory)) return;
    // It may have been made for a small body, and then nobody has waited for the disk yet.
    await this.#syncs.make(directory);
    if (this.#folders.size === FOLDERS_MAX) this.#folders.clear();
    this.#folders.add(directory);
  }

  /** Makes the directories of an account, and puts what is in them already on the disk. */
  #accountReady(accountId: AccountId): Promise<void> {
    const known = this.#accounts.get(accountId);
    if (known !== undefined) return known;
    const ready = this.#makeAccount(accountId);
    this.#accounts.set(accountId, ready);
    return ready;
  }

  async #makeAccount(accountId: AccountId): Promise<void> {
    try {
      let directory = this.#dir;
      for (const name of ['accounts', String(accountId), 'bodies']) {
        directory = path.join(directory, name);
        await this.#syncs.make(directory);
      }
      await this.#syncs.sync(directory);
    } catch (error) {
      this.#accounts.delete(accountId);
      throw error;
    }
  }

  read(accountId: AccountId, hash: BodyHash): Buffer | undefined {
    const file = this.#fileOf(accountId, hash);
    const recent = this.#recentBodies.get(file);
    if (recent !== undefined) return recent;
    const octets = readIfThere(file);
    if (octets !== undefined) this.#recentBodies.set(file, octets, octets.length);
    return octets;
  }

  header(accountId: AccountId, hash: BodyHash): Buffer | undefined {
    const file = this.#fileOf(accountId, hash);
    return this.#recentBodies.get(file) ?? readHeader(file);
  }

  slice(accountId: AccountId, hash: BodyHash, start: number, end: number): Buffer | undefined {
    const file = this.#fileOf(accountId, hash);
    return this.#recentBodies.get(file)?.subarray(start, end) ?? readSlice(file, start, end);
  }

  stream(accountId: AccountId, hash: BodyHash, start = 0): Readable {
    return createReadStream(this.#fileOf(accountId, hash), { start });
  }

  facts(accountId: AccountId, hash: BodyHash): MessageFacts | undefined {
    const file = this.#fileOf(accountId, hash);
    const facts = this.#recentFacts.get(file) ?? this.#factsOf(file);
    if (facts !== undefined) this.#recentFacts.set(file, facts, factsBytes(facts));
    return facts;
  }

  #factsOf(file: string): MessageFacts | undefined {
    const sizeBytes = statSync(file, { throwIfNoEntry: false })?.size;
    if (sizeBytes === undefined) return undefined;
    const stored =
      sizeBytes > SMALL_BODY_BYTES
        ? readFactsFile(file + FACTS_SUFFIX, this.#factsVersion)
        : undefined;
    if (stored !== undefined) return stored;
    const octets = this.#recentBodies.get(file) ?? readIfThere(file);
    if (octets === undefined) return undefined;
    const facts = this.#readFacts(octets);
    if (sizeBytes > SMALL_BODY_BYTES) writeFactsFile(file + FACTS_SUFFIX, facts);
    return facts;
  }

  async recover(): Promise<number> {
    const count = recoverJournal(this.#dir);
    for (const name of await readdir(this.#staging)) {
      await rm(path.join(this.#staging, name), { force: true, recursive: true });
    }
    return count;
  }

  settle(): Promise<void> {
    return this.#journal.settle();
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  remove(accountId: AccountId, hash: BodyHash, storedUpTo: Instant): Promise<Removal> {
    const file = this.#fileOf(accountId, hash);
    return this.#inLine(file, async () => {
      // Its time may say something else: clocks are set.
      const removal = this.#wanted.has(file) ? 'young' : await removeBody(file, storedUpTo);
      if (removal === 'removed' || removal === 'missing') {
        this.#recentBodies.drop(file);
        this.#recentFacts.drop(file);
      }
      return removal;
    });
  }

  verifyBody(accountId: AccountId, hash: BodyHash): Promise<BodyState> {
    return stateOf(this.#fileOf(accountId, hash), hash);
  }

  #fileOf(accountId: AccountId, hash: BodyHash): string {
    return bodyFile(this.#dir, accountId, hash);
  }
}

/** Makes the files that a power cut took; only while nobody stores. How many bodies stood there. */
export function recoverJournal(dir: string): number {
  return recoverBodies(dir, (accountId, hash) => bodyFile(dir, accountId, hash));
}

/** Where the body of an account is, if it has it. */
export function bodyFile(dir: string, accountId: AccountId, hash: BodyHash): string {
  if (!Number.isSafeInteger(accountId) || !/^[0-9a-f]{64}$/.test(hash)) {
    throw new RangeError(`not the name of a body: ${accountId} ${hash}`);
  }
  return `${dir}/accounts/${accountId}/bodies/${hash.slice(0, 2)}/${hash}`;
}

/** With one request to the system, unlike `rm`, which looks first: a sender waits for it. */
async function removeIfThere(file: string): Promise<void> {
  try {
    await unlink(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
