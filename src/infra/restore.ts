/**
 * Makes a server of a backup, in a new folder: the log with the same events, places and hashes,
 * bodies, secrets and the configuration.
 *
 * Invariants: nothing is written before every file of the backup was found to be what its manifest
 * says; the configuration comes last, so that nobody serves from a folder that is not whole; what
 * fails leaves nothing. A log that is cut ends with a commit: as it once stood on the disk.
 */

import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { directoryFactOf } from '#domain/log/fact';
import { accountStream, DIRECTORY_STREAM } from '#domain/log/streams';
import { upcast, UPCASTS } from '#domain/log/upcast';
import type { AccountId } from '#domain/values/ids';
import { eventDigest } from './event-digest.ts';
import { BadBackup, backupChain, type Manifest, type ReadManifest } from './backup-manifest.ts';
import { BodyCarrier, bodyKey, bodyNews, type NamedBody } from './backup-bodies.ts';
import { alteredFiles, backupCommits, bodyIn, latestOf } from './backup-read.ts';
import type { LogCommit, LogHead, LogPiece } from './event-log-sqlite-verify.ts';
import { LOG_FILE } from './engine.ts';
import { recordedEvent } from './event-text.ts';
import { namesIn, syncDirectory } from './files.ts';
import { LogImport } from './event-log-sqlite-import.ts';
import { logStart } from './log-segments.ts';
import { restoreFiles } from './restore-files.ts';

export interface RestoreOptions {
  readonly backup: string;
  /** Where backups are that it stands on, if not where they were. */
  readonly priors: readonly string[];
  /** The folder of the new server. */
  readonly target: string;
  /** Leave out what came later; absent: everything. */
  readonly at?: RestorePoint;
  /** Nothing is added, so it goes on as if it were the old server. */
  readonly exact: boolean;
  /** Adds what is to be added to the log of a data directory that is there otherwise. */
  readonly settle: (dataDir: string) => Promise<void>;
  readonly note: (text: string) => void;
}

export type RestorePoint =
  | { readonly type: 'position'; readonly position: number }
  | { readonly type: 'time'; readonly time: number };

export interface Restored {
  readonly head: LogHead;
  readonly bodies: number;
  /** Sentences about what a person has to do before the server can start. */
  readonly toDo: readonly string[];
}

const DATA_FOLDER = 'data';

export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { backup, priors, target, at, exact, settle, note } = options;
  const chain = await backupChain(backup, priors);
  requirePossible(latestOf(chain), options);
  if ((await namesIn(target)).length > 0) {
    throw new BadBackup(`${target} is in use: give a new folder.`);
  }
  for await (const { where, what } of alteredFiles(chain, note)) {
    throw new BadBackup(where === 'backup' ? what : `${where} ${what}.`);
  }
  const dataDir = path.join(target, DATA_FOLDER);
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o750 });
    const done = await new Restore(chain, dataDir, at).run(note);
    if (done.head.position === 0) throw new BadBackup('Nothing in the backup is as early as that.');
    const files = await restoreFiles(chain, target);
    if (!exact) await settle(dataDir);
    await files.finish();
    await syncDirectory(dataDir);
    await syncDirectory(target);
    return { ...done, toDo: files.toDo };
  } catch (error) {
    for (const name of await namesIn(target)) {
      await rm(path.join(target, name), { recursive: true, force: true });
    }
    throw error;
  }
}

function requirePossible(latest: Manifest, { at, exact }: RestoreOptions): void {
  if (exact && at !== undefined) {
    throw new BadBackup('A server that is restored to an earlier point does not go on exactly.');
  }
  if (exact && !latest.offline) {
    throw new BadBackup(
      'The backup was made while a server ran, which may have gone on since: only one that was ' +
        'made with --offline can be restored with --exact.',
    );
  }
  if (at?.type === 'position' && at.position > latest.position) {
    throw new BadBackup(`The backup ends at position ${latest.position}.`);
  }
}

class Restore {
  readonly #chain: readonly ReadManifest[];
  readonly #dataDir: string;
  readonly #at: RestorePoint | undefined;
  readonly #carrier: BodyCarrier;
  /** Streams that are gone, with the heads that they had. */
  #dropped: ReadonlyMap<string, number> = new Map();
  readonly #bodies = new Set<string>();

