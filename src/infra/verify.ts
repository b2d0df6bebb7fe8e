/**
 * Whether the data are what they should be: the log's hash chain, every body that something
 * refers to, and all views against a replay.
 *
 * Invariant: nothing is written that stays, but for what every start does: bodies that are in the
 * journal only are put in their places, and views are caught up.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { AccountId, BodyHash } from '#domain/values/ids';
import { heldBodiesAfter } from '#projections/body-reads';
import type { Log } from '#protocols/ports';
import { accountsIn } from './accounts-in-log.ts';
import { systemClock } from './clock.ts';
import type { Engine } from './engine.ts';
import { ServerBooks } from './server-books.ts';

/** Bodies that are asked for in one go. */
const PAGE_BODIES = 1000;

export interface Finding {
  /** What was looked at. */
  readonly where: string;
  readonly what: string;
}

/** Yields what is wrong; `note` hears what was looked at. */
export async function* verifyEngine(
  engine: Engine,
  log: Log,
  note: (text: string) => void,
): AsyncGenerator<Finding> {
  const verdict = await engine.eventLog.verify();
  const isSound = verdict.type === 'sound';
  if (!isSound) {
    const { position, reason } = verdict;
    yield { where: position === 0 ? 'log' : `log, position ${position}`, what: reason };
  } else {
    note(`log: ${verdict.events} events, head hash ${verdict.hash}`);
  }
  for (const accountId of await accountsIn(engine.eventLog)) {
    yield* verifyBodies(engine, accountId, note);
    if (!isSound) continue;
    for (const table of await engine.lanes.differences(accountId)) {
      yield { where: `views of account ${accountId}`, what: `${table} differs from the replay` };
    }
    note(`account ${accountId}: views compared with a replay`);
    for (const what of (await engine.texts?.problems(accountId)) ?? []) {
      yield { where: `texts of account ${accountId}`, what };
    }
  }
  if (isSound) yield* verifyServerViews(engine, log, note);
  else note('views not compared: a damaged log does not tell what they should say');
}

async function* verifyBodies(
  engine: Engine,
  accountId: AccountId,
  note: (text: string) => void,
): AsyncGenerator<Finding> {
  const views = await engine.lanes.account(accountId);
  const seen = new Set<BodyHash>();
  for (const mailbox of views.mailboxes()) {
    const { uids } = views.uidRuns(mailbox.mailboxId);
    for (const row of views.rows(mailbox.mailboxId, uids)) {
      if (seen.has(row.body)) continue;
      seen.add(row.body);
      const where = `${mailbox.name}, UID ${row.uid} of account ${accountId}`;
      const state = await engine.bodies.verifyBody(accountId, row.body);
      if (state !== 'whole') {
        yield { where, what: `body ${row.body} is ${state}` };
        continue;
      }
      const body = engine.bodies.read(accountId, row.body);
      const octets = (body?.length ?? 0) + Buffer.byteLength(row.prefix);
      if (octets !== row.sizeBytes) {
        yield { where, what: `${octets} octets, but the message says ${row.sizeBytes}` };
      }
    }
  }
  yield* verifyHeldBodies(engine, accountId, seen);
  note(`account ${accountId}: ${seen.size} bodies read`);
}

/** Bodies that no message has: those that were swept are not among them. */
async function* verifyHeldBodies(
  engine: Engine,
  accountId: AccountId,
  seen: Set<BodyHash>,
): AsyncGenerator<Finding> {
  for (let after = ''; ;) {
    const page = await engine.lanes.read(accountId, (sql) =>
      heldBodiesAfter(sql, after, PAGE_BODIES),
    );
    for (const body of page) {
      after = body;
      if (seen.has(body)) continue;
      seen.add(body);
      const state = await engine.bodies.verifyBody(accountId, body);
      if (state === 'whole') continue;
      const where = `outgoing and removed mail of account ${accountId}`;
      yield { where, what: `body ${body} is ${state}` };
    }
    if (page.length < PAGE_BODIES) return;
  }
}

async function* verifyServerViews(
  engine: Engine,
  log: Log,
  note: (text: string) => void,
): AsyncGenerator<Finding> {
  const dir = await mkdtemp(path.join(tmpdir(), 'daybook-verify-'));
  try {
    const replayed = await ServerBooks.open(path.join(dir, 'server.db'), {
      log: engine.eventLog,
      notes: log,
      clock: systemClock,
    });
    const right = replayed.digests();
    replayed.close();
    const ours = engine.books.digests();
    for (const [table, digest] of right) {
      if (ours.get(table) !== digest) {
        yield { where: 'views of the server', what: `${table} differs from the replay` };
      }
    }
    note('server: views compared with a replay');
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
