/**
 * Reads backups: the events in them, the files, and whether all of it is what the manifests say.
 */

import { hash as digest } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RecordedEvent } from '#domain/log/event';
import { accountFactsOf, auditFactOf, directoryFactOf, reportFactOf } from '#domain/log/fact';
import {
  accountOfStream,
  DIRECTORY_STREAM,
  isAuditStream,
  isReportStream,
} from '#domain/log/streams';
import { currentVersion, upcast, UPCASTS } from '#domain/log/upcast';
import type { BodyHash } from '#domain/values/ids';
import {
  bodyKey,
  bodyNews,
  bodySize,
  parseBodyList,
  type ListedBody,
  type NamedBody,
} from './backup-bodies.ts';
import {
  BadBackup,
  backupChain,
  readBackupFile,
  type BackupPiece,
  type Manifest,
  type ReadManifest,
} from './backup-manifest.ts';
import { bodyFile, SMALL_BODY_BYTES } from './bodies.ts';
import { stateOf } from './body-files.ts';
import { recordedEvent } from './event-text.ts';
import type { LogCommit, LogHead } from './event-log-sqlite-verify.ts';
import { pathBelow } from './files.ts';
import { logStart, readSegment } from './log-segments.ts';
import type { Finding } from './verify.ts';

/** The latest of a chain of backups, the oldest of which is first. */
export function latestOf(chain: readonly ReadManifest[]): Manifest {
  const last = chain.at(-1);
  if (last === undefined) throw new Error('there is no backup');
  return last.manifest;
}

/** The commits of each piece, from the beginning of the log; every hash is made again. */
export async function* backupCommits(
  chain: readonly ReadManifest[],
): AsyncGenerator<readonly LogCommit[]> {
  let head: LogHead = logStart(latestOf(chain).log);
  for (const { directory, manifest } of chain) {
    for (const piece of manifest.pieces) {
      const octets = await readBackupFile(directory, piece);
      const name = pathBelow(directory, piece.path);
      const commits = await readSegment(octets, manifest.log, head, name);
      head = commits.at(-1)?.head ?? head;
      yield commits;
    }
    if (manifest.position === head.position && manifest.hash === head.hash.toString('hex'))
      continue;
    throw new BadBackup(`${directory} is damaged: its log ends at position ${head.position}.`);
  }
}

/** Where the body is, the latest first: it has what it lists. Undefined when none has it. */
export function bodyIn(chain: readonly ReadManifest[], body: NamedBody): string | undefined {
  const found = chain.findLast(({ directory }) => bodySize([directory], body) !== undefined);
  return found && bodyFile(found.directory, body.accountId, body.hash);
}

/** Everything in the backups that is not what their manifests say. */
export async function* alteredFiles(
  chain: readonly ReadManifest[],
  note: (text: string) => void,
): AsyncGenerator<Finding> {
  for (const { directory, manifest } of chain) {
    for (const file of manifest.files) yield* complaint(() => readBackupFile(directory, file));
    note(`${directory}: ${manifest.files.length} files of configuration and secrets read`);
    for (const piece of manifest.pieces) {
      yield* complaint(() => readBackupFile(directory, piece));
      yield* alteredBodies(directory, piece);
      note(
        `${directory}: events up to position ${piece.last} and ${piece.bodies.count} bodies read`,
      );
    }
  }
}

async function* alteredBodies(directory: string, piece: BackupPiece): AsyncGenerator<Finding> {
  let bodies: readonly ListedBody[] = [];
  yield* complaint(async () => {
    bodies = await readBodyList(directory, piece);
  });
  for (const { accountId, hash, size } of bodies) {
    const where = bodyFile(directory, accountId, hash);
    const found = bodySize([directory], { accountId, hash });
    if (found === undefined) yield { where, what: 'is missing' };
    else if (found !== size) yield { where, what: `does not have ${size} octets` };
    else if (!(await isWhole(where, size, hash))) yield { where, what: 'was altered' };
  }
}

