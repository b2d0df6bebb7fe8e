/** Names of streams, and modseqs from revisions. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { accountOfStream, accountStream, modSeqAt } from '#domain/log/streams';

it('a stream belongs to an account or to none', () => {
  assert.equal(accountOfStream(accountStream(42)), 42);
  assert.equal(accountOfStream('directory'), undefined);
});

it('modseqs are positive and start above what a restore has raised', () => {
  assert.equal(modSeqAt(0, 0), 1);
  assert.equal(modSeqAt(4, 100), 105);
});
