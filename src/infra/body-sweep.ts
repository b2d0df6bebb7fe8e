/**
 * Removes bodies that nothing refers to: those let go of long enough ago, and those that were
 * stored and never used.
 *
 * Every account is looked at once a day. The views tell what was let go of; the lane of the account
 * decides, and its decision is in the log before a file goes (docs/adr/0034-sweeping-bodies.md).
 * What came to the disk without ever coming into the log is found by reading the folders, a few of
 * them each day.
 *
 * Invariants: a file goes only while no turn of its account runs, after nothing was found to refer
 * to it, and a day after it was stored or wanted again; so whoever stores a body and then refers to
 * it finds it there. Nothing is removed while `paused` runs a task.
 * Diagnostics: an account that cannot be looked at is noted and looked at again within the hour;
 * what a stop or a crash leaves undone, the first look after the start does.
 */

import { rm } from 'node:fs/promises';
import { setImmediate as nextRound } from 'node:timers/promises';
import type { SweepLimits } from '#domain/body/decide';
import { isRefusal } from '#domain/values/decision';
import { Fault } from '#domain/values/fault';
import type { AccountId, BodyHash, Instant } from '#domain/values/ids';
import {
  forgetReleasesInMail,
  indexBodies,
  lastSweptBodies,
  NO_RELEASED_BODY,
  releasedBodiesAfter,
  type ReleasedBody,
  unknownBodies,
  unneededBodies,
} from '#projections/body-reads';
import type { Sql } from '#projections/query';
import type { Clock, Log } from '#protocols/ports';
import { bodyFile, type BodyStore } from './bodies.ts';
import { lookAtShelf, SHELVES, storedAt, type Removal } from './body-removal.ts';
import { codeOf } from './files.ts';
import type { Lanes } from './lanes.ts';
import { startRepeating } from './repeating.ts';

const CAUSE = { actor: 'system:bodies' } as const;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A body stays so long after it was stored: whoever stored it may not have used it yet. */
const STORED_MS = DAY_MS;
/** The body of a message that was removed is kept so long. */
export const EXPUNGED_MS: number = 14 * DAY_MS;
/** Outgoing mail that left the queue keeps its body so long. */
export const RETIRED_MS: number = HOUR_MS;
const LOOK_MS = DAY_MS;
const LATER_MS = HOUR_MS;
/** Bodies that are decided about in one go. */
const PAGE_BODIES = 100;
/** Bodies that are removed in one go: commands of the account wait for them. */
const REMOVED_AT_ONCE = 16;
/** Contents that are taken into the index of bodies in one go. */
const INDEXED_AT_ONCE = 1000;
/** A look at an account is followed by a rest of so many times its length. */
const BREAK_PORTIONS = 3;
/** All folders in a week. */
const SHELVES_PER_LOOK: number = Math.ceil(SHELVES / 7);

export interface BodySweepPorts {
  /** The data directory. */
  readonly dir: string;
  readonly bodies: Pick<BodyStore, 'remove' | 'settle'>;
  readonly lanes: Pick<Lanes, 'between' | 'execute' | 'maintain' | 'read' | 'tidy'>;
  /** Those that are not removed. */
  readonly accounts: () => ReadonlyMap<AccountId, unknown>;
  readonly clock: Clock;
  readonly notes: Log;
  readonly fatal: (error: unknown) => void;
  /** How long the body of a removed message is kept, when it is not as long as usual. */
  readonly keepExpungedMs: number | undefined;
}

interface Look {
  /** When the next one is due. */
  dueAt: Instant;
  /** The folder that it begins with. */
  shelf: number;
  /** What was decided and not done; undefined: what the last run left is not known. */
  left: readonly BodyHash[] | undefined;
}

interface Removed {
  /** How many files. */
  readonly removed: number;
  readonly busy: readonly BodyHash[];
}

/** The account was removed meanwhile. */
class AccountGone extends Error {}

export class BodySweep {
  readonly #ports: BodySweepPorts;
  readonly #looks = new Map<AccountId, Look>();
  #repeating: { stop(): Promise<void> } | undefined;
  /** Steps and tasks, one after the other; never rejects. */
  #steps: Promise<void> = Promise.resolve();

  constructor(ports: BodySweepPorts) {
    this.#ports = ports;
  }

