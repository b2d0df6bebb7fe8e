/**
 * Makes a backup: the log up to where it is now, the bodies that it needs, secrets and
 * configuration. Beside a running server it reads what is durable and stops nobody.
 *
 * Invariants: everything acknowledged before the start is in it; the manifest comes last; what is
 * in a complete backup is never written again, so that a run that ends half-way spoils nothing.
 * Bodies are on the disk before the log names them: the log first, bodies second misses none.
 */

import path from 'node:path';
import { Fault } from '#domain/values/fault';
import {
  bodiesNamed,
  BodyCarrier,
  bodyKey,
  bodyNews,
  bodySize,
  type ListedBody,
} from './backup-bodies.ts';
import {
  BadBackup,
  backupChain,
  type BackupPiece,
  type KeptFile,
  type Manifest,
  type ReadManifest,
} from './backup-manifest.ts';
import { readBodyList } from './backup-read.ts';
import { keepFiles, removeFormer, type FileSource } from './backup-kept.ts';
import {
  markComplete,
  markUnfinished,
  openTarget,
  takeOverPieces,
  writePiece,
} from './backup-target.ts';
import { bodyFile } from './bodies.ts';
import { takeDataLock } from './data-lock.ts';
import { LogExport } from './event-log-sqlite-export.ts';
import type { LogHead } from './event-log-sqlite-verify.ts';
import { logStart, segmentsOf, type Segment } from './log-segments.ts';

export interface BackupSource {
  readonly dataDir: string;
  readonly logFile: string;
  /** What there is now of secrets, configuration and, when they are wanted, keys. */
  readonly files: () => Promise<readonly FileSource[]>;
  /** Of the program. */
  readonly version: string;
  /** ISO 8601, UTC. */
  readonly now: string;
}

export interface BackupOptions {
  readonly target: string;
  /** A backup that this one needs and does not repeat. */
  readonly since?: string;
  /** Nobody writes meanwhile. */
  readonly offline: boolean;
  /** Called before each piece; what it throws ends the run. */
  readonly goOn: () => Promise<void>;
  /** Hears what was done. */
  readonly note: (text: string) => void;
  /** Hears what a person should know. */
  readonly warn: (sentence: string) => void;
}

/** Gives `<account>/<hash>` of each body that should be there and is not. */
export async function makeBackup(
  source: BackupSource,
  options: BackupOptions,
): Promise<readonly string[]> {
  const log = new LogExport(source.logFile);
  try {
    return await new Backup(source, options, log).make();
  } finally {
    log.close();
  }
}

class Backup {
  readonly #source: BackupSource;
  readonly #options: BackupOptions;
  readonly #log: LogExport;
  readonly #carrier: BodyCarrier;
  /** Needed, but neither here nor there; see `bodyKey`. */
  readonly #missing = new Set<string>();

  constructor(source: BackupSource, options: BackupOptions, log: LogExport) {
    this.#source = source;
    this.#options = options;
    this.#log = log;
    this.#carrier = new BodyCarrier(options.target, options.warn);
  }

