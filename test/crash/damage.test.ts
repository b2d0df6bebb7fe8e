/**
 * A data directory that came to harm: views are made anew with the same answers, a damaged log is
 * refused with one sentence, two programs do not get in each other's way.
 */

import Database from 'better-sqlite3';
import assert from 'node:assert/strict';
import { readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { it, suite, before, after } from 'node:test';
import { freeLoopbackAddress, startLocalserve } from '../support/localserve.ts';
import { answersOf, deliver, makeMail } from '../support/mail-answers.ts';
import { runDaybook, type Ran } from '../support/programs.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../support/temporary.ts';

let directory: TemporaryDirectory;
let dir: string;
let answers: string;
const ip = freeLoopbackAddress();

before(async () => {
  directory = await temporaryDirectory();
  dir = directory.path;
  await using server = await startLocalserve({ dir, ip });
  await makeMail(ip);
  answers = await answersOf(ip);
  assert.equal(await server.stop(), 0);
});

after(async () => {
  await directory[Symbol.asyncDispose]();
});

const LOG = 'data/log.db';
const ACCOUNT_VIEWS = 'data/accounts/1/views.db';
const SERVER_VIEWS = 'data/server.db';

type Harm = readonly [what: string, harm: (file: string) => Promise<void>];

const HARMS: readonly Harm[] = [
  ['empty', (file) => truncate(file, 0)],
  ['cut off in the middle', async (file) => truncate(file, (await stat(file)).size / 2 - 100)],
  ['not a database at all', (file) => writeFile(file, 'This was a file of views.\n'.repeat(1000))],
  ['its pages overwritten', (file) => overwrite(file, 4096, Infinity)],
];

/** Starts, compares, stops. */
async function answersAsBefore(): Promise<void> {
  await using server = await startLocalserve({ dir, ip });
  assert.equal(await answersOf(ip), answers);
  assert.equal(await server.stop(), 0, server.said());
}

async function isSound(): Promise<void> {
  const verdict = await runDaybook(['verifydata', '--dir', dir]);
  assert.equal(verdict.code, 0, verdict.stdout + verdict.stderr);
  assert.match(verdict.stdout, /: OK\n$/);
}

/** Exit code 1, nothing said but one sentence. */
function saysOneSentence(ran: Ran, sentence: RegExp): void {
  assert.match(ran.stderr, /^daybook: [^\n]+\n$/);
  assert.match(ran.stderr, sentence);
  assert.equal(ran.stdout, '');
  assert.equal(ran.code, 1);
}

suite('views', () => {
  for (const file of [ACCOUNT_VIEWS, SERVER_VIEWS]) {
    for (const [what, harm] of HARMS) {
      it(`${file}: ${what}`, async () => {
        await harm(path.join(dir, file));
        await answersAsBefore();
      });
    }
  }

  it('all of them deleted (acceptance 181)', async () => {
    for (const file of [ACCOUNT_VIEWS, SERVER_VIEWS]) await rm(path.join(dir, file));
    await answersAsBefore();
    await isSound();
  });

  it('rebuilt by hand', async () => {
    const rebuilt = await runDaybook(['rebuild', '--dir', dir]);
    const lines = ['account 1: \\d+ events', 'account 1: \\d+ texts', 'server: \\d+ events'];
    assert.match(
      rebuilt.stdout,
      new RegExp(`^${lines.map((line) => `${line} in \\d+ ms\n`).join('')}$`),
    );
    assert.equal(rebuilt.code, 0);
    await answersAsBefore();
  });

  it('whose rows were changed: verifydata names the table', async () => {
    const file = path.join(dir, ACCOUNT_VIEWS);
    await keeping(file, async () => {
      const views = new Database(file);
      views.exec('UPDATE mailboxes SET uid_next = uid_next + 1 WHERE mailbox_id = 1');
      views.close();
      const verdict = await runDaybook(['verifydata', '--dir', dir]);
      assert.equal(
        verdict.stdout,
        'views of account 1: mailboxes 1 differs from the replay\nfindings: 1\n',
      );
      assert.equal(verdict.code, 1);
    });
    await isSound();
  });
});

async function overwrite(file: string, from: number, count: number): Promise<void> {
  const octets = await readFile(file);
  await writeFile(file, octets.fill(0xa5, from, Math.min(from + count, octets.length)));
}

/** Puts the file back in the end. */
async function keeping(file: string, harm: () => Promise<void>): Promise<void> {
  const whole = await readFile(file);
  try {
    await harm();
  } finally {
    await writeFile(file, whole);
  }
}

suite('a damaged log', () => {
  const commands = [['localserve', '--ip', ip], ['verifydata'], ['rebuild']];

  for (const [what, harm, sentence] of [
    [
      'no database any more',
      (file) => overwrite(file, 0, 100),
      /log\.db is damaged: file is not a database\.$/m,
    ],
    [
      'cut off',
      async (file) => truncate(file, (await stat(file)).size / 2),
      /log\.db is damaged: /,
    ],
    ['empty', (file) => truncate(file, 0), /log\.db is empty/],
    [
      'whose last event was changed',
      (file) => change(file, 'max(pos)'),
      /log\.db is damaged: event \d+ or the hash behind it was changed\.$/m,
    ],
  ] satisfies [string, (file: string) => Promise<void>, RegExp][]) {
    it(`${what} is refused with one sentence`, async () => {
      const file = path.join(dir, LOG);
      await keeping(file, async () => {
        await harm(file);
        for (const [command = '', ...args] of commands) {
          saysOneSentence(await runDaybook([command, '--dir', dir, ...args]), sentence);
        }
      });
      await answersAsBefore();
    });
  }

  it('in the middle: verifydata says where', async () => {
    const file = path.join(dir, LOG);
    await keeping(file, async () => {
      await change(file, '5');
      const verdict = await runDaybook(['verifydata', '--dir', dir]);
      assert.match(verdict.stdout, /^log, position 5: event 5 or the hash behind it was changed\n/);
      assert.match(verdict.stdout, /\nfindings: 1\n$/);
      assert.equal(verdict.code, 1);
    });
    await isSound();
  });

  it('with pages that make no sense: it says so', async () => {
    const file = path.join(dir, LOG);
    await keeping(file, async () => {
      await overwrite(file, 4096 * 8, 4096);
      const { code, stdout, stderr } = await runDaybook(['verifydata', '--dir', dir]);
      assert.match(stdout + stderr, /^log: SQLite finds: .*\nfindings: 1\n/);
      assert.doesNotMatch(stdout + stderr, /^ +at /m);
      assert.equal(code, 1);
    });
    await isSound();
  });
});

/** Changes what an event says, behind the back of the log. */
async function change(file: string, position: string): Promise<void> {
  const log = new Database(file);
  const where = `pos = (SELECT ${position} FROM events)`;
  log.exec(`UPDATE events SET data = replace(data, ':', ': ') WHERE ${where}`);
  log.close();
}

suite('two programs', () => {
  it('of which the second wants the same data', async () => {
    await using server = await startLocalserve({ dir, ip });
    for (const args of [
      ['localserve', '--dir', dir, '--ip', freeLoopbackAddress()],
      ['verifydata', '--dir', dir],
      ['rebuild', '--dir', dir],
    ]) {
      saysOneSentence(
        await runDaybook(args),
        /^daybook: Another process uses the data directory .+; stop it first\.$/m,
      );
    }
    assert.equal(await answersOf(ip), answers);
    assert.equal(await server.stop(), 0);
    await isSound();
  });

  it('of which another has the port', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(1143, ip, resolve));
    try {
      const refused = await runDaybook(['localserve', '--dir', dir, '--ip', ip]);
      saysOneSentence(
        refused,
        new RegExp(`^daybook: Port 1143 of ${ip} is taken by another program`),
      );
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
    await isSound();
    await answersAsBefore();
  });

  it('of which one only looks on: log tail runs beside the server', async () => {
    await using server = await startLocalserve({ dir, ip });
    await deliver(ip, 'one more');
    const tail = ['log', 'tail', '--dir', dir, '--after', '0', '--no-follow', '--type'];
    const { code, stdout } = await runDaybook([...tail, 'MessageDelivered']);
    assert.match(
      stdout,
      /^\d+ \S+Z account-1@\d+ MessageDelivered smtp:anonymous 127\S+ \{.*\}\n/m,
    );
    assert.equal(code, 0);
    assert.equal(await server.stop(), 0);
  });
});
