/**
 * Lists of all messages are made once, and again when messages came or went.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UidRuns } from '#domain/values/uid-runs';
import { uidRange, uidSetOf } from '#domain/values/uid-set';
import { KeptLists } from '#protocols/imap/kept-lists';

const THREE = new UidRuns(uidRange(1, 3));
const FOUR = THREE.with(uidRange(4, 4));

interface Bench {
  /** The messages that are there. */
  runs: UidRuns;
  /** The names of the lists that were made. */
  readonly made: readonly string[];
  list(name: string, uids?: readonly number[], told?: UidRuns): Promise<readonly number[]>;
}

function bench(): Bench {
  const made: string[] = [];
  const lists = new KeptLists<readonly number[]>(() => world.runs);
  const world: Bench = {
    runs: THREE,
    made,
    list: (name, uids = [1, 2, 3], told = world.runs) =>
      lists.get(name, uidSetOf(uids), told, async () => {
        made.push(name);
        return uids;
      }),
  };
  return world;
}

describe('a list of all messages', () => {
  it('is made once, each by its name', async () => {
    const { list, made } = bench();
    for (const name of ['a', 'b', 'a', 'b']) assert.deepEqual(await list(name), [1, 2, 3]);
    assert.deepEqual(made, ['a', 'b']);
  });

  it('is made anew when messages came or went', async () => {
    const world = bench();
    await world.list('a');
    world.runs = FOUR;
    assert.deepEqual(await world.list('a', [1, 2, 3, 4]), [1, 2, 3, 4]);
    world.runs = THREE;
    assert.deepEqual(await world.list('a'), [1, 2, 3]);
    assert.equal(world.made.length, 3);
  });

  it('is not that of some of them', async () => {
    const { list, made } = bench();
    await list('a');
    assert.deepEqual(await list('a', [1, 3]), [1, 3]);
    assert.deepEqual(await list('a'), [1, 2, 3]);
    assert.equal(made.length, 2);
  });

  it('is not that of a client that was told of others', async () => {
    const world = bench();
    world.runs = FOUR;
    await world.list('a', [1, 2, 3], THREE);
    await world.list('a', [1, 2, 3], THREE);
    assert.equal(world.made.length, 2);
  });

  it('is forgotten when four others were made since', async () => {
    const { list, made } = bench();
    for (const name of ['a', 'b', 'c', 'd', 'e', 'b', 'a']) await list(name);
    assert.deepEqual(made, ['a', 'b', 'c', 'd', 'e', 'a']);
  });

  it('is not kept when messages came while it was made', async () => {
    const lists = new KeptLists<string>(() => runs);
    let runs = THREE;
    const slow = Promise.withResolvers<string>();
    const made = lists.get('a', THREE.uids, THREE, () => slow.promise);
    runs = FOUR;
    slow.resolve('of three');
    assert.equal(await made, 'of three');
    assert.equal(await lists.get('a', FOUR.uids, FOUR, () => 'of four'), 'of four');
  });
});
