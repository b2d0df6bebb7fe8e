/** Room that is kept for when the disk is full. */

import assert from 'node:assert/strict';
import { statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { temporaryDirectory } from '../../support/temporary.ts';
import { smallDisk } from '../../support/small-disk.ts';
import { Fault } from '#domain/values/fault';
import { Ballast } from '#infra/ballast';

const BALLAST_BYTES = 16 * 1024 * 1024;

function bytesIn(dir: string): number {
  return statSync(path.join(dir, 'ballast'), { throwIfNoEntry: false })?.size ?? 0;
}

it('is made by the first who asks, given up when it is spent, and made again', async () => {
  await using directory = await temporaryDirectory();
  const ballast = new Ballast(directory.path);
  assert.equal(bytesIn(directory.path), 0);
  await Promise.all([ballast.hold(), ballast.hold()]);
  assert.equal(bytesIn(directory.path), BALLAST_BYTES);
  ballast.spend();
  assert.equal(bytesIn(directory.path), 0);
  ballast.spend();
  await ballast.hold();
  assert.equal(bytesIn(directory.path), BALLAST_BYTES);
});

it('stays from one run to the next, and is made whole after a crash', async () => {
  await using directory = await temporaryDirectory();
  await new Ballast(directory.path).hold();
  const { ino } = statSync(path.join(directory.path, 'ballast'));
  await new Ballast(directory.path).hold();
  assert.equal(statSync(path.join(directory.path, 'ballast')).ino, ino);
  truncateSync(path.join(directory.path, 'ballast'), 4096);
  await new Ballast(directory.path).hold();
  assert.equal(bytesIn(directory.path), BALLAST_BYTES);
});

it('is not made of the last room of a disk, but as soon as there is more', async (t) => {
  await using disk = await smallDisk();
  if (disk === undefined) return t.skip('a small disk cannot be mounted here');
  const ballast = new Ballast(disk.dir);
  disk.fill(BALLAST_BYTES + 1024 * 1024);
  const isFull = (error: unknown): boolean => error instanceof Fault && error.code === 'DiskFull';
  await assert.rejects(ballast.hold(), isFull);
  assert.equal(bytesIn(disk.dir), 0);
  disk.free();
  await ballast.hold();
  disk.fill(0);
  ballast.spend();
  assert.equal(bytesIn(disk.dir), 0);
  disk.free();
});
