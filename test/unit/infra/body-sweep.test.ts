/**
 * Bodies go when nothing has needed them for long enough, and no sooner.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { accountStream, type AccountEvent } from '#domain/log/streams';
import type { AccountId, BodyHash, QueueId } from '#domain/values/ids';
import { BodySweep, RETIRED_MS } from '#infra/body-sweep';
import { mail } from '../../support/mail.ts';
import { SUBMISSION } from '../../support/queued.ts';
import { ALICE, openWorld, type World } from '../../support/world.ts';

const DAY_MS = 86_400_000;
const KEPT_MS = 14 * DAY_MS;
const LETTER = mail('Subject: letter', '', 'text');
const OTHER = mail('Subject: other', '', 'text');

async function* once(octets: Buffer): AsyncGenerator<Buffer> {
  yield octets;
}

function hashOf(octets: Buffer): BodyHash {
  return createHash('sha256').update(octets).digest('hex');
}

interface Swept extends AsyncDisposable {
  readonly world: World;
  readonly sweep: BodySweep;
  /** By number. */
  readonly accounts: Map<AccountId, string>;
  /** Time goes on, and the server looks at its accounts. */
  later(ms: number): Promise<void>;
  isThere(octets: Buffer): boolean;
  /** Every body that was recorded as swept. */
  recorded(): Promise<readonly BodyHash[]>;
  /** Puts a message into the Inbox; the file is as old as the clock says. */
  store(octets: Buffer): Promise<BodyHash>;
  /** The same without a message. */
  keep(octets: Buffer): Promise<BodyHash>;
  /** Puts it into the queue, for two recipients. */
  send(body: BodyHash): Promise<readonly [QueueId, QueueId]>;
  expunge(): Promise<void>;
}

async function swept(): Promise<Swept> {
  const world = await openWorld();
  const dir = path.resolve(world.bodyFile(ALICE, '0'.repeat(64)), '../../../../..');
  const accounts = new Map([[ALICE, 'alice']]);
  const sweep = new BodySweep({
    dir,
    bodies: world.bodies,
    lanes: world.commands,
    accounts: () => accounts,
    clock: world.clock,
    notes: world.log,
    keepExpungedMs: KEPT_MS,
    fatal: (error) => assert.fail(String(error)),
  });
  const fileOf = (hash: BodyHash): string => world.bodyFile(ALICE, hash);
  const agedTo = async (hash: BodyHash): Promise<BodyHash> => {
    const now = new Date(world.clock.now());
    await utimes(fileOf(hash), now, now);
    return hash;
  };
  return {
    world,
    sweep,
    accounts,
    async later(ms) {
      world.clock.advance(ms);
      await sweep.sweep();
    },
    isThere: (octets) => existsSync(fileOf(hashOf(octets))),
    async recorded() {
      const events = await world.eventLog.read(accountStream(ALICE), 0, 10_000);
      return events.flatMap(({ type, data }) => {
        const event = { type, ...data } as AccountEvent;
        return event.type === 'BodiesSwept' ? event.bodies : [];
      });
    },
    async store(octets) {
      await world.append(ALICE, 'Inbox', { octets });
      return agedTo(hashOf(octets));
    },
    async keep(octets) {
      const staged = await world.bodies.stage(once(octets), 1000);
      await world.bodies.link(staged, ALICE);
      await staged.discard();
      return agedTo(staged.hash);
    },
    async send(body) {
      const recipients = [{ recipient: 'a@example.net' }, { recipient: 'b@example.net' }];
      const { answer } = await world.execute(ALICE, {
        type: 'QueueMessage',
        ...SUBMISSION,
        recipients,
        body,
      });
      const [first, second] = answer.items;
      assert.ok(first !== undefined && second !== undefined);
      return [first.queueId, second.queueId];
    },
    async expunge() {
      const flags = ['\\Deleted'];
      const uids = [[1, 1000]] as const;
      await world.execute(ALICE, { type: 'ChangeFlags', mailboxId: 1, uids, op: 'add', flags });
      await world.execute(ALICE, { type: 'ExpungeMessages', mailboxId: 1 });
    },
    async [Symbol.asyncDispose]() {
      await sweep.stop();
      await world[Symbol.asyncDispose]();
    },
  };
}

/** A message is gone and its body decided to be swept, which is not done yet. */
async function decideUpon({ store, expunge, world }: Swept, octets: Buffer): Promise<void> {
  const hash = await store(octets);
  await expunge();
  const at = world.clock.now();
  const limits = { expungedUpTo: at, retiredUpTo: at };
  await world.execute(ALICE, { type: 'SweepBodies', bodies: [hash], ...limits });
}