  constructor(chain: readonly ReadManifest[], dataDir: string, at: RestorePoint | undefined) {
    this.#chain = chain;
    this.#dataDir = dataDir;
    this.#at = at;
    this.#carrier = new BodyCarrier(dataDir, () => undefined);
  }

  async run(note: (text: string) => void): Promise<Omit<Restored, 'toDo'>> {
    const { log } = latestOf(this.#chain);
    this.#dropped = await this.#droppedByThen();
    const file = new LogImport(path.join(this.#dataDir, LOG_FILE), log);
    let head = logStart(log);
    try {
      for await (const all of backupCommits(this.#chain)) {
        const commits = this.#upToCut(all).map((commit) => this.#withoutDropped(commit));
        file.write(commits);
        await this.#carryBodies(commits);
        head = commits.at(-1)?.head ?? head;
        note(`events up to position ${head.position}`);
        if (commits.length < all.length) break;
      }
      for (const [stream, last] of this.#dropped) file.noteDropped(stream, last);
    } finally {
      file.close();
    }
    return { head, bodies: this.#bodies.size };
  }

  /**
   * What was dropped by the time of the backup stays so, when all of it is restored. At an earlier
   * point only accounts are known to have been erased: that is a fact.
   */
  async #droppedByThen(): Promise<ReadonlyMap<string, number>> {
    const dropped = new Map(Object.entries(latestOf(this.#chain).dropped));
    if (this.#at === undefined || dropped.size === 0) return dropped;
    const erased = new Set<string>();
    for await (const all of backupCommits(this.#chain)) {
      const commits = this.#upToCut(all);
      for (const piece of commits.flatMap(({ pieces }) => pieces)) {
        const accountId = erasedAccount(piece);
        if (accountId !== undefined) erased.add(accountStream(accountId));
      }
      if (commits.length < all.length) break;
    }
    return new Map([...dropped].filter(([stream]) => erased.has(stream)));
  }

  /** Time runs with the log, but for clocks that were set back: the first later event ends it. */
  #upToCut(commits: readonly LogCommit[]): readonly LogCommit[] {
    const at = this.#at;
    if (at === undefined) return commits;
    const end = commits.findIndex(({ head, pieces }) =>
      at.type === 'position'
        ? head.position > at.position
        : pieces.some((piece) => piece.removed === undefined && piece.at > at.time),
    );
    return end < 0 ? commits : commits.slice(0, end);
  }

  #withoutDropped(commit: LogCommit): LogCommit {
    if (this.#dropped.size === 0) return commit;
    const pieces = commit.pieces.map((piece) =>
      piece.removed === undefined && this.#dropped.has(piece.stream)
        ? { position: piece.position, removed: eventDigest(piece) }
        : piece,
    );
    return { ...commit, pieces };
  }

  async #carryBodies(commits: readonly LogCommit[]): Promise<void> {
    const needed = new Map<string, NamedBody>();
    const swept = new Map<string, NamedBody>();
    for (const { isNeeded, ...body } of bodyNews(commits)) {
      const key = bodyKey(body);
      (isNeeded ? needed : swept).set(key, body);
      (isNeeded ? swept : needed).delete(key);
    }
    const sources = new Map<NamedBody, string>();
    for (const [key, body] of needed) {
      const source = this.#bodies.has(key) ? undefined : bodyIn(this.#chain, body);
      if (source === undefined) continue;
      sources.set(body, source);
      this.#bodies.add(key);
    }
    await this.#carrier.carry([...sources.keys()], (body) => sources.get(body) ?? '');
    for (const [key, body] of swept) {
      if (this.#bodies.delete(key)) await this.#carrier.remove(body);
    }
  }
}

/** The account that is nothing but a number from this fact on. */
function erasedAccount(piece: LogPiece): AccountId | undefined {
  if (piece.removed !== undefined || piece.stream !== DIRECTORY_STREAM) return undefined;
  if (piece.type !== 'AccountErased') return undefined;
  const { stream, revision, position } = piece;
  const recorded = recordedEvent(piece, stream, revision, position);
  const fact = directoryFactOf(upcast(recorded, UPCASTS));
  return fact.event.type === 'AccountErased' ? fact.event.accountId : undefined;
}