  start(): void {
    const rhythm = { what: 'sweeping bodies', firstMs: 5 * MINUTE_MS, everyMs: HOUR_MS };
    this.#repeating = startRepeating(this.#ports, rhythm, (signal) => this.sweep(signal));
  }

  /** Resolves when nothing is removed any more. */
  async stop(): Promise<void> {
    await this.#repeating?.stop();
    await this.#steps;
  }

  /** Runs `task` while no body goes. */
  paused<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#steps.then(task);
    this.#steps = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /** Looks at every account whose time has come. */
  async sweep(signal?: AbortSignal): Promise<void> {
    // What is old and still in the journal would come back with the next start.
    await this.#ports.bodies.settle();
    const { clock } = this.#ports;
    for (const accountId of this.#ports.accounts().keys()) {
      if (isOver(signal)) return;
      const began = clock.now();
      if (this.#lookOf(accountId).dueAt > began) continue;
      await this.#lookIfPossible(accountId, signal);
      await this.#rest(BREAK_PORTIONS * (clock.now() - began), signal);
    }
  }

  async #lookIfPossible(accountId: AccountId, signal?: AbortSignal): Promise<void> {
    const { clock, notes } = this.#ports;
    const look = this.#lookOf(accountId);
    try {
      await this.#lookAt(accountId, look, signal);
      look.dueAt = clock.now() + LOOK_MS;
    } catch (error) {
      if (error instanceof AccountGone) return;
      if (!(error instanceof Fault) && codeOf(error) === '') throw error;
      notes.warn({ account: accountId, err: error }, 'bodies not swept yet');
      look.dueAt = clock.now() + LATER_MS;
    }
  }

