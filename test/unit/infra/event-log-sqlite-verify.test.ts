/**
 * Whatever is done to a stored log, verification finds it and says where.
 */

import Database from 'better-sqlite3';
import assert from 'node:assert/strict';
import { open, readFile, stat, truncate } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { UPCASTS } from '#domain/log/upcast';
import { eventDigest } from '#infra/event-digest';
import { openLogForReading, openLogForWriting } from '#infra/event-log-sqlite-schema';
import {
  type LogVerdict,
  requireSoundHead,
  verifyLog,
  verifyLogFile,
} from '#infra/event-log-sqlite-verify';
import { LogWriter } from '#infra/event-log-sqlite-writer';
import { appendText } from '#infra/event-text';
import { someEvents } from '../../support/events.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary.ts';

/** Ten commits of five events each, of two streams in turn; the third commit holds 11 … 15. */
async function writtenLog(): Promise<{ directory: TemporaryDirectory; file: string }> {
  const directory = await temporaryDirectory();
  const file = directory.file('log.db');
  const db = openLogForWriting(file);
  const writer = new LogWriter(db, requireSoundHead(db, file));
  for (let round = 0; round < 10; round++) {
    const last = Math.floor(round / 2) * 5 - 1;
    const stream = round % 2 === 0 ? 'even' : 'odd';
    writer.commit([appendText(stream, last, someEvents(`${round}`, 5), UPCASTS)]);
  }
  db.close();
  return { directory, file };
}

async function verdictAfter(damage: string): Promise<LogVerdict> {
  const { directory, file } = await writtenLog();
  await using _ = directory;
  const db = new Database(file);
  try {
    db.exec(damage);
    return await verifyLog(db, file);
  } finally {
    db.close();
  }
}

async function findsDamage(damage: string, position: number, reason: RegExp): Promise<void> {
  const verdict = await verdictAfter(damage);
  assert.ok(verdict.type === 'damaged', damage);
  assert.equal(verdict.position, position, verdict.reason);
  assert.match(verdict.reason, reason);
}

describe('verifying the log', () => {
  it('finds a log sound, an empty one too', async () => {
    const verdict = await verdictAfter('');
    assert.ok(verdict.type === 'sound');
    assert.deepEqual([verdict.events, verdict.position], [50, 50]);
    assert.match(verdict.hash, /^[0-9a-f]{64}$/);
    const empty = await verdictAfter('DELETE FROM events; DELETE FROM commits');
    assert.ok(empty.type === 'sound' && empty.position === 0);
  });

  it('finds a changed octet in any column', async () => {
    const changes = [
      `data = replace(data, 'label', 'lapel')`,
      `meta = replace(meta, 'c1', 'c2')`,
      'time = time + 1',
      `id = x'00112233445566778899aabbccddeeff'`,
    ];
    for (const change of changes) {
      await findsDamage(`UPDATE events SET ${change} WHERE pos = 13`, 11, /11–15/);
    }
    await findsDamage(`UPDATE types SET name = 'Other'`, 1, /1–5/);
    await findsDamage(`UPDATE streams SET name = 'x' WHERE name = 'odd'`, 6, /6–10/);
  });

  it('finds a removed event', async () => {
    await findsDamage('DELETE FROM events WHERE pos = 13', 13, /event 13 is missing/);
    await findsDamage('DELETE FROM events WHERE pos = 50', 50, /event 50 is missing/);
  });

  it('finds a swapped pair, within a stream and between streams', async () => {
    const swap = (one: number, two: number): string =>
      `UPDATE events SET pos = -1 WHERE pos = ${one};
       UPDATE events SET pos = ${one} WHERE pos = ${two};
       UPDATE events SET pos = ${two} WHERE pos = -1`;
    await findsDamage(swap(12, 13), 12, /stream even has revision 7 where 6 is due/);
    await findsDamage(swap(5, 6), 1, /1–5/);
  });

  it('finds a gap in the revisions', async () => {
    await findsDamage('UPDATE events SET rev = rev + 100 WHERE pos = 13', 13, /where 7 is due/);
  });

  it('finds a changed or removed commit', async () => {
    const zero = `UPDATE commits SET hash = zeroblob(32) WHERE last_pos = 15`;
    await findsDamage(zero, 11, /11–15/);
    await findsDamage('DELETE FROM commits WHERE last_pos = 15', 11, /11–20/);
    await findsDamage('DELETE FROM commits WHERE last_pos = 50', 46, /belongs to no commit/);
  });

  it('finds events that were put in from outside', async () => {
    const row = 'stream, rev + 100, type, time, id, data, meta FROM events WHERE pos = 50';
    await findsDamage(`INSERT INTO events SELECT 51, ${row}`, 51, /belongs to no commit/);
    await findsDamage(`INSERT INTO events SELECT -5, ${row}`, -5, /before the first/);
  });

  it('takes the digests of removed events for what retention removed', async () => {
    const { directory, file } = await writtenLog();
    await using _ = directory;
    const db = new Database(file);
    try {
      prune(db, 'odd', 10);
      assert.equal((await verifyLog(db, file)).type, 'sound');
      assert.equal(requireSoundHead(db, file).position, 50);
      db.exec('UPDATE pruned SET digest = zeroblob(32) WHERE pos = 7');
      assert.equal((await verifyLog(db, file)).type, 'damaged');
    } finally {
      db.close();
    }
  });
});

