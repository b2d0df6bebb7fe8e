/**
 * The process is killed between the decision to remove bodies and their removal, at every place:
 * what was decided is done later, what is needed stays, and verifydata finds nothing wrong.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rm, utimes } from 'node:fs/promises';
import path from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { BodyHash } from '#domain/values/ids';
import { bodyFile } from '#infra/bodies';
import type { Engine } from '#infra/engine';
import { verifyEngine, type Finding } from '#infra/verify';
import { openFolder } from '../support/folder.ts';
import { ARRIVAL } from '../support/given.ts';
import { runDaybook } from '../support/programs.ts';
import { silentLog } from '../support/silent-log.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const WORKER = fileURLToPath(new URL('./sweep-worker.ts', import.meta.url));
const ACCOUNT = 1;
const CAUSE = { actor: 'test' };
/** Removed mail is not kept for long. */
const SWEPT = { keepExpungedMs: 0 };
const GONE = 6;
const KEPT = 3;

/** Messages that are removed and others that stay, all of them old. */
async function mailIn(
  engine: Engine,
  dir: string,
): Promise<{ gone: BodyHash[]; kept: BodyHash[] }> {
  const hashes: BodyHash[] = [];
  for (let i = 0; i < GONE + KEPT; i++) hashes.push(await deliver(engine, `letter ${i}`));
  const uids = [[1, GONE]] as const;
  const flags = ['\\Deleted'];
  const all = { mailboxId: 1, uids } as const;
  await engine.lanes.execute(ACCOUNT, { type: 'ChangeFlags', ...all, op: 'add', flags }, CAUSE);
  await engine.lanes.execute(ACCOUNT, { type: 'ExpungeMessages', mailboxId: 1 }, CAUSE);
  const longAgo = new Date(Date.now() - 3 * 86_400_000);
  for (const hash of hashes) await utimes(fileOf(dir, hash), longAgo, longAgo);
  return { gone: hashes.slice(0, GONE), kept: hashes.slice(GONE) };
}

async function deliver({ bodies, lanes }: Engine, subject: string): Promise<BodyHash> {
  const octets = Buffer.from(`Subject: ${subject}\r\n\r\ntext\r\n`);
  const staged = await bodies.stage(
    (async function* () {
      yield octets;
    })(),
    10_000,
  );
  await bodies.link(staged, ACCOUNT);
  const message = { body: staged.hash, prefix: '', sizeBytes: octets.length, flags: [] };
  const received = { receivedAt: 0, zoneMinutes: 0 };
  const command = {
    type: 'DeliverMessage',
    mailbox: 'Inbox',
    message: { ...message, ...received },
    arrival: ARRIVAL,
  } as const;
  await lanes.execute(ACCOUNT, command, CAUSE);
  await staged.discard();
  return staged.hash;
}

function fileOf(dir: string, hash: BodyHash): string {
  return bodyFile(path.join(dir, 'data'), ACCOUNT, hash);
}

async function killedSweep(dir: string, removals: number): Promise<void> {
  const args = ['--disable-warning=ExperimentalWarning', WORKER, dir, String(removals)];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  const [, signal] = await once(child, 'close');
  assert.equal(signal, 'SIGKILL');
}

async function findingsOf(engine: Engine): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of verifyEngine(engine, silentLog, () => undefined)) {
    findings.push(finding);
  }
  return findings;
}

for (const removals of [0, 2, GONE - 1]) {
  it(`killed after ${removals} bodies, the next run ends what was begun`, async () => {
    await using directory = await temporaryDirectory();
    const dir = directory.path;
    const prepared = await runDaybook(['localserve', '--dir', dir, '--init-only']);
    assert.equal(prepared.code, 0, prepared.stderr);
    const before = await openFolder(dir, SWEPT);
    const { gone, kept } = await mailIn(before, dir);
    await before.close();
    await killedSweep(dir, removals);
    const left = gone.filter((hash) => existsSync(fileOf(dir, hash)));
    assert.equal(left.length, GONE - removals);
    const engine = await openFolder(dir, SWEPT);
    assert.deepEqual(await findingsOf(engine), []);
    await engine.sweep.sweep();
    assert.deepEqual(
      gone.filter((hash) => existsSync(fileOf(dir, hash))),
      [],
    );
    for (const hash of kept) assert.equal(await engine.bodies.verifyBody(ACCOUNT, hash), 'whole');
    assert.deepEqual(await findingsOf(engine), []);
    await engine.close();
  });
}

it('operations 14.2: a body that is missing before it was swept is found missing', async () => {
  await using directory = await temporaryDirectory();
  const dir = directory.path;
  const prepared = await runDaybook(['localserve', '--dir', dir, '--init-only']);
  assert.equal(prepared.code, 0, prepared.stderr);
  const engine = await openFolder(dir, SWEPT);
  const { gone, kept } = await mailIn(engine, dir);
  await engine.lanes.tidy(ACCOUNT);
  const [lost = '', ...others] = gone;
  const [read = ''] = kept;
  await rm(fileOf(dir, lost));
  await rm(fileOf(dir, read));
  const bodies = (await findingsOf(engine)).map(({ what }) => what);
  assert.deepEqual(bodies, [`body ${read} is missing`, `body ${lost} is missing`]);
  await engine.sweep.sweep();
  assert.deepEqual(
    (await findingsOf(engine)).map(({ what }) => what),
    [`body ${read} is missing`],
  );
  assert.deepEqual(
    others.filter((hash) => existsSync(fileOf(dir, hash))),
    [],
  );
  await engine.close();
});
