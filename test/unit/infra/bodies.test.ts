/**
 * Bodies are kept by their content, and facts are found again whatever happens beside them.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { openBodies, SMALL_BODY_BYTES, type BodyStore } from '#infra/bodies';
import type { BodyHash } from '#domain/values/ids';
import { readFacts } from '#protocols/message/facts';
import { mail } from '../../support/mail.ts';
import { nearFiler } from '../../support/near-filer.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../../support/temporary.ts';

const LIMIT = 10 * 1024 * 1024;
const SMALL = mail('Subject: small', '', 'text');
const LARGE = mail('Subject: large', '', 'x'.repeat(SMALL_BODY_BYTES), 'end');
const HUGE = mail('Subject: huge', '', 'x'.repeat(5 * 1024 * 1024), 'end');

async function* inPieces(octets: Buffer, size = 50_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size);
}

/** A store in an empty directory. `parsed` counts how often facts were read from a body. */
interface Fixture extends AsyncDisposable {
  readonly directory: TemporaryDirectory;
  readonly parsed: { count: number };
  open(): BodyStore;
  fileOf(accountId: number, hash: BodyHash): string;
}

async function fixture(): Promise<Fixture> {
  const directory = await temporaryDirectory();
  const parsed = { count: 0 };
  return {
    directory,
    parsed,
    open: () =>
      openBodies({
        dir: directory.path,
        startFiler: nearFiler,
        fatal(error) {
          throw error;
        },
        readFacts(body) {
          if (body.length > 0) parsed.count++;
          return readFacts(body);
        },
      }),
    fileOf: (accountId, hash) =>
      directory.file(path.join('accounts', `${accountId}`, 'bodies', hash.slice(0, 2), hash)),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

async function store(bodies: BodyStore, octets: Buffer, ...accounts: number[]): Promise<BodyHash> {
  const staged = await bodies.stage(inPieces(octets), LIMIT);
  await Promise.all(accounts.map((accountId) => bodies.link(staged, accountId)));
  await staged.discard();
  return staged.hash;
}

for (const [name, octets] of [
  ['a small body', SMALL],
  ['a large body', LARGE],
  ['a huge body', HUGE],
  ['an empty body', Buffer.alloc(0)],
] as const) {
  describe(name, () => {
    it('is hashed, measured and understood when it is staged', async () => {
      await using f = await fixture();
      const staged = await f.open().stage(inPieces(octets), LIMIT);
      assert.equal(staged.hash, createHash('sha256').update(octets).digest('hex'));
      assert.equal(staged.sizeBytes, octets.length);
      assert.deepEqual(staged.facts, readFacts(octets));
      await staged.discard();
      await staged.discard();
      assert.deepEqual(await readdir(f.directory.file('staging')), []);
    });

    it('is found again by another run, under its name', async () => {
      await using f = await fixture();
      const hash = await store(f.open(), octets, 7);
      const bodies = f.open();
      assert.deepEqual(bodies.read(7, hash), octets);
      assert.deepEqual(await buffer(bodies.stream(7, hash)), octets);
      assert.deepEqual(bodies.facts(7, hash), readFacts(octets));
      assert.deepEqual(await readFile(f.fileOf(7, hash)), octets);
      assert.equal(await bodies.verifyBody(7, hash), 'whole');
    });

    it('is one file, for however many accounts', async () => {
      await using f = await fixture();
      const hash = await store(f.open(), octets, 1, 2, 3);
      const inodes = [1, 2, 3].map(async (id) => (await stat(f.fileOf(id, hash))).ino);
      assert.equal(new Set(await Promise.all(inodes)).size, 1);
    });

    it('may be linked again and at the same time', async () => {
      await using f = await fixture();
      const bodies = f.open();
      const hashes = await Promise.all([1, 2, 3, 4].map(() => store(bodies, octets, 5, 5, 6)));
      assert.equal(new Set(hashes).size, 1);
      await store(f.open(), octets, 5);
      assert.equal(await bodies.verifyBody(5, hashes[0] ?? ''), 'whole');
      assert.equal(await bodies.verifyBody(6, hashes[0] ?? ''), 'whole');
    });

    it('replaces what a power cut left under its name', async () => {
      await using f = await fixture();
      const hash = await store(f.open(), octets, 1);
      await appendFile(f.fileOf(1, hash), 'x');
      assert.equal(await f.open().verifyBody(1, hash), 'damaged');
      await store(f.open(), octets, 1);
      assert.equal(await f.open().verifyBody(1, hash), 'whole');
    });
  });
}

describe('a body that cannot be taken', () => {
  for (const [name, octets] of [
    ['small', SMALL],
    ['large', LARGE],
  ] as const) {
    it(`leaves nothing: ${name} and too long`, async () => {
      await using f = await fixture();
      const limit = octets.length - 1;
      const fault = { code: 'BodyTooLarge', temporary: false };
      await assert.rejects(f.open().stage(inPieces(octets), limit), fault);
      assert.deepEqual(await readdir(f.directory.file('staging')), []);
    });

    it(`leaves nothing: ${name} and cut off`, async () => {
      await using f = await fixture();
      const cutOff = async function* (): AsyncGenerator<Buffer> {
        yield* inPieces(octets);
        throw new Error('connection lost');
      };
      await assert.rejects(f.open().stage(cutOff(), LIMIT), { message: 'connection lost' });
      assert.deepEqual(await readdir(f.directory.file('staging')), []);
    });
  }

  it('is not read further than the limit', async () => {
    await using f = await fixture();
    let ended = false;
    const endless = async function* (): AsyncGenerator<Buffer> {
      try {
        for (;;) yield SMALL;
      } finally {
        ended = true;
      }
    };
    await assert.rejects(f.open().stage(endless(), 1000), { code: 'BodyTooLarge' });
    assert.ok(ended);
  });

  it('is not linked when another store staged it', async () => {
    await using f = await fixture();
    const { hash, sizeBytes, facts } = await f.open().stage(inPieces(SMALL), LIMIT);
    const foreign = { hash, sizeBytes, facts, discard: () => Promise.resolve() };
    await assert.rejects(f.open().link(foreign, 1), /not staged here/);
  });
});

describe('a body that is not there', () => {
  it('is missing everywhere', async () => {
    await using f = await fixture();
    const bodies = f.open();
    const hash = await store(bodies, SMALL, 1);
    assert.equal(bodies.read(2, hash), undefined);
    assert.equal(bodies.facts(2, hash), undefined);
    assert.equal(await bodies.verifyBody(2, hash), 'missing');
    await assert.rejects(buffer(bodies.stream(2, hash)), { code: 'ENOENT' });
  });

  it('has no path when its name is none', async () => {
    await using f = await fixture();
    const bodies = f.open();
    assert.throws(() => bodies.read(1, '../../../../etc/passwd'), RangeError);
    assert.throws(() => bodies.read(1.5, 'a'.repeat(64)), RangeError);
  });
});

describe('facts of a large body', () => {
  it('stand beside it and are not read from it again', async () => {
    await using f = await fixture();
    const hash = await store(f.open(), LARGE, 1);
    f.parsed.count = 0;
    assert.deepEqual(f.open().facts(1, hash), readFacts(LARGE));
    assert.equal(f.parsed.count, 0);
  });

  const harms: Record<string, (file: string) => Promise<void>> = {
    missing: (file) => rm(file),
    torn: (file) => truncate(file, 100),
    'of another version': (file) =>
      writeFile(file, JSON.stringify({ ...readFacts(LARGE), version: 0, subject: 'old' })),
    'of another shape': (file) => writeFile(file, '{"version":1}'),
    'something else': (file) => writeFile(file, 'null'),
  };
  for (const [name, harm] of Object.entries(harms)) {
    it(`are read from it once more when they are ${name}`, async () => {
      await using f = await fixture();
      const hash = await store(f.open(), LARGE, 1);
      await harm(`${f.fileOf(1, hash)}.facts`);
      f.parsed.count = 0;
      assert.deepEqual(f.open().facts(1, hash), readFacts(LARGE));
      assert.deepEqual(f.open().facts(1, hash), readFacts(LARGE));
      assert.equal(f.parsed.count, 1);
    });
  }

  it('vanish with it', async () => {
    await using f = await fixture();
    const hash = await store(f.open(), LARGE, 1);
    await rm(f.fileOf(1, hash));
    assert.equal(f.open().facts(1, hash), undefined);
  });
});

describe('after a crash', () => {
  it('half-made files are swept, bodies stay', async () => {
    await using f = await fixture();
    const first = f.open();
    const hash = await store(first, LARGE, 1);
    const abandoned = await first.stage(inPieces(LARGE), LIMIT);
    assert.equal((await readdir(f.directory.file('staging'))).length, 1);
    const second = f.open();
    await second.recover();
    assert.deepEqual(await readdir(f.directory.file('staging')), []);
    assert.equal(await second.verifyBody(1, hash), 'whole');
    await abandoned.discard();
  });
});

describe('some octets of a body', () => {
  it('are read without the rest, and end where the body does', async () => {
    await using f = await fixture();
    for (const octets of [SMALL, LARGE]) {
      const hash = await store(f.open(), octets, 7);
      for (const [start, end] of [
        [0, 5],
        [3, 3],
        [10, octets.length],
        [2, octets.length + 9],
      ]) {
        assert.deepEqual(
          f.open().slice(7, hash, start ?? 0, end ?? 0),
          octets.subarray(start, end),
        );
      }
      const bodies = f.open();
      bodies.read(7, hash);
      assert.deepEqual(bodies.slice(7, hash, 2, 9), octets.subarray(2, 9));
      assert.equal(bodies.slice(8, hash, 0, 1), undefined);
    }
  });
});

describe('the header of a body', () => {
  const cases: readonly (readonly [what: string, header: string, body: string])[] = [
    ['short', 'A: 1\r\n\r\n', 'x'.repeat(20_000)],
    ['long', `A: ${'1'.repeat(50_000)}\r\nB: 2\r\n\r\n`, 'x'.repeat(500_000)],
    [
      'ended at the end of what is read first',
      `A: ${'1'.repeat(8192 - 6)}\n\r\n`,
      'x\n'.repeat(9000),
    ],
    ['with bare line feeds', 'A: 1\nB: 2\n\n', 'x\r\n'.repeat(9000)],
    ['empty', '\r\n', 'x\r\n'.repeat(9000)],
    ['without an end', `A: 1\r\n${'x'.repeat(30_000)}`, ''],
  ];
  for (const [what, header, body] of cases) {
    it(`${what} is read, and no more than that needs`, async () => {
      await using f = await fixture();
      const octets = Buffer.from(header + body);
      const hash = await store(f.open(), octets, 7);
      const read = f.open().header(7, hash);
      assert.deepEqual(read, octets.subarray(0, read?.length ?? 0));
      assert.ok(read.length >= header.length, 'all of the header');
      assert.ok(body === '' || read.length <= Math.max(8192, 5 * header.length), 'little else');
    });
  }

  it('is not there without the body', async () => {
    await using f = await fixture();
    assert.equal(f.open().header(7, 'a'.repeat(64)), undefined);
  });

  it('is looked at no further than a header may go', async () => {
    await using f = await fixture();
    const hash = await store(f.open(), Buffer.from('x'.repeat(3_000_000)), 7);
    const length = f.open().header(7, hash)?.length ?? 0;
    assert.ok(length >= 1024 * 1024 && length < 3_000_000);
  });
});