/** Most bodies are small, and there are many. */
async function isWhole(file: string, size: number, expected: BodyHash): Promise<boolean> {
  if (size > SMALL_BODY_BYTES) return (await stateOf(file, expected)) === 'whole';
  return digest('sha256', readFileSync(file)) === expected;
}

export async function readBodyList(
  directory: string,
  { bodies }: BackupPiece,
): Promise<readonly ListedBody[]> {
  return parseBodyList(await readBackupFile(directory, bodies), pathBelow(directory, bodies.path));
}

async function* complaint(look: () => Promise<unknown>): AsyncGenerator<Finding> {
  try {
    await look();
  } catch (error) {
    if (!(error instanceof BadBackup)) throw error;
    yield { where: 'backup', what: error.message };
  }
}

/** All that is wrong with a backup and those before it. Writes nothing. */
export async function* verifyBackup(
  directory: string,
  elsewhere: readonly string[],
  note: (text: string) => void,
): AsyncGenerator<Finding> {
  const chain = await backupChain(directory, elsewhere);
  yield* alteredFiles(chain, note);
  const check = new LogCheck(chain);
  yield* complaint(async () => {
    for await (const commits of backupCommits(chain)) check.take(commits);
    check.end();
  });
  yield* check.findings;
  const { position, hash } = latestOf(chain);
  note(`log: ${check.events} events up to position ${position}, head hash ${hash}`);
}

/** Whether events can be read, follow each other, and have their bodies. */
class LogCheck {
  readonly findings: Finding[] = [];
  readonly #chain: readonly ReadManifest[];
  readonly #heads = new Map<string, number>();
  /** Needed, and not there. */
  readonly #missing = new Set<string>();
  events = 0;

  constructor(chain: readonly ReadManifest[]) {
    this.#chain = chain;
  }

  take(commits: readonly LogCommit[]): void {
    for (const { pieces } of commits) {
      for (const piece of pieces) {
        if (piece.removed !== undefined) continue;
        const { position, stream, revision } = piece;
        this.events++;
        const due = (this.#heads.get(stream) ?? revision - 1) + 1;
        if (revision !== due)
          this.#find(position, `${stream} has revision ${revision}, not ${due}`);
        this.#heads.set(stream, revision);
        this.#read(recordedEvent(piece, stream, revision, position));
      }
    }
    for (const { accountId, hash, isNeeded } of bodyNews(commits)) {
      const body = { accountId, hash };
      if (!isNeeded) this.#missing.delete(bodyKey(body));
      else if (bodyIn(this.#chain, body) === undefined) this.#missing.add(bodyKey(body));
    }
  }

  end(): void {
    for (const [stream, head] of Object.entries(latestOf(this.#chain).streams)) {
      const found = this.#heads.get(stream);
      if (found !== head) this.#find(0, `${stream} ends at ${found ?? 'nothing'}, not ${head}`);
    }
    for (const key of this.#missing) {
      const [account, hash] = key.split('/');
      this.findings.push({ where: `account ${account}`, what: `body ${hash} is missing` });
    }
  }

  #read(recorded: RecordedEvent): void {
    const { type, version, position } = recorded;
    if (version > currentVersion(type, UPCASTS)) {
      return this.#find(position, `${type} ${version} is of a newer release`);
    }
    try {
      requireKnown(upcast(recorded, UPCASTS));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#find(position, error.message);
    }
  }

  #find(position: number, what: string): void {
    this.findings.push({ where: position === 0 ? 'log' : `log, position ${position}`, what });
  }
}

function requireKnown(event: RecordedEvent): void {
  const { stream } = event;
  if (stream === DIRECTORY_STREAM) directoryFactOf(event);
  else if (isAuditStream(stream)) auditFactOf(event);
  else if (isReportStream(stream)) reportFactOf(event);
  else if (accountOfStream(stream) !== undefined) accountFactsOf([event], 0);
  else throw new Error(`nobody knows the stream ${stream}`);
}
