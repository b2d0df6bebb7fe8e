/**
 * Full-text indexes: made behind the lanes, trusted when they should be, made anew when not.
 */

import assert from 'node:assert/strict';
import { existsSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { setImmediate as nextRound } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { mail } from '../../support/mail.ts';
import { ALICE, openWorld, type World } from '../../support/world.ts';
import { ViewsDatabase } from '#infra/read-models';
import type { TextIndex } from '#infra/text-index';
import type { FoundTexts } from '#projections/texts';

const APPLE = { type: 'body-text', text: 'apple' } as const;
const LATER_MS = 60_000;

async function put(world: World, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    const octets = mail('Subject: fruit', '', text);
    await world.append(ALICE, 'Inbox', { octets });
  }
}

/** An index that hears of what happens. */
function following(world: World): TextIndex {
  const index = world.openTexts();
  world.changes.of(ALICE).subscribe(({ facts }) => index.follow(ALICE, facts));
  return index;
}

/** What the index finds once it is as the test wants it; time moves on until then. */
async function eventually(
  world: World,
  index: TextIndex,
  wanted: (found: FoundTexts) => boolean,
): Promise<FoundTexts> {
  for (;;) {
    const found = await index.find(ALICE, APPLE);
    if (found !== undefined && wanted(found)) return found;
    world.clock.advance(1000);
    await nextRound();
  }
}

function ids(found: FoundTexts | undefined): object | undefined {
  return found && { sure: [...found.sure], perhaps: [...found.perhaps], upTo: found.upTo };
}

const reached =
  (upTo: number) =>
  (found: FoundTexts): boolean =>
    found.upTo === upTo;

describe('a full-text index', () => {
  it('takes in what comes, behind whoever brings it', async () => {
    await using world = await openWorld();
    const index = following(world);
    await put(world, 'an apple', 'a pear');
    assert.equal(await index.find(ALICE, APPLE), undefined, 'nothing is in it yet');
    assert.deepEqual(ids(await eventually(world, index, reached(2))), {
      sure: [1],
      perhaps: [],
      upTo: 2,
    });
    await put(world, 'pineapples', 'a plum');
    const found = await eventually(world, index, reached(4));
    assert.deepEqual([...found.sure], [1, 3]);
    assert.deepEqual(await index.problems(ALICE), []);
  });

  it('lets go of what no message has any more, and keeps what a copy has', async () => {
    await using world = await openWorld();
    const index = following(world);
    await put(world, 'apple one', 'apple two', 'apple three');
    await eventually(world, index, reached(3));
    const mailboxId = 1;
    const uids = [[1, 1]] as const;
    await world.execute(ALICE, {
      type: 'CopyMessages',
      source: mailboxId,
      uids,
      target: 'Archive',
    });
    await world.execute(ALICE, {
      type: 'ChangeFlags',
      mailboxId,
      uids: [[1, 2]],
      op: 'add',
      flags: ['\\Deleted'],
    });
    await world.execute(ALICE, { type: 'ExpungeMessages', mailboxId });
    world.clock.advance(LATER_MS);
    const found = await eventually(world, index, ({ sure }) => sure.length < 3);
    assert.deepEqual([...found.sure], [1, 3]);
    assert.deepEqual(await index.problems(ALICE), []);
  });

  it('is trusted by the next run, which goes on where it was left', async () => {
    await using world = await openWorld();
    await put(world, 'an apple', 'a pear');
    assert.equal(await world.openTexts().rebuild(ALICE), 2);
    await put(world, 'another apple');
    const index = world.openTexts();
    assert.deepEqual(ids(await index.find(ALICE, APPLE)), { sure: [1], perhaps: [], upTo: 2 });
    const found = await eventually(world, index, reached(3));
    assert.deepEqual([...found.sure], [1, 3]);
  });

  it('has to be looked into where a message is too much for it, or gone', async () => {
    await using world = await openWorld();
    await put(world, 'x'.repeat(2_500_000), 'an apple', 'a pear');
    const [, , pear] = (await world.views.account(ALICE)).textSources(-1, 3);
    rmSync(world.bodyFile(ALICE, pear?.body ?? ''));
    const index = world.openTexts();
    await index.rebuild(ALICE);
    assert.deepEqual(ids(await index.find(ALICE, APPLE)), { sure: [2], perhaps: [1, 3], upTo: 3 });
  });

  const harms: readonly (readonly [what: string, harm: (file: string) => void])[] = [
    ['is missing', (file) => rmSync(file)],
    ['is empty', (file) => truncateSync(file)],
    ['is something else', (file) => writeFileSync(file, 'x'.repeat(10_000))],
    ['is cut off', (file) => truncateSync(file, 12_288)],
    [
      'is of an older kind',
      (file) => {
        const db = new ViewsDatabase(file, 'writer');
        db.execute(['UPDATE models SET version = 0']);
        db.close();
      },
    ],
    [
      'was made from another log',
      (file) => {
        const db = new ViewsDatabase(file, 'writer');
        db.execute([`UPDATE reached SET event_id = 'another'`]);
        db.close();
      },
    ],
  ];
  for (const [what, harm] of harms) {
    it(`that ${what} is made anew, and not asked before`, async () => {
      await using world = await openWorld();
      await put(world, 'an apple', 'a pear');
      const old = world.openTexts();
      await old.rebuild(ALICE);
      await old.close();
      const file = world.textsFile(ALICE);
      for (const suffix of ['-wal', '-shm']) assert.ok(!existsSync(file + suffix), 'it is closed');
      harm(file);
      const index = world.openTexts();
      assert.equal(await index.find(ALICE, APPLE), undefined);
      assert.deepEqual([...(await eventually(world, index, reached(2))).sure], [1]);
      assert.deepEqual(await index.problems(ALICE), []);
    });
  }

  it('tells what is wrong with it', async () => {
    await using world = await openWorld();
    assert.deepEqual(await world.openTexts().problems(ALICE), [], 'none is no problem');
    await put(world, 'an apple', 'a pear', 'a plum');
    const old = world.openTexts();
    await old.rebuild(ALICE);
    await old.close();
    const db = new ViewsDatabase(world.textsFile(ALICE), 'writer');
    db.execute(['DELETE FROM sources WHERE content_id = 1', `UPDATE sources SET body = ''`]);
    db.close();
    assert.deepEqual(await world.openTexts().problems(ALICE), [
      'content 1 is missing',
      'content 2 is another',
      'content 3 is another',
    ]);
  });

  it('gives up what it does when it is closed', async () => {
    await using world = await openWorld();
    await put(world, ...Array.from({ length: 150 }, (_, i) => `apple ${i}`));
    const index = world.openTexts();
    const rebuilding = assert.rejects(index.rebuild(ALICE), { code: 'Closing' });
    const finding = index.find(ALICE, APPLE);
    await index.close();
    await rebuilding;
    assert.equal(await finding, undefined);
    assert.equal(await index.find(ALICE, APPLE), undefined);
    const next = world.openTexts();
    const found = await eventually(world, next, reached(150));
    assert.equal(found.sure.length, 150);
  });
});
