/**
 * Keeps bodies in the journal of a directory until it is killed; says the name of each when it is
 * kept. Some come alone, some at the same time, some for two accounts, some settle what is there.
 */

import assert from 'node:assert/strict';
import { createHash, randomInt } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openBodies } from '#infra/bodies';
import { readFacts } from '#protocols/message/facts';

const [, , dir] = process.argv;
assert.ok(dir !== undefined, 'a directory');

const bodies = openBodies({
  dir,
  readFacts,
  fatal(error) {
    throw error;
  },
});
await bodies.recover();
writeSync(1, 'ready\n');

async function* oneChunk(octets: Buffer): AsyncGenerator<Buffer> {
  yield octets;
}

async function keepOne(): Promise<void> {
  const text = `Subject: ${randomInt(2 ** 40)}\r\n\r\n`.padEnd(randomInt(100, 30_000), 'words\r\n');
  const octets = Buffer.from(text);
  const staged = await bodies.stage(oneChunk(octets), octets.length);
  const accounts = randomInt(4) === 0 ? [1, 2] : [1];
  await Promise.all(accounts.map((accountId) => bodies.link(staged, accountId)));
  assert.equal(staged.hash, createHash('sha256').update(octets).digest('hex'));
  for (const accountId of accounts) writeSync(1, `${accountId} ${staged.hash}\n`);
  await staged.discard();
}

for (;;) {
  await Promise.all(Array.from({ length: randomInt(1, 20) }, keepOne));
  if (randomInt(20) === 0) await bodies.settle();
}