describe('the body of a message', () => {
  it('stays for the time of grace after the message was removed, then goes', async () => {
    await using made = await swept();
    const hash = await made.store(LETTER);
    await made.store(OTHER);
    await made.later(30 * DAY_MS);
    assert.ok(made.isThere(LETTER));
    await made.expunge();
    await made.store(OTHER);
    await made.later(KEPT_MS - 1);
    assert.ok(made.isThere(LETTER));
    await made.later(DAY_MS);
    assert.equal(made.isThere(LETTER), false);
    assert.equal(made.isThere(OTHER), true);
    assert.deepEqual(await made.recorded(), [hash]);
    await made.later(DAY_MS);
    assert.deepEqual(await made.recorded(), [hash]);
  });

  it('is decided about before it goes, and touches no mailbox', async () => {
    await using made = await swept();
    await made.store(LETTER);
    await made.expunge();
    const views = await made.world.views.account(ALICE);
    const before = views.mailboxes();
    await made.later(KEPT_MS + 1);
    assert.equal(made.isThere(LETTER), false);
    assert.deepEqual(views.mailboxes(), before);
  });

  it('stays when the content came again', async () => {
    await using made = await swept();
    await made.store(LETTER);
    await made.expunge();
    await made.store(LETTER);
    await made.later(KEPT_MS * 3);
    assert.ok(made.isThere(LETTER));
    assert.deepEqual(await made.recorded(), []);
  });

  it('stays when it was stored again and its message has not come yet', async () => {
    await using made = await swept();
    const hash = await made.store(LETTER);
    await made.expunge();
    made.world.clock.advance(KEPT_MS * 2);
    const justNow = new Date(made.world.clock.now() - 1);
    await utimes(made.world.bodyFile(ALICE, hash), justNow, justNow);
    await made.sweep.sweep();
    assert.ok(made.isThere(LETTER));
    assert.deepEqual(await made.recorded(), []);
    await made.later(DAY_MS * 2);
    assert.equal(made.isThere(LETTER), false);
  });

  it('goes with many others', async () => {
    await using made = await swept();
    const letters = Array.from({ length: 250 }, (_, i) => mail(`Subject: ${i}`, '', 'text'));
    for (const letter of letters) await made.store(letter);
    await made.expunge();
    await made.later(KEPT_MS + 1);
    assert.deepEqual(letters.filter(made.isThere), []);
    assert.equal((await made.recorded()).length, 250);
  });
});

describe('the body of outgoing mail', () => {
  it('queue 5: is gone within a day after the last recipient was served', async () => {
    await using made = await swept();
    const { world } = made;
    const hash = await made.keep(LETTER);
    const [first, second] = await made.send(hash);
    await world.execute(ALICE, { type: 'DropMessages', queueIds: [first] });
    await made.later(2 * DAY_MS);
    assert.ok(made.isThere(LETTER));
    await world.execute(ALICE, { type: 'DropMessages', queueIds: [second] });
    await made.later(RETIRED_MS - 1);
    assert.ok(made.isThere(LETTER));
    await made.later(DAY_MS);
    assert.equal(made.isThere(LETTER), false);
    assert.deepEqual(await made.recorded(), [hash]);
  });

  it('stays with the copy in a mailbox, as long as that', async () => {
    await using made = await swept();
    const hash = await made.store(LETTER);
    await made.world.execute(ALICE, { type: 'DropMessages', queueIds: await made.send(hash) });
    await made.later(30 * DAY_MS);
    assert.ok(made.isThere(LETTER));
    await made.expunge();
    await made.later(KEPT_MS - DAY_MS);
    assert.ok(made.isThere(LETTER));
    await made.later(2 * DAY_MS);
    assert.equal(made.isThere(LETTER), false);
  });

  it('stays while the message waits, although the copy was removed', async () => {
    await using made = await swept();
    const hash = await made.store(LETTER);
    await made.send(hash);
    await made.expunge();
    await made.later(KEPT_MS * 2);
    assert.ok(made.isThere(LETTER));
  });
});

