/**
 * Bodies in the journal: there when they are acknowledged, there after a power cut, and after a
 * while nowhere but in their own files.
 */

import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import {
  appendFileSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { BodyFiler, type FilingFailure } from '#infra/body-filer';
import { startFilerThread, type Filer, type StartFiler } from '#infra/body-filer-thread';
import { BodyJournal, type JournalledBody } from '#infra/body-journal';
import { recoverBodies } from '#infra/body-recovery';
import { smallDisk } from '../../support/small-disk.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../../support/temporary.ts';

const SEGMENTS = ['bodies-1.journal', 'bodies-2.journal'] as const;
const NO_ROOM: FilingFailure = { code: 'ENOSPC', message: 'ENOSPC: no space left on device' };

/** A filer that does as the test says. */
interface Told {
  /** Names in the requests, one list per group. */
  readonly groups: string[][];
  failFile: (file: string) => boolean;
  settleFails: FilingFailure;
  /** Settling ends after so many steps. */
  steps: number;
  /** Settling waits for it. */
  gate: Promise<void>;
}

interface Fixture extends AsyncDisposable {
  readonly directory: TemporaryDirectory;
  readonly journal: BodyJournal;
  readonly told: Told;
  readonly fatal: unknown[];
  keep(body: JournalledBody, accountId: number, source?: number): Promise<void>;
  fileOf(accountId: number, body: JournalledBody): string;
  recover(): number;
}

function toldFiler(told: Told): StartFiler {
  return () => {
    const filer = new BodyFiler();
    const near: Filer = {
      async file(segment, filings) {
        told.groups.push(filings.map(({ file }) => file));
        const failures = filer.file(
          segment,
          filings.filter(({ file }) => !told.failFile(file)),
        );
        return filings.map(({ file }) => (told.failFile(file) ? NO_ROOM : failures.shift()));
      },
      async settle(segment) {
        await told.gate;
        let steps = 0;
        for (const _ of filer.settle(segment)) if (++steps === told.steps) break;
        return told.settleFails;
      },
      close: async () => undefined,
    };
    return near;
  };
}

async function fixture(startFiler?: StartFiler, segmentBytes = 10_000): Promise<Fixture> {
  const directory = await temporaryDirectory();
  const told: Told = {
    groups: [],
    failFile: () => false,
    settleFails: undefined,
    steps: Infinity,
    gate: Promise.resolve(),
  };
  const fatal: unknown[] = [];
  const journal = new BodyJournal({
    dir: directory.path,
    startFiler: startFiler ?? toldFiler(told),
    fatal: (error) => fatal.push(error),
    segmentBytes,
  });
  const nameOf = (accountId: number, bodyHash: string): string =>
    directory.file(`${accountId}/bodies/${bodyHash.slice(0, 2)}/${bodyHash}`);
  const fileOf: Fixture['fileOf'] = (accountId, body) => nameOf(accountId, body.hash);
  return {
    directory,
    journal,
    told,
    fatal,
    fileOf,
    keep(body, accountId, source) {
      const file = fileOf(accountId, body);
      const sourceFile = source === undefined ? undefined : fileOf(source, body);
      return journal.keep(body, { accountId, file, source: sourceFile });
    },
    recover: () => recoverBodies(directory.path, nameOf),
    async [Symbol.asyncDispose]() {
      await journal.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

function body(text: string): JournalledBody {
  const octets = Buffer.from(text);
  return { hash: hash('sha256', octets), octets };
}

function textOf(f: Fixture, accountId: number, one: JournalledBody): string {
  return readFileSync(f.fileOf(accountId, one), 'latin1');
}

function segmentSizes(f: Fixture): number[] {
  return SEGMENTS.map(
    (name) => statSync(f.directory.file(name), { throwIfNoEntry: false })?.size ?? 0,
  );
}

describe('a body that is kept', () => {
  it('can be read, and shares one group with those that come at the same time', async () => {
    await using f = await fixture();
    const bodies = ['a', 'b', ''].map(body);
    await Promise.all(bodies.map((one) => f.keep(one, 1)));
    for (const one of bodies) assert.equal(textOf(f, 1, one), one.octets.toString());
    assert.equal(f.told.groups.length, 1);
  });

  it('comes back after a power cut: its file is gone, empty, torn or another', async () => {
    await using f = await fixture();
    const [gone, empty, torn, foreign, whole] = ['1', '22', '333', '4444', '55555'].map(body);
    assert.ok(gone && empty && torn && foreign && whole);
    for (const one of [gone, empty, torn, foreign, whole]) await f.keep(one, 1);
    rmSync(f.fileOf(1, gone));
    truncateSync(f.fileOf(1, empty), 0);
    truncateSync(f.fileOf(1, torn), 2);
    appendFileSync(f.fileOf(1, foreign), 'x');
    const { ino } = statSync(f.fileOf(1, whole));
    assert.equal(f.recover(), 5);
    for (const one of [gone, empty, torn, foreign, whole]) {
      assert.equal(textOf(f, 1, one), one.octets.toString());
    }
    assert.equal(statSync(f.fileOf(1, whole)).ino, ino);
    assert.deepEqual(segmentSizes(f), [0, 0]);
    assert.equal(f.recover(), 0);
  });

  it('is written again by a start, although it seems whole', async (t) => {
    if (process.platform === 'win32') return t.skip('tells no blocks');
    await using f = await fixture(undefined, 200_000);
    const one = body('\0'.repeat(100_000));
    await f.keep(one, 1);
    // Nothing of it is on the disk, and readers do not see that.
    truncateSync(f.fileOf(1, one), 0);
    truncateSync(f.fileOf(1, one), 100_000);
    assert.equal(statSync(f.fileOf(1, one)).blocks, 0);
    f.recover();
    assert.ok(statSync(f.fileOf(1, one)).blocks > 0);
  });

  it('is one file for several accounts, also after a power cut', async () => {
    await using f = await fixture();
    const one = body('for all');
    await Promise.all([f.keep(one, 1), f.keep(one, 2, 1)]);
    await f.keep(one, 3, 1);
    const inodes = (): number =>
      new Set([1, 2, 3].map((id) => statSync(f.fileOf(id, one)).ino)).size;
    assert.equal(inodes(), 1);
    // Its octets stand in the journal once.
    const journal = readFileSync(f.directory.file(SEGMENTS[0]), 'latin1');
    assert.equal(journal.split('for all').length, 2);
    rmSync(f.directory.file('1'), { recursive: true });
    rmSync(f.directory.file('2'), { recursive: true });
    rmSync(f.directory.file('3'), { recursive: true });
    assert.equal(f.recover(), 3);
    assert.equal(inodes(), 1);
  });

  it('gets a file of its own when the one it should share is not there', async () => {
    await using f = await fixture();
    const one = body('alone');
    f.told.failFile = (file) => file === f.fileOf(1, one);
    await assert.rejects(f.keep(one, 1), { code: 'DiskFull' });
    await f.keep(one, 2, 1);
    assert.equal(textOf(f, 2, one), 'alone');
  });
});

describe('a segment', () => {
  it('is left for the other when it is full, and used again when it is settled', async () => {
    await using f = await fixture();
    const bodies = Array.from({ length: 30 }, (_, i) => body(`${i}`.padEnd(1000, '.')));
    for (const one of bodies) await f.keep(one, 1);
    for (const size of segmentSizes(f)) assert.ok(size <= 10_000, `${size}`);
    f.recover();
    for (const one of bodies) assert.equal(textOf(f, 1, one), one.octets.toString());
  });

  it('is left after so many records that a start can look at them', async () => {
    await using f = await fixture(undefined, 10_000_000);
    const empty = body('');
    const names = Array.from({ length: 6000 }, (_, i) => i);
    const kept = names.map((i) =>
      f.journal.keep(empty, { accountId: i, file: f.fileOf(i % 4, empty), source: undefined }),
    );
    await Promise.all(kept);
    const count = f.recover();
    assert.ok(count >= 1000 && count <= 5000, `${count}`);
    assert.ok(f.told.groups.every((group) => group.length <= 1000));
  });

  it('makes everybody wait while both are full', async () => {
    await using f = await fixture();
    const { promise, resolve } = Promise.withResolvers<void>();
    f.told.gate = promise;
    const kept: number[] = [];
    const all = Array.from({ length: 30 }, async (_, i) => {
      await f.keep(body(`${i}`.padEnd(4000, '.')), 1);
      kept.push(i);
    });
    while (kept.length < 4) await Promise.race([Promise.all(all), new Promise(setImmediate)]);
    assert.equal(kept.length, 4);
    resolve();
    await Promise.all(all);
    assert.equal(kept.length, 30);
  });

  it('is empty when it is settled, and what was in it is not brought back', async () => {
    await using f = await fixture();
    const erased = body('to be erased');
    await f.keep(erased, 1);
    await f.journal.settle();
    assert.deepEqual(segmentSizes(f), [0, 0]);
    rmSync(f.fileOf(1, erased));
    const later = body('later');
    await f.keep(later, 1);
    assert.equal(f.recover(), 1);
    assert.equal(statSync(f.fileOf(1, erased), { throwIfNoEntry: false }), undefined);
  });

  it('that did not fit the disk is empty too when it is settled', async (t) => {
    await using disk = await smallDisk();
    if (disk === undefined) return t.skip('only root may mount a small disk');
    const journal = new BodyJournal({
      dir: disk.dir,
      startFiler: startFilerThread,
      fatal: (error) => assert.fail(String(error)),
    });
    const one = body('.'.repeat(50_000));
    const file = path.join(disk.dir, 'accounts/1/bodies/ab', one.hash);
    // Less than what a segment grows by.
    disk.fill(300_000);
    const segment = path.join(disk.dir, SEGMENTS[0]);
    try {
      await journal.keep(one, { accountId: 1, file, source: undefined });
      assert.ok(statSync(segment).size > 0);
      await journal.settle();
      assert.equal(statSync(segment).size, 0);
      assert.deepEqual(readFileSync(file), one.octets);
    } finally {
      await journal.close();
    }
  });

  it('is empty after a while, also if much was in it or the disk was full', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    await using f = await fixture(undefined, 30_000_000);
    await f.keep(body('x'.repeat(18_000_000)), 1);
    for (const failure of [NO_ROOM, undefined, undefined]) {
      assert.ok((segmentSizes(f)[0] ?? 0) > 0);
      f.told.settleFails = failure;
      t.mock.timers.tick(60_000);
      await new Promise(setImmediate);
    }
    assert.deepEqual(segmentSizes(f), [0, 0]);
  });

  it('is settled although a file in it was removed', async () => {
    await using f = await fixture();
    const removed = body('removed');
    await f.keep(removed, 1);
    rmSync(f.directory.file('1'), { recursive: true });
    await f.journal.settle();
    assert.deepEqual(segmentSizes(f), [0, 0]);
  });
});

describe('without room', () => {
  it('for one file, the others of its group are kept', async () => {
    await using f = await fixture();
    const [refused, taken] = [body('refused'), body('taken')];
    f.told.failFile = (file) => file === f.fileOf(1, refused);
    const outcomes = await Promise.allSettled([f.keep(refused, 1), f.keep(taken, 1)]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    );
    f.told.failFile = () => false;
    await f.keep(refused, 1);
    assert.equal(textOf(f, 1, refused), 'refused');
  });

  it('to settle, bodies are refused for now, and taken when there is room again', async () => {
    await using f = await fixture();
    f.told.settleFails = NO_ROOM;
    const large = (i: number): JournalledBody => body(`${i}`.padEnd(6000, '.'));
    await f.keep(large(1), 1);
    await f.keep(large(2), 1);
    await assert.rejects(f.keep(large(3), 1), { code: 'DiskFull' });
    f.told.settleFails = undefined;
    await f.keep(large(3), 1);
    for (const i of [1, 2, 3]) assert.equal(textOf(f, 1, large(i)).length, 6000);
    assert.deepEqual(f.fatal, []);
  });
});

describe('a sync that fails', () => {
  for (const [who, settle] of [
    ['who removes bodies', (f: Fixture) => f.journal.settle()],
    ['who needs room', (f: Fixture) => f.keep(body('y'.repeat(6000)), 1)],
  ] as const) {
    it(`ends the process, and the bodies stay in the journal (${who})`, async () => {
      await using f = await fixture();
      const kept = ['1', '2'].map((digit) => body(digit.repeat(6000)));
      f.told.settleFails = NO_ROOM;
      for (const one of kept) await f.keep(one, 1);
      f.told.settleFails = { code: 'EIO', message: 'EIO: i/o error, fsync' };
      await assert.rejects(settle(f), { code: 'EIO' });
      assert.ok(f.fatal.length > 0);
      // The next sync would say that all is well.
      f.told.settleFails = undefined;
      await assert.rejects(f.keep(body('z'), 1), { code: 'EIO' });
      rmSync(f.directory.file('1'), { recursive: true });
      assert.equal(f.recover(), 2);
      for (const one of kept) assert.equal(textOf(f, 1, one), one.octets.toString());
    });
  }

  it('for want of room is followed by writing the files again', async () => {
    await using f = await fixture();
    const [one, removed] = [body('1'.repeat(1000)), body('removed')];
    await Promise.all([f.keep(one, 1), f.keep(removed, 2)]);
    f.told.settleFails = NO_ROOM;
    f.told.steps = 1;
    await assert.rejects(f.journal.settle(), { code: 'DiskFull' });
    // The system has given up what it could not write.
    writeFileSync(f.fileOf(1, one), Buffer.alloc(1000));
    rmSync(f.fileOf(2, removed));
    f.told.settleFails = undefined;
    f.told.steps = Infinity;
    await f.journal.settle();
    assert.deepEqual(segmentSizes(f), [0, 0]);
    assert.equal(textOf(f, 1, one), one.octets.toString());
    assert.equal(statSync(f.fileOf(2, removed), { throwIfNoEntry: false }), undefined);
  });
});

it('a journal that is closed keeps nothing, whoever comes late', async () => {
  await using f = await fixture();
  await f.keep(body('x'), 1);
  await f.journal.close();
  await assert.rejects(f.keep(body('y'), 1), { code: 'Closing' });
  assert.deepEqual(segmentSizes(f), [0, 0]);
  assert.deepEqual(f.fatal, []);
});

describe('the thread that makes files', () => {
  it('makes, links and settles them', async () => {
    await using f = await fixture(startFilerThread);
    const bodies = Array.from({ length: 40 }, (_, i) => body(`${i}`.padEnd(500, '.')));
    await Promise.all(bodies.flatMap((one) => [f.keep(one, 1), f.keep(one, 2, 1)]));
    await f.journal.settle();
    assert.deepEqual(segmentSizes(f), [0, 0]);
    for (const one of bodies) {
      assert.equal(textOf(f, 2, one), one.octets.toString());
      assert.equal(statSync(f.fileOf(1, one)).ino, statSync(f.fileOf(2, one)).ino);
    }
  });

  it('ends the process when it dies', async () => {
    await using f = await fixture((died) => {
      const dies = (): Promise<never> => {
        died(new Error('died'));
        return Promise.reject(new Error('gone'));
      };
      return { file: dies, settle: dies, close: async () => undefined };
    });
    await assert.rejects(f.keep(body('x'), 1), { message: 'gone' });
    assert.equal(f.fatal.length, 1);
    await assert.rejects(f.keep(body('y'), 1), { message: 'died' });
  });
});
