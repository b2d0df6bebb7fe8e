/**
 * A log that goes through a backup comes out as it was: up to any cut between two commits the same
 * events under the same hashes, and from them the same views row for row.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { arbitraryHistory } from '../support/arbitrary.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { emptyViews } from '../support/views.ts';
import type { NewEvent } from '#domain/log/event';
import { accountFactsOf, newEventOf } from '#domain/log/fact';
import type { AccountFact } from '#domain/log/streams';
import { UPCASTS } from '#domain/log/upcast';
import { LogExport } from '#infra/event-log-sqlite-export';
import { LogImport } from '#infra/event-log-sqlite-import';
import { LogReader } from '#infra/event-log-sqlite-reader';
import { openLogForWriting } from '#infra/event-log-sqlite-schema';
import { requireSoundHead, verifyLogFile, type LogCommit } from '#infra/event-log-sqlite-verify';
import { LogWriter } from '#infra/event-log-sqlite-writer';
import { appendText } from '#infra/event-text';
import { logStart, readSegment, segmentsOf } from '#infra/log-segments';

const SEED = 20_261_123;
const STREAM = 'account-7';

/** The facts in commits of a few each, with another stream in between. */
function write(file: string, facts: readonly AccountFact[], perCommit: number): void {
  const db = openLogForWriting(file);
  const writer = new LogWriter(db, requireSoundHead(db, file));
  for (let i = 0; i < facts.length; i += perCommit) {
    const events = facts.slice(i, i + perCommit).map(({ event, at, cause }): NewEvent => {
      return newEventOf(event, crypto.randomUUID(), at, cause);
    });
    const other = { id: crypto.randomUUID(), type: 'X', version: 1, at: i, data: { i }, cause };
    writer.commit([
      appendText(STREAM, i - 1, events, UPCASTS),
      appendText('directory', i / perCommit - 1, [other], UPCASTS),
    ]);
  }
  db.close();
}

const cause = { actor: 'test' };

/** The log by way of its pieces, each of which begins where the one before ended. */
async function throughPieces(file: string): Promise<readonly LogCommit[]> {
  const log = new LogExport(file);
  const read: LogCommit[] = [];
  try {
    let head = logStart(log.logId);
    const commits = log.commits(head, log.head().position);
    for await (const { octets } of segmentsOf(log.logId, head, commits)) {
      read.push(...(await readSegment(octets, log.logId, head, 'a piece')));
      head = read.at(-1)?.head ?? head;
    }
    return read;
  } finally {
    log.close();
  }
}

async function all(file: string): Promise<Awaited<ReturnType<LogReader['readAll']>>> {
  const reader = new LogReader(file, UPCASTS);
  try {
    return await reader.readAll(0, 100_000);
  } finally {
    reader.close();
  }
}

function idOf(file: string): string {
  const log = new LogExport(file);
  log.close();
  return log.logId;
}

describe('a log through a backup', () => {
  it('is the same log up to every cut', async () => {
    const someFacts = arbitraryHistory(60);
    const numbers = [fc.integer({ min: 1, max: 9 }), fc.nat()] as const;
    await fc.assert(
      fc.asyncProperty(someFacts, ...numbers, async ({ facts }, perCommit, cut) => {
        await using directory = await temporaryDirectory();
        const [old, copy] = [directory.file('old.db'), directory.file('copy.db')];
        write(old, facts, perCommit);
        const commits = await throughPieces(old);
        const kept = commits.slice(0, 1 + (cut % commits.length));
        const restored = new LogImport(copy, idOf(old));
        restored.write(kept);
        restored.close();
        const head = kept.at(-1)?.head;
        assert.partialDeepStrictEqual(await verifyLogFile(copy), {
          type: 'sound',
          position: head?.position,
          hash: head?.hash.toString('hex'),
        });
        const before = await all(old);
        const after = await all(copy);
        assert.deepEqual(after, before.slice(0, after.length));
        const own = after.filter(({ stream }) => stream === STREAM);
        const found = accountFactsOf(own, 0);
        using whole = emptyViews();
        whole.post(facts.slice(0, found.length));
        using again = emptyViews();
        again.post(found);
        assert.deepEqual(again.digests(), whole.digests());
      }),
      { numRuns: 20, seed: SEED },
    );
  });
});
