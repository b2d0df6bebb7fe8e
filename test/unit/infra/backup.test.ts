/** Backups of a folder with mail in it, and of what they are made. */

import assert from 'node:assert/strict';
import { cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import {
  ACCOUNT,
  contentOf,
  deliverSome,
  digestsOf,
  findingsIn,
  inboxOf,
  makeBackup,
  openHome,
  problemsOf,
  restoreTo,
} from '../../support/backups.ts';
import { openFolder } from '../../support/folder.ts';
import { SAMPLES } from '../../house/samples.ts';
import { accountOfStream } from '#domain/log/streams';
import { bodyFile } from '#infra/bodies';
import { takeDataLock } from '#infra/data-lock';

describe('a backup', () => {
  it('restored exactly is the same log, and makes the same views row for row', async () => {
    await using home = await openHome();
    await deliverSome(home, 5);
    const { manifest, missing } = await home.offline(home.file('backup'));
    assert.deepEqual(missing, []);
    const files = await contentOf(home.file('backup'));
    assert.deepEqual(await findingsIn(home.file('backup')), []);
    assert.deepEqual(await contentOf(home.file('backup')), files, 'operations 91');
    const { toDo } = await restoreTo(home.file('backup'), home.file('new'), { exact: true });
    assert.deepEqual(toDo, []);
    const engine = await openFolder(home.file('new'));
    try {
      const verdict = await engine.eventLog.verify();
      assert.partialDeepStrictEqual(verdict, { type: 'sound', hash: manifest.hash });
      assert.deepEqual(
        await engine.eventLog.readAll(0, 1000),
        await home.engine.eventLog.readAll(0, 1000),
      );
      assert.deepEqual(await digestsOf(engine), await digestsOf(home.engine));
      assert.deepEqual(await problemsOf(engine), []);
    } finally {
      await engine.close();
    }
  });

  it('operations 87: goes on where it ended, with one body and one piece of log', async () => {
    await using home = await openHome();
    await deliverSome(home, 3);
    const target = home.file('backup');
    const first = await home.backup(target);
    assert.equal(first.manifest.counts.bodies, 3);
    const before = await contentOf(target);
    await home.deliver('one more');
    const second = await home.backup(target);
    assert.equal(second.manifest.pieces.length, first.manifest.pieces.length + 1);
    assert.equal(second.manifest.pieces.at(-1)?.bodies.count, 1);
    assert.equal(second.manifest.counts.bodies, 4);
    const after = await contentOf(target);
    const added = [...after.keys()].filter((name) => !before.has(name)).sort();
    assert.match(added.join('\n'), /^accounts\S+\nlog\S+\.bodies\nlog\S+\.jsonl\.zst$/);
    for (const [name, content] of before) {
      if (name !== 'manifest.json') assert.equal(after.get(name), content, name);
    }
    const third = await home.backup(target);
    assert.deepEqual(third.manifest.pieces, second.manifest.pieces);
    await restoreTo(target, home.file('new'));
    assert.partialDeepStrictEqual(await inboxOf(home.file('new')), { messages: 4, problems: [] });
  });

  it('operations 87: that only has what another lacks is whole together with it', async () => {
    await using home = await openHome();
    await deliverSome(home, 3);
    const [monday, tuesday] = [home.file('monday'), home.file('tuesday')];
    await home.backup(monday);
    await home.deliver('one more');
    const { manifest } = await home.offline(tuesday, { since: monday });
    assert.deepEqual([manifest.pieces.length, manifest.counts.bodies], [1, 4]);
    const names = [...(await contentOf(tuesday)).keys()];
    assert.equal(names.filter((name) => name.startsWith('accounts')).length, 1);
    assert.deepEqual(await findingsIn(tuesday), []);
    // What has come to the one before it does not matter.
    await home.deliver('later');
    await home.backup(monday);
    await restoreTo(tuesday, home.file('new'), { exact: true });
    assert.partialDeepStrictEqual(await inboxOf(home.file('new')), { messages: 4, problems: [] });
    await cp(monday, home.file('moved'), { recursive: true });
    await rm(monday, { recursive: true });
    const lost = /tuesday continues the backup that was in .*monday up to position \d+, which is/;
    await assert.rejects(restoreTo(tuesday, home.file('other')), lost);
    assert.deepEqual(await findingsIn(tuesday, home.file('moved')), []);
    await restoreTo(tuesday, home.file('other'), { priors: [home.file('moved')] });
    assert.partialDeepStrictEqual(await inboxOf(home.file('other')), { messages: 4 });
  });

  it('may stand on another one that stands on another one, and be continued', async () => {
    await using home = await openHome();
    const [first, second, third] = [home.file('1'), home.file('2'), home.file('3')];
    await home.deliver('one');
    await home.backup(first);
    await home.deliver('two');
    await home.backup(second, { since: first });
    await home.deliver('three');
    await home.backup(third, { since: second });
    await home.deliver('four');
    await home.backup(second);
    const { manifest } = await home.offline(third);
    assert.deepEqual([manifest.pieces.length, manifest.counts.bodies], [2, 4]);
    for (const backup of [second, third]) assert.deepEqual(await findingsIn(backup), [], backup);
    await restoreTo(third, home.file('new'), { exact: true });
    const engine = await openFolder(home.file('new'));
    try {
      assert.deepEqual(await digestsOf(engine), await digestsOf(home.engine));
    } finally {
      await engine.close();
    }
  });

  it('operations 86: leaves a used directory as it is', async () => {
    await using home = await openHome();
    const used = home.file('used');
    await mkdir(used);
    await writeFile(path.join(used, 'letter.txt'), 'mine');
    await assert.rejects(home.backup(used), /used is in use and holds no backup/);
    assert.deepEqual([...(await contentOf(used))], [['letter.txt', 'mine']]);
    await mkdir(home.file('empty'));
    await home.backup(home.file('empty'));
    const since = { since: home.file('empty') };
    await assert.rejects(home.backup(home.file('empty'), since), /leave out --since/);
  });

  it('is of one log: another one, or one that took another way, does not go on', async () => {
    await using home = await openHome();
    await using other = await openHome(true);
    await home.deliver('one');
    const target = home.file('backup');
    await home.backup(target);
    const before = await contentOf(target);
    await assert.rejects(other.backup(target), /backup is a backup of another log/);
    const since = { since: target };
    await assert.rejects(other.backup(home.file('x'), since), /is a backup of another log/);
    await home.deliver('two');
    await home.backup(home.file('longer'));
    await restoreTo(target, home.file('fork'));
    await assert.rejects(
      import('#compose-backup').then(({ backup }) =>
        backup(home.file('fork'), {
          target: home.file('longer'),
          offline: true,
          withKeys: false,
          goOn: () => Promise.resolve(),
          note: () => undefined,
          warn: () => undefined,
        }),
      ),
      /where this log never was as it is there: since a restore it goes another way/,
    );
    assert.deepEqual(await contentOf(target), before);
  });

  it('is not made --offline while somebody uses the data', async () => {
    await using home = await openHome();
    const offline = { offline: true };
    await assert.rejects(home.backup(home.file('b'), offline), /Another process uses the data/);
  });

  it('has bodies that a power cut left in the journal only', async () => {
    await using home = await openHome();
    const hash = await home.deliver('in the journal');
    const copy = home.file('copy');
    await cp(home.dir, copy, { recursive: true });
    const data = path.join(copy, 'data');
    await rm(bodyFile(data, ACCOUNT, hash));
    const { missing } = await makeBackup(copy, home.file('backup'), { offline: true });
    assert.deepEqual(missing, []);
    assert.deepEqual(await findingsIn(home.file('backup')), []);
    assert.ok((await stat(bodyFile(data, ACCOUNT, hash))).size > 0);
    assert.equal((await stat(path.join(data, 'bodies-1.journal'))).size, 0);
  });

  it('is made by one run at a time', async () => {
    await using home = await openHome();
    await home.backup(home.file('b'));
    using _ = takeDataLock(home.file('b'));
    await assert.rejects(home.backup(home.file('b')), /Another run is at work in .*\/b\./);
  });

  it('names what is nowhere any more, and so does its check', async () => {
    await using home = await openHome();
    const hash = await home.deliver('lost');
    await home.deliver('kept');
    await rm(bodyFile(path.join(home.dir, 'data'), ACCOUNT, hash));
    const { missing } = await home.backup(home.file('backup'));
    assert.deepEqual(missing, [`${ACCOUNT}/${hash}`]);
    const what = `body ${hash} is missing`;
    assert.deepEqual(await findingsIn(home.file('backup')), [{ where: 'account 1', what }]);
    await restoreTo(home.file('backup'), home.file('new'));
  });

  it('has keys only when they are wanted', async () => {
    await using home = await openHome();
    const { manifest } = await home.backup(home.file('without'), { withKeys: false });
    assert.ok(manifest.files.every(({ kind }) => kind !== 'key'));
    const { toDo } = await restoreTo(home.file('without'), home.file('new'));
    assert.match(toDo.join(), /^Put the key of the secret store into .*secrets\.key: without it/);
    await home.backup(home.file('with'));
    await restoreTo(home.file('with'), home.file('newer'));
    const key = path.join('config', 'secrets.key');
    const restored = path.join(home.file('newer'), key);
    assert.deepEqual(await readFile(restored), await readFile(path.join(home.dir, key)));
    assert.equal((await stat(restored)).mode & 0o777, 0o600);
  });

  it('operations 86: on another file system is made of copies, with one warning', async (t) => {
    await using home = await openHome();
    const elsewhere = '/dev/shm';
    const there = await stat(elsewhere).catch(() => undefined);
    if (there === undefined || there.dev === (await stat(home.dir)).dev) {
      return t.skip('there is no other file system');
    }
    await deliverSome(home, 3);
    const target = path.join(elsewhere, path.basename(path.dirname(home.dir)));
    try {
      const { warnings } = await home.backup(target);
      assert.deepEqual(warnings, ['messages are copied: files cannot be linked there']);
      assert.deepEqual(await findingsIn(target), []);
    } finally {
      await rm(target, { recursive: true, force: true });
    }
  });

  it('leaves out what was swept and dropped when all of it is restored', async () => {
    await using home = await openHome();
    await home.deliver('one');
    const audit = { id: crypto.randomUUID(), type: 'AccountAdded', version: 1, at: 1 };
    const event = { ...audit, data: { accountId: 9, name: 'x' }, cause: { actor: 'test' } };
    await home.engine.eventLog.append('audit-200001', -1, [event]);
    await home.backup(home.file('backup'));
    await home.engine.eventLog.drop('audit-200001');
    await home.deliver('two');
    const { manifest } = await home.offline(home.file('backup'));
    assert.deepEqual(manifest.dropped, { 'audit-200001': 0 });
    await restoreTo(home.file('backup'), home.file('new'), { exact: true });
    const engine = await openFolder(home.file('new'));
    try {
      assert.partialDeepStrictEqual(await engine.eventLog.verify(), { hash: manifest.hash });
      assert.deepEqual(await engine.eventLog.read('audit-200001', 0, 9), []);
      assert.equal(await engine.eventLog.head('audit-200001'), 0);
    } finally {
      await engine.close();
    }
  });
});

describe('a run that was cut short', () => {
  it('is taken up again where it was', async () => {
    await using home = await openHome();
    await deliverSome(home, 3);
    const [target, whole] = [home.file('backup'), home.file('whole')];
    const { manifest } = await home.backup(target);
    await home.backup(whole);
    await rm(path.join(target, 'manifest.json'));
    const { log } = manifest;
    const mark = { daybook: 'unfinished-backup', version: 1, log, since: '' };
    await writeFile(path.join(target, 'unfinished.json'), `${JSON.stringify(mark)}\n`);
    // One that was begun after it, with a body and half of another.
    const begun = `${ACCOUNT} ${'a'.repeat(64)} 3\n`;
    const half = bodyFile(target, ACCOUNT, 'a'.repeat(64));
    await mkdir(path.dirname(half), { recursive: true });
    await writeFile(half, 'abc');
    await writeFile(`${half}.part`, 'ab');
    await writeFile(path.join(target, 'log', '000000000099-000000000101.bodies'), begun);
    await assert.rejects(restoreTo(target, home.file('new')), /no complete backup/);
    const again = await home.backup(target);
    assert.deepEqual(again.manifest.pieces, manifest.pieces);
    const names = async (folder: string): Promise<readonly string[]> => [
      ...(await contentOf(folder)).keys(),
    ];
    assert.deepEqual(await names(target), await names(whole));
  });

  it('is nobody else’s', async () => {
    await using home = await openHome();
    const target = home.file('backup');
    await mkdir(target);
    await writeFile(path.join(target, 'unfinished.json'), '{"log":"another"}\n');
    await assert.rejects(home.backup(target), /is an unfinished backup of something else/);
    assert.deepEqual([...(await contentOf(target)).keys()], ['unfinished.json']);
  });
});

it('every body that an event of an account names stands in a field that backups look at', () => {
  assert.equal(accountOfStream('account-1'), 1);
  for (const [type, sample] of Object.entries(SAMPLES)) {
    const text = JSON.stringify(sample);
    const hashes = [...text.matchAll(/"[0-9a-f]{64}"/g)].length;
    const named = [...text.matchAll(/"body":"[0-9a-f]{64}"/g)].length;
    if (type !== 'BodiesSwept') assert.equal(named, hashes, type);
  }
});