  /** Processors and disks are shared: mail goes first. */
  #rest(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms === 0 || isOver(signal)) return nextRound();
    return new Promise((resolve) => {
      const stop = (): void => {
        cancel();
        resolve();
      };
      const cancel = this.#ports.clock.after(ms, () => {
        signal?.removeEventListener('abort', stop);
        resolve();
      });
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  #lookOf(accountId: AccountId): Look {
    const known = this.#looks.get(accountId);
    if (known !== undefined) return known;
    const look: Look = { dueAt: 0, shelf: accountId % SHELVES, left: undefined };
    this.#looks.set(accountId, look);
    return look;
  }

  async #lookAt(accountId: AccountId, look: Look, signal?: AbortSignal): Promise<void> {
    await this.#prepare(accountId, signal);
    let count = await this.#step(accountId, () => this.#removeLeft(accountId, look));
    for (let after: ReleasedBody = NO_RELEASED_BODY; !isOver(signal); await nextRound()) {
      const page = await this.#step(accountId, () => this.#releasedAfter(accountId, after));
      const last = page.at(-1);
      if (last === undefined) break;
      after = last;
      count += await this.#step(accountId, () => this.#sweepPage(accountId, look, page));
    }
    for (let n = 0; n < SHELVES_PER_LOOK && !isOver(signal); n++) {
      count += await this.#step(accountId, () => this.#sweepShelf(accountId, look.shelf));
      look.shelf = (look.shelf + 1) % SHELVES;
      await nextRound();
    }
    if (count > 0) this.#ports.notes.info({ account: accountId, bodies: count }, 'bodies swept');
  }

  /** Brings up to date what tells which bodies were let go of, and which messages have. */
  async #prepare(accountId: AccountId, signal?: AbortSignal): Promise<void> {
    const { lanes } = this.#ports;
    await this.#step(accountId, () => lanes.tidy(accountId));
    const index = (write: Sql): boolean => indexBodies(write, INDEXED_AT_ONCE);
    while (!isOver(signal)) {
      if (!(await this.#step(accountId, () => lanes.maintain(accountId, index)))) return;
      await nextRound();
    }
  }

  /** A task that waits for others may find the account removed. */
  #step<T>(accountId: AccountId, task: () => Promise<T>): Promise<T> {
    return this.paused(() => {
      if (!this.#ports.accounts().has(accountId)) throw new AccountGone();
      return task();
    });
  }

  /** Ends what was decided before. How many files. */
  async #removeLeft(accountId: AccountId, look: Look): Promise<number> {
    look.left ??= await this.#ports.lanes.read(accountId, lastSweptBodies);
    const { removed, busy } = await this.#remove(accountId, look.left);
    look.left = busy;
    return removed;
  }

  #limits(): SweepLimits {
    const now = this.#ports.clock.now();
    const expungedUpTo = now - (this.#ports.keepExpungedMs ?? EXPUNGED_MS);
    return { expungedUpTo, retiredUpTo: now - RETIRED_MS };
  }

  #releasedAfter(accountId: AccountId, after: ReleasedBody): Promise<readonly ReleasedBody[]> {
    const limits = this.#limits();
    return this.#ports.lanes.read(accountId, (sql) =>
      releasedBodiesAfter(sql, after, limits, PAGE_BODIES),
    );
  }

  /** Decides about bodies that were let go of, and removes them. How many files. */
  async #sweepPage(
    accountId: AccountId,
    look: Look,
    page: readonly ReleasedBody[],
  ): Promise<number> {
    const unneeded = await this.#unneeded(
      accountId,
      page.map(({ body }) => body),
    );
    const bodies: BodyHash[] = [];
    for (const body of unneeded) if (await this.#isOld(accountId, body)) bodies.push(body);
    if (bodies.length === 0) return 0;
    const command = { type: 'SweepBodies', bodies, ...this.#limits() } as const;
    const done = await this.#ports.lanes.execute(accountId, command, CAUSE);
    if (isRefusal(done)) return 0;
    const { removed, busy } = await this.#remove(accountId, done.answer.swept);
    look.left = [...(look.left ?? []), ...busy];
    return removed;
  }

  /** Those that no message has; a message that has one lets go of it later. */
  async #unneeded(accountId: AccountId, bodies: readonly BodyHash[]): Promise<readonly BodyHash[]> {
    const { lanes } = this.#ports;
    const unneeded = await lanes.read(accountId, (sql) => unneededBodies(sql, bodies));
    if (unneeded.length < bodies.length) {
      await lanes.maintain(accountId, (write) => forgetReleasesInMail(write, bodies));
    }
    return unneeded;
  }

  async #isOld(accountId: AccountId, body: BodyHash): Promise<boolean> {
    const at = await storedAt(bodyFile(this.#ports.dir, accountId, body));
    return at === undefined || at <= this.#ports.clock.now() - STORED_MS;
  }

  /** Removes those that the question gives back; what somebody reads may have to wait. */
  async #remove(
    accountId: AccountId,
    bodies: readonly BodyHash[],
    question: typeof unneededBodies = unneededBodies,
  ): Promise<Removed> {
    const removals: (readonly [BodyHash, Removal])[] = [];
    const { lanes, bodies: store, clock } = this.#ports;
    const storedUpTo = clock.now() - STORED_MS;
    for (let i = 0; i < bodies.length; i += REMOVED_AT_ONCE) {
      const some = bodies.slice(i, i + REMOVED_AT_ONCE);
      await lanes.between(accountId, async (views) => {
        const free = views.read((sql) => question(sql, some));
        const results = free.map((body) => store.remove(accountId, body, storedUpTo));
        for (const [n, removal] of (await Promise.all(results)).entries()) {
          removals.push([free[n] ?? '', removal]);
        }
      });
    }
    return {
      removed: removals.filter(([, removal]) => removal === 'removed').length,
      busy: removals.filter(([, removal]) => removal === 'busy').map(([body]) => body),
    };
  }

  /** Removes from a folder what never came into the log. How many bodies. */
  async #sweepShelf(accountId: AccountId, n: number): Promise<number> {
    const { dir, lanes, clock } = this.#ports;
    const { bodies, leftovers } = await lookAtShelf(dir, accountId, n);
    const storedUpTo = clock.now() - STORED_MS;
    for (const file of leftovers) {
      const at = await storedAt(file);
      if (at !== undefined && at <= storedUpTo) await rm(file, { force: true });
    }
    let count = 0;
    for (let i = 0; i < bodies.length; i += PAGE_BODIES) {
      const page = bodies.slice(i, i + PAGE_BODIES);
      const strangers = await lanes.read(accountId, (sql) => unknownBodies(sql, page));
      count += (await this.#remove(accountId, strangers, unknownBodies)).removed;
    }
    return count;
  }
}

function isOver(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
