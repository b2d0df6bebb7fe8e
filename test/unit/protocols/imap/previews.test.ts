/**
 * Previews are made once, and not at any price.
 */

import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { mail } from '../../../support/mail.ts';
import { ALICE, openWorld, type World } from '../../../support/world.ts';
import type { MessageRow } from '#projections/account-views';
import { Previews } from '#protocols/imap/previews';

async function rowsOf(
  world: World,
  ...contents: readonly Buffer[]
): Promise<readonly MessageRow[]> {
  for (const octets of contents) await world.append(ALICE, 'Inbox', { octets });
  const views = await world.views.account(ALICE);
  return views.rows(1, [[1, contents.length]]);
}

describe('previews', () => {
  it('are read once for the same content', async () => {
    await using world = await openWorld();
    const [row, copy] = await rowsOf(world, mail('', 'words'), mail('', 'words'));
    assert.ok(row !== undefined && copy !== undefined);
    const read = mock.method(world.bodies, 'read');
    const previews = new Previews(world.bodies);
    assert.equal(previews.of(ALICE, row, false), 'words');
    assert.equal(previews.of(ALICE, copy, true), 'words');
    assert.equal(read.mock.callCount(), 1);
  });

  it('of large messages are not for those in a hurry, until they are known', async () => {
    await using world = await openWorld();
    const text = 'words of a long text '.repeat(100_000);
    const [row] = await rowsOf(world, mail('', text));
    assert.ok(row !== undefined);
    const read = mock.method(world.bodies, 'read');
    const previews = new Previews(world.bodies);
    assert.equal(previews.of(ALICE, row, true), undefined);
    assert.match(previews.of(ALICE, row, false) ?? '', /^words of .{180,191}$/);
    assert.match(previews.of(ALICE, row, true) ?? '', /^words of/);
    assert.equal(read.mock.callCount(), 0, 'the whole message was read');
  });

  it('are missing when the content is', async () => {
    await using world = await openWorld();
    const [row] = await rowsOf(world, mail('', 'words'));
    assert.ok(row !== undefined);
    const body = 'ab'.repeat(32);
    for (const gone of [
      { ...row, body },
      { ...row, body, sizeBytes: 10_000_000 },
    ]) {
      assert.equal(new Previews(world.bodies).of(ALICE, gone, false), undefined);
    }
  });
});
