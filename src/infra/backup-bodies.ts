/**
 * Which bodies a part of the log stands on, and how their files get into a backup and out of it.
 *
 * A body is needed from the first fact that names it until it is swept, which is a fact as well: so
 * the log alone says what must be there, and a set difference is all that an incremental backup has
 * to do. Files are linked where that is possible, and copied else; content is never changed, so it
 * does not matter that both names are of one file.
 *
 * Invariant: a copy appears under its name only when it is whole and has the hash that it is
 * called by.
 */

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { link, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { accountOfStream } from '#domain/log/streams';
import type { AccountId, BodyHash } from '#domain/values/ids';
import { BadBackup } from './backup-manifest.ts';
import { bodyFile } from './bodies.ts';
import { storedAt } from './body-removal.ts';
import type { LogCommit } from './event-log-sqlite-verify.ts';
import {
  codeOf,
  diskFault,
  isLinkImpossible,
  PART_SUFFIX,
  syncDirectory,
  syncFile,
} from './files.ts';
import { Slots } from './slots.ts';

export interface NamedBody {
  readonly accountId: AccountId;
  readonly hash: BodyHash;
}

export interface ListedBody extends NamedBody {
  /** Octets. */
  readonly size: number;
}

const NAMED = /"body":"([0-9a-f]{64})"/g;
const SWEPT = /"([0-9a-f]{64})"/g;
const SWEEP = 'BodiesSwept';
/** Files that are linked or copied at a time. */
const AT_ONCE = 16;
/** For so long a body may be on the disk in the journal of the server only. */
const YOUNG_MS = 3_600_000;

/** Bodies that facts need from here on, and those that they let go of, in the order of the log. */
export function* bodyNews(
  commits: readonly LogCommit[],
): Generator<NamedBody & { readonly isNeeded: boolean }> {
  for (const { pieces } of commits) {
    for (const piece of pieces) {
      if (piece.removed !== undefined) continue;
      const accountId = accountOfStream(piece.stream);
      if (accountId === undefined) continue;
      // It names a body that other facts have named, and that may have been swept since.
      if (piece.type === 'WebhookQueued') continue;
      const isNeeded = piece.type !== SWEEP;
      for (const [, hash = ''] of piece.data.matchAll(isNeeded ? NAMED : SWEPT)) {
        yield { accountId, hash, isNeeded };
      }
    }
  }
}

/** The bodies that are needed at the end, or were in between, each once. */
export function bodiesNamed(commits: readonly LogCommit[]): ReadonlyMap<string, NamedBody> {
  const named = new Map<string, NamedBody>();
  for (const { accountId, hash, isNeeded } of bodyNews(commits)) {
    if (isNeeded) named.set(bodyKey({ accountId, hash }), { accountId, hash });
  }
  return named;
}

export function bodyKey({ accountId, hash }: NamedBody): string {
  return `${accountId}/${hash}`;
}

/** Octets of the body in one of the directories; undefined when none has it. */
export function bodySize(
  directories: readonly string[],
  { accountId, hash }: NamedBody,
): number | undefined {
  for (const directory of directories) {
    const found = statSync(bodyFile(directory, accountId, hash), { throwIfNoEntry: false });
    if (found !== undefined) return found.size;
  }
  return undefined;
}

/** A line each: account, hash, octets. */
export function formatBodyList(bodies: readonly ListedBody[]): Buffer {
  const lines = bodies.map(({ accountId, hash, size }) => `${accountId} ${hash} ${size}\n`);
  return Buffer.from(lines.join(''));
}

/** `name` is for complaints. */
export function parseBodyList(octets: Buffer, name: string): readonly ListedBody[] {
  const lines = octets.toString('latin1').split('\n').slice(0, -1);
  return lines.map((line) => {
    const [, account, hash, size] = /^([1-9]\d{0,15}) ([0-9a-f]{64}) (\d{1,15})$/.exec(line) ?? [];
    if (account === undefined || hash === undefined || size === undefined) {
      throw new BadBackup(`${name} is damaged: ${line.slice(0, 100)} is no body.`);
    }
    return { accountId: Number(account), hash, size: Number(size) };
  });
}

/** Carries bodies from one directory to another; both are laid out like a data directory. */
export class BodyCarrier {
  readonly #target: string;
  readonly #warn: (sentence: string) => void;
  readonly #slots = new Slots(AT_ONCE);
  readonly #made = new Set<string>();
  /** Directories with names that may not be on the disk. */
  readonly #touched = new Set<string>();
  #canLink = true;

  constructor(target: string, warn: (sentence: string) => void) {
    this.#target = target;
    this.#warn = warn;
  }

  /** On the disk when it resolves. */
  async carry(bodies: readonly NamedBody[], sourceOf: (body: NamedBody) => string): Promise<void> {
    await Promise.all(
      bodies.map((body) => this.#slots.run(() => this.#carryOne(body, sourceOf(body)))),
    );
    const touched = [...this.#touched];
    await Promise.all(touched.map((each) => this.#slots.run(() => syncDirectory(each))));
    this.#touched.clear();
  }

  async remove({ accountId, hash }: NamedBody): Promise<void> {
    await rm(bodyFile(this.#target, accountId, hash), { force: true });
  }

  async #carryOne({ accountId, hash }: NamedBody, source: string): Promise<void> {
    const file = bodyFile(this.#target, accountId, hash);
    const directory = path.dirname(file);
    await this.#make(directory);
    this.#touched.add(directory);
    if (this.#canLink) {
      try {
        await link(source, file);
        return await syncYoung(file);
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return await syncYoung(file);
        if (!isLinkImpossible(error)) throw diskFault(error);
        if (this.#canLink) this.#warn('messages are copied: files cannot be linked there');
        this.#canLink = false;
      }
    }
    await copyBody(source, file, hash);
  }

  async #make(directory: string): Promise<void> {
    if (this.#made.has(directory)) return;
    const first = await mkdir(directory, { recursive: true, mode: 0o700 });
    if (first !== undefined) {
      for (let made = directory; made.length >= first.length;) {
        made = path.dirname(made);
        this.#touched.add(made);
      }
    }
    this.#made.add(directory);
  }
}

/** A running server puts bodies on the disk a while after it has taken them. */
async function syncYoung(file: string): Promise<void> {
  const at = await storedAt(file);
  if (at !== undefined && at > Date.now() - YOUNG_MS) await syncFile(file);
}

async function copyBody(source: string, file: string, hash: BodyHash): Promise<void> {
  const part = `${file}${PART_SUFFIX}`;
  const found = createHash('sha256');
  const hashing = new Transform({
    transform(chunk: Buffer, _, done) {
      found.update(chunk);
      done(undefined, chunk);
    },
  });
  try {
    await pipeline(createReadStream(source), hashing, createWriteStream(part, { mode: 0o600 }));
    if (found.digest('hex') !== hash) {
      throw new BadBackup(`${source} is damaged: its content is not what its name says.`);
    }
    await syncFile(part);
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw diskFault(error);
  }
}