/** Removes the beginning of a stream as retention does. */
function prune(db: Database.Database, stream: string, before: number): void {
  const rows = db
    .prepare<
      [string, number],
      { pos: number; rev: number; time: number; id: string; data: string; meta: string }
    >(
      `SELECT pos, rev, time, lower(hex(id)) AS id, data, meta FROM events
       WHERE stream = (SELECT id FROM streams WHERE name = ?) AND rev < ?`,
    )
    .all(stream, before);
  for (const { pos, rev, time, id, data, meta } of rows) {
    const type = { type: 'ThingHappened', version: 1 };
    const place = { position: pos, stream, revision: rev, at: time };
    db.prepare('INSERT INTO pruned VALUES (?, ?)').run(
      pos,
      eventDigest({ ...place, ...type, id, data, meta }),
    );
    db.prepare('DELETE FROM events WHERE pos = ?').run(pos);
  }
  db.prepare('UPDATE streams SET first_rev = ? WHERE name = ?').run(before, stream);
}

describe('a dropped stream', () => {
  it('eventlog 18: leaves the hash chain checkable, and damage to the rest is found', async () => {
    const { directory, file } = await writtenLog();
    await using _ = directory;
    const db = openLogForWriting(file);
    try {
      const before = requireSoundHead(db, file);
      const writer = new LogWriter(db, before);
      assert.deepEqual(writer.commit([{ drop: 'odd' }]).outcomes, [
        { type: 'dropped', events: 25 },
      ]);
      const verdict = await verifyLog(db, file);
      assert.ok(verdict.type === 'sound');
      assert.deepEqual([verdict.events, verdict.position], [25, 50]);
      assert.equal(verdict.hash, before.hash.toString('hex'));
      assert.equal(requireSoundHead(db, file).position, 50);
      writer.commit([appendText('even', 24, someEvents('more', 3), UPCASTS)]);
      assert.equal((await verifyLog(db, file)).type, 'sound');
      db.exec('UPDATE events SET time = time + 1 WHERE pos = 13');
      const damaged = await verifyLog(db, file);
      assert.ok(damaged.type === 'damaged');
      assert.equal(damaged.position, 11);
    } finally {
      db.close();
    }
  });

  it('cannot lose a digest, nor hide the loss of another event behind one', async () => {
    for (const [harm, position] of [
      ['DELETE FROM pruned WHERE pos = 17', 17],
      ['UPDATE pruned SET digest = zeroblob(32) WHERE pos = 17', 16],
      ['DELETE FROM events WHERE pos = 3', 3],
    ] as const) {
      const { directory, file } = await writtenLog();
      await using _ = directory;
      const db = openLogForWriting(file);
      try {
        new LogWriter(db, requireSoundHead(db, file)).commit([{ drop: 'odd' }]);
        db.exec(harm);
        const verdict = await verifyLog(db, file);
        assert.ok(verdict.type === 'damaged', harm);
        assert.equal(verdict.position, position);
      } finally {
        db.close();
      }
    }
  });

  it('leaves no octet of its events in the file', async () => {
    const { directory, file } = await writtenLog();
    await using _ = directory;
    const db = openLogForWriting(file);
    const writer = new LogWriter(db, requireSoundHead(db, file));
    const [event] = someEvents('x', 1);
    assert.ok(event !== undefined);
    const secret = { ...event, data: { text: 'nobody shall read this' } };
    writer.commit([appendText('gone', -1, [secret], UPCASTS)]);
    writer.commit([{ drop: 'gone' }]);
    db.close();
    assert.equal((await readFile(file)).includes('nobody shall read this'), false);
  });

  it('is still whole for a walk that began before it was dropped', async () => {
    const { directory, file } = await writtenLog();
    await using _ = directory;
    const db = openLogForWriting(file);
    const reading = openLogForReading(file);
    try {
      const writer = new LogWriter(db, requireSoundHead(db, file));
      for (let round = 0; round < 5; round++) {
        const labels = someEvents(`more ${round}`, 400);
        writer.commit([appendText('even', 24 + round * 400, labels, UPCASTS)]);
        writer.commit([appendText('odd', 24 + round * 400, someEvents(`o${round}`, 400), UPCASTS)]);
      }
      // The walk pauses after its first thousand events.
      const walking = verifyLog(reading, file);
      writer.commit([{ drop: 'odd' }]);
      assert.equal((await walking).type, 'sound');
    } finally {
      reading.close();
      db.close();
    }
  });
});

describe('verifying a file', () => {
  it('finds damage below the tables', async () => {
    const { directory, file } = await writtenLog();
    await using _ = directory;
    assert.equal((await verifyLogFile(file)).type, 'sound');
    const handle = await open(file, 'r+');
    await handle.write(Buffer.alloc(200, 0xff), 0, 200, (await stat(file)).size - 4096 * 2);
    await handle.close();
    const found = await verifyLogFile(file).catch((error: unknown) => error);
    const sentence = found instanceof Error ? found.message : JSON.stringify(found);
    assert.match(sentence, /damaged/);
  });

  it('refuses what is not there, is no database, or is cut short', async () => {
    const { directory, file } = await writtenLog();
    await using _ = directory;
    await assert.rejects(verifyLogFile(directory.file('none.db')), /cannot be used/);
    await truncate(file, 5000);
    await assert.rejects(verifyLogFile(file), new RegExp(`${file} is damaged`));
    const handle = await open(file, 'r+');
    await handle.write('not a database at all');
    await handle.close();
    await assert.rejects(verifyLogFile(file), new RegExp(`${file} is damaged`));
  });
});
