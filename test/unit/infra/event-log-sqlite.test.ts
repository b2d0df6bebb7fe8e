/**
 * Opening the embedded log, and the end of its writer. What every engine does is in test/contract.
 */

import Database from 'better-sqlite3';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { Fault } from '#domain/values/fault';
import { openSqliteEventLog, type SqliteEventLog } from '#infra/event-log-sqlite';
import { someEvent, someEvents } from '../../support/events.ts';
import { temporaryDirectory } from '../../support/temporary.ts';

function open(file: string): Promise<SqliteEventLog> {
  return openSqliteEventLog({ file, onFatal: (fault) => assert.fail(fault) });
}

async function refusedWith(file: string, sentence: RegExp): Promise<void> {
  await assert.rejects(open(file), (error) => {
    assert.ok(error instanceof Fault && !error.temporary, String(error));
    assert.match(error.message, sentence);
    assert.ok(error.message.includes(file));
    return true;
  });
}

function change(file: string, sql: string): void {
  const db = new Database(file);
  db.exec(sql);
  db.close();
}

describe('opening the log', () => {
  it('refuses a file that is no database, or another one', async () => {
    await using directory = await temporaryDirectory();
    const file = directory.file('log.db');
    await writeFile(file, 'this is not a database, however long one looks at it');
    await refusedWith(file, /is damaged/);
    const other = directory.file('other.db');
    change(other, 'CREATE TABLE settings (name TEXT)');
    await refusedWith(other, /is not an event log/);
  });

  it('refuses a log whose last commit is not as it was written', async () => {
    await using directory = await temporaryDirectory();
    const file = directory.file('log.db');
    const log = await open(file);
    await log.append('account-1', -1, someEvents('a', 3));
    await log.append('account-1', 2, someEvents('b', 3));
    await log.close();
    change(file, `UPDATE events SET data = '{}' WHERE pos = 5`);
    await refusedWith(file, /is damaged: one of the events 4–6/);
    change(file, 'DELETE FROM events WHERE pos = 5');
    await refusedWith(file, /is damaged: event 5 is missing/);
  });

  it('refuses a log of a newer release', async () => {
    await using directory = await temporaryDirectory();
    const file = directory.file('log.db');
    const upcasts = new Map([['ThingHappened', [(data: object): object => data]]]);
    const log = await openSqliteEventLog({ file, onFatal: (fault) => assert.fail(fault), upcasts });
    await log.append('account-1', -1, [{ ...someEvent('a'), version: 2 }]);
    await log.close();
    await refusedWith(file, /newer release \(ThingHappened 2\)/);
    change(file, 'UPDATE info SET format = 2');
    await refusedWith(file, /newer release \(format 2\)/);
  });

  it('leaves one file behind when it is closed', async () => {
    await using directory = await temporaryDirectory();
    const log = await open(directory.file('log.db'));
    await log.append('account-1', -1, [someEvent('a')]);
    assert.equal(existsSync(directory.file('log.db-wal')), true);
    await log.close();
    assert.equal(existsSync(directory.file('log.db')), true);
    assert.equal(existsSync(directory.file('log.db-wal')), false);
  });
});

describe('verifying the open log', () => {
  it('passes a log that is being written', async () => {
    await using directory = await temporaryDirectory();
    await using log = await open(directory.file('log.db'));
    for (let n = 0; n < 5; n++) await log.append('account-1', n * 500 - 1, someEvents(`${n}`, 500));
    const [verdict] = await Promise.all([
      log.verify(),
      log.append('account-1', 2499, someEvents('meanwhile', 100)),
    ]);
    assert.equal(verdict.type, 'sound');
    assert.equal((await log.verify()).position, 2600);
  });
});

describe('the end of the writer', () => {
  it('fails what is under way, is told once, and leaves the log readable', async () => {
    await using directory = await temporaryDirectory();
    const file = directory.file('log.db');
    const faults: Fault[] = [];
    const log = await openSqliteEventLog({ file, onFatal: (fault) => faults.push(fault) });
    await log.append('account-1', -1, [someEvent('a')]);
    // Somebody else writes, so that the position of the next event is taken.
    change(
      file,
      `INSERT INTO events SELECT pos + 1, stream, 7, type, time, id, data, meta FROM events`,
    );
    // More than one group, so that some are neither written nor answered when the writer ends.
    const appends = Array.from({ length: 5 }, (_, n) =>
      log.append(`account-${n + 2}`, -1, someEvents(`${n}`, 400)),
    );
    const results = await Promise.allSettled(appends);
    for (const result of results) {
      assert.ok(result.status === 'rejected');
      assert.ok(result.reason instanceof Fault && result.reason.code === 'LogUnavailable');
    }
    await assert.rejects(log.append('account-9', -1, [someEvent('b')]), { code: 'LogUnavailable' });
    assert.equal(faults.length, 1);
    assert.match(faults[0]?.message ?? '', /writer of the event log has died/);
    assert.equal((await log.read('account-1', 0, 1)).length, 1);
    await log.close();
    assert.equal(faults.length, 1);
  });
});