describe('a body that was stored and never used', () => {
  it('goes within a week, and one that was stored lately stays', async () => {
    await using made = await swept();
    const hash = hashOf(LETTER);
    const file = made.world.bodyFile(ALICE, hash);
    await mkdir(path.dirname(file), { recursive: true });
    for (const name of [file, `${file}.facts`, path.join(path.dirname(file), 'half.part')]) {
      await writeFile(name, 'x');
      const now = new Date(made.world.clock.now());
      await utimes(name, now, now);
    }
    await made.later(DAY_MS / 2);
    assert.ok(existsSync(file));
    for (let day = 0; day < 8; day++) await made.later(DAY_MS);
    assert.equal(existsSync(file), false);
    assert.equal(existsSync(`${file}.facts`), false);
    assert.equal(existsSync(path.join(path.dirname(file), 'half.part')), false);
    assert.deepEqual(await made.recorded(), []);
  });

  it('is told from bodies in their time of grace', async () => {
    await using made = await swept();
    await made.store(LETTER);
    await made.expunge();
    for (let day = 1; day < 14; day++) await made.later(DAY_MS);
    assert.ok(made.isThere(LETTER));
  });
});

describe('sweeping', () => {
  it('waits while it is paused', async () => {
    await using made = await swept();
    await made.store(LETTER);
    await made.expunge();
    const { promise, resolve } = Promise.withResolvers<void>();
    const paused = made.sweep.paused(async () => {
      await promise;
      return made.isThere(LETTER);
    });
    const later = made.later(KEPT_MS + 1);
    await new Promise((next) => setImmediate(next));
    resolve();
    assert.equal(await paused, true);
    await later;
    assert.equal(made.isThere(LETTER), false);
  });

  it('ends what an earlier run has decided and not done', async () => {
    await using made = await swept();
    await decideUpon(made, LETTER);
    assert.ok(made.isThere(LETTER));
    await made.later(DAY_MS * 2);
    assert.equal(made.isThere(LETTER), false);
  });

  it('does not remove what was decided about and came again', async () => {
    await using made = await swept();
    await decideUpon(made, LETTER);
    await made.store(LETTER);
    await made.later(DAY_MS * 20);
    assert.ok(made.isThere(LETTER));
  });

  it('leaves every message its body that comes while it removes the same content', async () => {
    await using made = await swept();
    // Files are as old as the system says: the clock of the test must not overtake it.
    for (let round = 0; round < 12; round++) {
      await made.store(LETTER);
      await made.expunge();
      made.world.clock.advance(KEPT_MS + DAY_MS);
      const sweeping = made.sweep.sweep();
      for (let i = 0; i < round; i++) await new Promise((next) => setImmediate(next));
      await made.world.append(ALICE, 'Inbox', { octets: LETTER });
      await sweeping;
      const state = await made.world.bodies.verifyBody(ALICE, hashOf(LETTER));
      assert.equal(state, 'whole', `round ${round}`);
      await made.expunge();
    }
    assert.ok((await made.recorded()).length > 0, 'nothing was removed meanwhile');
  });

  it('leaves an account alone that is removed while it waits', async () => {
    await using made = await swept();
    await made.store(LETTER);
    await made.expunge();
    const removed = made.sweep.paused(async () => void made.accounts.delete(ALICE));
    await Promise.all([made.later(KEPT_MS + 1), removed]);
    assert.ok(made.isThere(LETTER));
    assert.deepEqual(await made.recorded(), []);
  });

  it('looks at the next account after a rest, or stops', async () => {
    await using made = await swept();
    await made.store(LETTER);
    await made.expunge();
    made.accounts.set(2, 'carol');
    const { clock } = made.world;
    const looks: number[] = [];
    const slow: World['commands']['tidy'] = async (accountId) => {
      looks.push(accountId);
      clock.advance(50);
    };
    made.world.commands.tidy = slow;
    const others = clock.waiting;
    const stopping = new AbortController();
    const sweeping = made.sweep.sweep(stopping.signal);
    while (clock.waiting === others) await new Promise((next) => setImmediate(next));
    assert.deepEqual(looks, [ALICE]);
    clock.advance(150);
    while (clock.waiting === others) await new Promise((next) => setImmediate(next));
    assert.deepEqual(looks, [ALICE, 2]);
    stopping.abort();
    await sweeping;
    assert.equal(clock.waiting, others);
  });

  it('begins a while after the start, and goes on until it is stopped', async () => {
    await using made = await swept();
    await made.store(LETTER);
    await made.expunge();
    made.sweep.start();
    made.world.clock.advance(KEPT_MS + DAY_MS);
    await made.sweep.stop();
    assert.equal(made.world.clock.waiting, 1);
  });
});