  async make(): Promise<readonly string[]> {
    const { target, since, note } = this.#options;
    const before = since === undefined ? [] : await backupChain(since, []);
    const mark = { log: this.#log.logId, since: before.at(-1)?.manifest.hash ?? '' };
    const continued = await openTarget(target, mark);
    const chain = continued === undefined ? before : await backupChain(target, []);
    const from = this.#headOf(chain.at(-1));
    if (continued === undefined) await markUnfinished(target, mark);
    using _ = this.#alone(target);
    // A secret may be replaced while the log goes on: those of before and after are taken.
    const first = await this.#source.files();
    const head = this.#log.head();
    const files = [...first, ...(await this.#source.files())];
    note(`log: position ${head.position}, head hash ${head.hash.toString('hex')}`);
    const pieces = await this.#pieces(chain, continued, from, head);
    const kept = await keepFiles(target, files, continued?.manifest.files ?? []);
    note(`${kept.length} files of secrets and configuration`);
    const manifest = this.#manifest(head, pieces, kept, { continued, before, chain });
    await markComplete(target, `${JSON.stringify(manifest, undefined, 2)}\n`);
    await removeFormer(target, continued?.manifest.files ?? [], kept);
    return [...this.#missing];
  }

  /** Two runs would undo each other's work. */
  #alone(target: string): Disposable | undefined {
    try {
      return takeDataLock(target);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (error.temporary) throw new BadBackup(`Another run is at work in ${target}.`);
      this.#options.warn('the backup cannot be locked there: let no two runs go on at a time');
      return undefined;
    }
  }

  /** Where the backups so far end; the log must have been there too. */
  #headOf(last: ReadManifest | undefined): LogHead {
    if (last === undefined) return logStart(this.#log.logId);
    const { directory, manifest } = last;
    if (manifest.log !== this.#log.logId) {
      throw new BadBackup(`${directory} is a backup of another log.`);
    }
    const head = this.#log.headAt(manifest.position);
    if (head?.hash.toString('hex') === manifest.hash) return head;
    throw new BadBackup(
      `${directory} ends at position ${manifest.position}, where this log never was as it is ` +
        'there: since a restore it goes another way, and needs a new backup.',
    );
  }

  async #pieces(
    chain: readonly ReadManifest[],
    continued: ReadManifest | undefined,
    from: LogHead,
    to: LogHead,
  ): Promise<readonly BackupPiece[]> {
    const { target } = this.#options;
    const kept = continued?.manifest.pieces ?? [];
    const taken = await takeOverPieces(target, this.#log, from, kept);
    const last = taken.at(-1);
    const begin = last === undefined ? from : { position: last.last, hash: hashOf(last) };
    const pieces = [...kept, ...taken];
    const known = await this.#listed(othersIn(chain, continued));
    const commits = this.#log.commits(begin, to.position);
    for await (const segment of segmentsOf(this.#log.logId, begin, commits)) {
      await this.#options.goOn();
      pieces.push(await this.#piece(segment, known));
    }
    return pieces;
  }

  /** What other backups promise to have; there may be more in their directories that they lose. */
  async #listed(others: readonly ReadManifest[]): Promise<ReadonlySet<string>> {
    const keys = new Set<string>();
    for (const { directory, manifest } of others) {
      for (const piece of manifest.pieces) {
        for (const body of await readBodyList(directory, piece)) keys.add(bodyKey(body));
      }
    }
    return keys;
  }

  async #piece(segment: Segment, known: ReadonlySet<string>): Promise<BackupPiece> {
    const { dataDir } = this.#source;
    const { target, note } = this.#options;
    const listed: ListedBody[] = [];
    for (const [key, body] of bodiesNamed(segment.commits)) {
      if (known.has(key) || bodySize([target], body) !== undefined) continue;
      const size = bodySize([dataDir], body);
      if (size === undefined) this.#missing.add(key);
      else listed.push({ ...body, size });
    }
    for (const { isNeeded, ...body } of bodyNews(segment.commits)) {
      if (!isNeeded) this.#missing.delete(bodyKey(body));
    }
    const sourceOf = ({ accountId, hash }: ListedBody | { accountId: number; hash: string }) =>
      bodyFile(dataDir, accountId, hash);
    const piece = await writePiece(target, segment, listed, () =>
      this.#carrier.carry(listed, sourceOf),
    );
    note(`${piece.events} events up to position ${piece.last}, ${listed.length} bodies`);
    return piece;
  }

  #manifest(
    { position, hash }: LogHead,
    pieces: readonly BackupPiece[],
    files: readonly KeptFile[],
    { continued, before, chain }: ManifestParts,
  ): Manifest {
    const { target, offline } = this.#options;
    const { version, now } = this.#source;
    const last = before.at(-1);
    const since = continued?.manifest.since ?? (last && sinceOf(target, last));
    const all = [
      ...othersIn(chain, continued).flatMap(({ manifest }) => manifest.pieces),
      ...pieces,
    ];
    const sum = (of: (piece: BackupPiece) => number): number =>
      all.reduce((total, piece) => total + of(piece), 0);
    return {
      daybook: 'backup',
      version: 1,
      madeBy: version,
      madeAt: now,
      log: this.#log.logId,
      position,
      hash: hash.toString('hex'),
      offline,
      streams: Object.fromEntries(this.#log.streamsAt(position)),
      dropped: Object.fromEntries(this.#log.dropped()),
      counts: {
        events: sum(({ events }) => events),
        bodies: sum(({ bodies }) => bodies.count),
        bodyBytes: sum(({ bodies }) => bodies.bytes),
      },
      ...(since === undefined ? {} : { since }),
      pieces,
      files,
      missing: [...(continued?.manifest.missing ?? []), ...this.#missing],
    };
  }
}

interface ManifestParts {
  readonly continued: ReadManifest | undefined;
  readonly before: readonly ReadManifest[];
  readonly chain: readonly ReadManifest[];
}

/** Those in other directories. */
function othersIn(
  chain: readonly ReadManifest[],
  continued: ReadManifest | undefined,
): readonly ReadManifest[] {
  return continued === undefined ? chain : chain.slice(0, -1);
}

function sinceOf(
  target: string,
  { directory, manifest }: ReadManifest,
): NonNullable<Manifest['since']> {
  const where = path.relative(path.resolve(target), path.resolve(directory));
  return { directory: where, position: manifest.position, hash: manifest.hash };
}

function hashOf({ hash }: BackupPiece): Buffer {
  return Buffer.from(hash, 'hex');
}
