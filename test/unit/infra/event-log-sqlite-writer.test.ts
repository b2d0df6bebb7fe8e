/**
 * Groups of appends: one transaction each, and no trace of one that failed.
 */

import Database from 'better-sqlite3';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UPCASTS } from '#domain/log/upcast';
import { openLogForWriting } from '#infra/event-log-sqlite-schema';
import { requireSoundHead, verifyLog } from '#infra/event-log-sqlite-verify';
import { LogWriter, takeGroup } from '#infra/event-log-sqlite-writer';
import { type AppendText, appendText } from '#infra/event-text';
import { someEvent, someEvents } from '../../support/events.ts';
import { temporaryDirectory } from '../../support/temporary.ts';

interface Written extends AsyncDisposable {
  readonly file: string;
  readonly db: Database.Database;
  readonly writer: LogWriter;
}

async function openWriter(): Promise<Written> {
  const directory = await temporaryDirectory();
  const file = directory.file('log.db');
  const db = openLogForWriting(file);
  return {
    file,
    db,
    writer: new LogWriter(db, requireSoundHead(db, file)),
    async [Symbol.asyncDispose]() {
      db.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

function append(stream: string, expected: number, label: string, count = 1): AppendText {
  return appendText(stream, expected, someEvents(label, count), UPCASTS);
}

function bigAppend(stream: string, expected: number, label: string): AppendText {
  const event = someEvent(label, { text: 'x'.repeat(200_000) });
  return appendText(stream, expected, [event, someEvent(`${label} 2`)], UPCASTS);
}

describe('a group of appends', () => {
  it('is one commit, in which a conflict is answered to its asker alone', async () => {
    await using written = await openWriter();
    const { db, writer } = written;
    const { outcomes, fatal } = writer.commit([
      append('a', -1, 'one', 2),
      append('a', 0, 'two'),
      append('b', -1, 'three'),
      append('a', 1, 'four'),
      append('a', -1, 'one', 2),
    ]);
    assert.deepEqual(
      outcomes.map(({ type }) => type),
      ['appended', 'conflict', 'appended', 'appended', 'repeated'],
    );
    assert.equal(fatal, undefined);
    const commits = db.prepare<[], number>('SELECT last_pos FROM commits').pluck().all();
    assert.deepEqual(commits, [4]);
  });

  it('that changes nothing commits nothing', async () => {
    await using written = await openWriter();
    written.writer.commit([append('a', 3, 'one')]);
    assert.equal(written.db.prepare('SELECT count(*) FROM commits').pluck().get(), 0);
    assert.equal(written.db.prepare('SELECT count(*) FROM streams').pluck().get(), 0);
  });

  it('leaves no trace when the disk is full, and the next one can be written', async () => {
    await using written = await openWriter();
    const { db, writer, file } = written;
    writer.commit([append('a', -1, 'before')]);
    const pages = Number(db.pragma('page_count', { simple: true }));
    db.pragma(`max_page_count = ${pages + 10}`);
    const full = writer.commit([append('new', -1, 'small'), bigAppend('a', 0, 'big')]);
    assert.deepEqual(
      full.outcomes.map((outcome) => outcome.type === 'failed' && outcome.code),
      ['DiskFull', 'DiskFull'],
    );
    assert.equal(full.fatal, undefined);
    assert.equal(db.prepare('SELECT count(*) FROM events').pluck().get(), 1);
    const small = writer.commit([append('new', -1, 'small'), append('a', 0, 'more')]);
    assert.deepEqual(small.outcomes, [
      { type: 'appended', revision: 0, position: 2 },
      { type: 'appended', revision: 1, position: 3 },
    ]);
    db.pragma('max_page_count = 1000000');
    assert.equal(writer.commit([bigAppend('a', 1, 'big')]).outcomes[0]?.type, 'appended');
    assert.equal((await verifyLog(db, file)).type, 'sound');
  });

  it('is fatal when somebody else has written', async () => {
    await using written = await openWriter();
    const { db, writer } = written;
    writer.commit([append('a', -1, 'one')]);
    db.exec(
      `INSERT INTO events SELECT pos + 1, stream, rev + 1, type, time, id, data, meta FROM events`,
    );
    const { outcomes, fatal } = writer.commit([append('b', -1, 'two')]);
    assert.equal(outcomes[0]?.type, 'failed');
    assert.match(fatal ?? '', /SQLITE_CONSTRAINT/);
    assert.equal(db.inTransaction, false);
  });

  it('goes on from the revisions of an earlier run', async () => {
    await using written = await openWriter();
    const { db, writer, file } = written;
    writer.commit([append('a', -1, 'one', 3)]);
    const later = new LogWriter(db, requireSoundHead(db, file));
    const { outcomes } = later.commit([append('a', -1, 'other'), append('a', 2, 'two')]);
    assert.deepEqual(outcomes, [
      { type: 'conflict', actual: 2 },
      { type: 'appended', revision: 3, position: 4 },
    ]);
  });
});

describe('the size of a group', () => {
  it('is bounded in events and octets, but never below one append', () => {
    const many = Array.from({ length: 5 }, (_, index) => append(`s${index}`, -1, `${index}`, 400));
    assert.equal(takeGroup(many).length, 2);
    assert.equal(many.length, 3);
    const big = Array.from({ length: 30 }, (_, index) => bigAppend(`s${index}`, -1, `${index}`));
    assert.equal(takeGroup(big).length, 20);
    const huge = [{ ...append('s', -1, 'x'), bytes: 5 * 1024 * 1024 }, append('t', -1, 'y')];
    assert.equal(takeGroup(huge).length, 1);
    assert.deepEqual(takeGroup([]), []);
  });
});

describe('the connection that writes', () => {
  it('syncs at every commit', async () => {
    await using written = await openWriter();
    assert.equal(written.db.pragma('journal_mode', { simple: true }), 'wal');
    assert.equal(written.db.pragma('synchronous', { simple: true }), 2);
  });

  it('is refused where the log cannot be kept in WAL mode', () => {
    // A database in memory has no WAL, like some file systems.
    assert.throws(() => openLogForWriting(':memory:'), /does not allow durable writing/);
  });
});
