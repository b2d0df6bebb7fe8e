/** Backups of a folder with mail in it, and what is made of them again. */

import assert from 'node:assert/strict';
import { appendFile, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import {
  ACCOUNT,
  digestsOf,
  findingsIn,
  openFolder,
  openHome,
  problemsOf,
  restoreTo,
  type Home,
} from '../../support/backups.ts';
import { SAMPLES } from '../../house/samples.ts';
import { accountOfStream } from '#domain/log/streams';
import { bodyFile } from '#infra/bodies';

/** Every file below a folder with its content, to see that nothing happened to it. */
async function contentOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  const found = new Map<string, string>();
  for (const file of files.sort()) {
    found.set(path.relative(folder, file), await readFile(file, 'latin1'));
  }
  return found;
}

async function deliverSome(home: Home, count: number): Promise<void> {
  for (let n = 1; n <= count; n++) await home.deliver(`${count} ${n}`);
}

/** What a server on the folder says is in Inbox. */
async function inboxOf(folder: string): Promise<{
  readonly messages: number;
  readonly uidValidity: number;
  readonly pausedFor: string | null;
  readonly problems: readonly unknown[];
}> {
  const engine = await openFolder(folder);
  try {
    const inbox = (await engine.lanes.account(ACCOUNT)).mailboxNamed('Inbox');
    const { pausedFor } = engine.directory.state;
    assert.ok(inbox !== undefined);
    const { exists: messages, uidValidity } = inbox;
    return { messages, uidValidity, pausedFor, problems: await problemsOf(engine) };
  } finally {
    await engine.close();
  }
}

describe('a backup', () => {
  it('restored exactly is the same log, and makes the same views row for row', async () => {
    await using home = await openHome();
    await deliverSome(home, 5);
    const { manifest, missing } = await home.offline(home.file('backup'));
    assert.deepEqual(missing, []);
    assert.deepEqual(await findingsIn(home.file('backup')), []);
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

describe('a backup that was altered', () => {
  for (const kind of ['log', 'bodies', 'accounts', 'secrets', 'config', 'keys'] as const) {
    it(`operations 88: is refused, naming the file (${kind})`, async () => {
      await using home = await openHome();
      await home.deliver('one');
      const target = home.file('backup');
      await home.backup(target);
      const isMeant = (name: string): boolean =>
        kind === 'bodies' ? name.endsWith('.bodies') : name.startsWith(kind);
      const name = [...(await contentOf(target)).keys()].find(
        (each) => isMeant(each) && (kind !== 'log' || each.endsWith('.zst')),
      );
      assert.ok(name !== undefined);
      const file = path.join(target, name);
      const content = await readFile(file);
      // A copy of its own: the other name of a linked body is to stay as it is.
      await rm(file);
      content[content.length - 3] = (content[content.length - 3] ?? 0) ^ 1;
      await writeFile(file, content);
      const named = (error: Error): boolean => error.message.includes(file);
      await assert.rejects(restoreTo(target, home.file('new')), named);
      await assert.rejects(stat(path.join(home.file('new'), 'config')));
      const findings = JSON.stringify(await findingsIn(target));
      assert.ok(findings.includes(file), findings);
      assert.deepEqual(await problemsOf(home.engine), []);
    });
  }

  it('is told of a file that is gone, and of a manifest that is none', async () => {
    await using home = await openHome();
    const hash = await home.deliver('one');
    const target = home.file('backup');
    await home.backup(target);
    await rm(bodyFile(target, ACCOUNT, hash));
    await assert.rejects(restoreTo(target, home.file('new')), /[0-9a-f]{64} is missing\./);
    await appendFile(path.join(target, 'manifest.json'), '}');
    await assert.rejects(restoreTo(target, home.file('new')), /manifest\.json is damaged: it is/);
    await writeFile(path.join(target, 'manifest.json'), '{"daybook":"backup","version":1}');
    await assert.rejects(restoreTo(target, home.file('new')), /is not the manifest of a backup/);
    await writeFile(path.join(target, 'manifest.json'), '{"daybook":"backup","version":2}');
    await assert.rejects(restoreTo(target, home.file('new')), /was written by a newer release/);
  });
});

describe('a restore', () => {
  it('operations 88: to a position has what was then, and clients begin anew', async () => {
    await using home = await openHome();
    await deliverSome(home, 2);
    const position = await home.position();
    const later = await home.deliver('later');
    const target = home.file('backup');
    await home.backup(target);
    const inbox = (await home.engine.lanes.account(ACCOUNT)).mailboxNamed('Inbox');
    const at = { type: 'position', position } as const;
    const restored = await restoreTo(target, home.file('new'), { at });
    assert.partialDeepStrictEqual(restored, { position, bodies: 2 });
    const found = await inboxOf(home.file('new'));
    assert.partialDeepStrictEqual(found, { messages: 2, pausedFor: 'restored', problems: [] });
    assert.ok(found.uidValidity > (inbox?.uidValidity ?? Infinity));
    const data = path.join(home.file('new'), 'data');
    await assert.rejects(stat(bodyFile(data, ACCOUNT, later)));
    const beyond = { type: 'position', position: 9_999 } as const;
    await assert.rejects(restoreTo(target, home.file('x'), { at: beyond }), /ends at position/);
  });

  it('to a time has no later event', async () => {
    await using home = await openHome();
    await deliverSome(home, 3);
    const events = await home.engine.eventLog.readAll(0, 1000);
    const time = events.at(-2)?.at ?? 0;
    const last = events.findLastIndex((event) => event.at <= time);
    await home.backup(home.file('backup'));
    const at = { type: 'time', time } as const;
    const { position } = await restoreTo(home.file('backup'), home.file('new'), { at });
    assert.equal(position, events[last]?.position);
    const early = { type: 'time', time: 1 } as const;
    const tooEarly = restoreTo(home.file('backup'), home.file('x'), { at: early });
    await assert.rejects(tooEarly, /Nothing in the backup is as early as that/);
    assert.deepEqual(await readdir(home.file('x')), []);
  });

  it('operations 88: leaves a used folder as it is', async () => {
    await using home = await openHome();
    await home.backup(home.file('backup'));
    const before = await contentOf(path.join(home.dir, 'config'));
    await assert.rejects(restoreTo(home.file('backup'), home.dir), /home is in use/);
    assert.deepEqual(await contentOf(path.join(home.dir, 'config')), before);
  });

  it('is exact only of what was made while nobody wrote', async () => {
    await using home = await openHome();
    await home.backup(home.file('backup'));
    const exact = restoreTo(home.file('backup'), home.file('new'), { exact: true });
    await assert.rejects(exact, /only one that was made with --offline can be restored/);
  });

  it('puts the data beside the configuration, wherever they were', async () => {
    await using home = await openHome();
    const file = path.join(home.dir, 'config', 'daybook.yaml');
    const text = await readFile(file, 'utf8');
    const moved = text.replace('DataDir: ../data', `# ours\nDataDir: ${home.dir}/data`);
    await writeFile(file, moved);
    await home.backup(home.file('backup'));
    await restoreTo(home.file('backup'), home.file('new'));
    const restored = path.join(home.file('new'), 'config', 'daybook.yaml');
    assert.equal(await readFile(restored, 'utf8'), text.replace('DataDir', '# ours\nDataDir'));
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
