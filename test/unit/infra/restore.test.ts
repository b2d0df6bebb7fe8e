/** What is made of backups, and of such that were altered. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { appendFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import {
  ACCOUNT,
  contentOf,
  deliverSome,
  findingsIn,
  inboxOf,
  makeBackup,
  openHome,
  problemsOf,
  restoreTo,
} from '../../support/backups.ts';
import { openFolder } from '../../support/folder.ts';
import type { DirectoryCommand } from '#domain/directory/decide';
import { accountStream } from '#domain/log/streams';
import { eraseAccountData } from '#infra/account-erasure';
import { bodyFile } from '#infra/bodies';
import { accountDirectory } from '#infra/engine';

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

  it('has an account as it was, or nothing of it once it was erased', async () => {
    await using home = await openHome();
    const [backup, cause, bob] = [home.file('backup'), { actor: 'test' }, 2];
    const decide = (command: DirectoryCommand): Promise<unknown> =>
      home.engine.directory.execute(command, cause);
    await decide({ type: 'AddAccount', name: 'bob' });
    await home.engine.lanes.execute(bob, { type: 'OpenAccount' }, cause);
    const hash = await home.deliver('letter', bob);
    await home.backup(backup);
    const whole = await home.position();
    await home.deliver('another letter', bob);
    await home.deliver('third letter');
    await decide({ type: 'CloseAccount', accountId: bob });
    await decide({ type: 'RemoveAccount', accountId: bob });
    await eraseAccountData(bob, {
      ...home.engine,
      directoryOf: (accountId) => accountDirectory(path.join(home.dir, 'data'), accountId),
    });
    await decide({ type: 'EraseAccount', accountId: bob });
    const position = await home.position();
    await home.deliver('fourth letter');
    await home.backup(backup);
    assert.deepEqual(await findingsIn(backup), []);
    const points = { whole: { at: { type: 'position', position: whole } }, now: {} } as const;
    const erased = { at: { type: 'position', position } } as const;
    for (const [name, point] of Object.entries({ ...points, erased })) {
      const folder = home.file(name);
      await restoreTo(backup, folder, point);
      const engine = await openFolder(folder);
      try {
        assert.deepEqual(await problemsOf(engine), []);
        const isThere = name === 'whole';
        const streams = await engine.eventLog.streams();
        assert.equal(streams.has(accountStream(bob)), isThere, name);
        assert.equal(existsSync(bodyFile(path.join(folder, 'data'), bob, hash)), isThere);
      } finally {
        await engine.close();
      }
      // And a backup of that is as good.
      await makeBackup(folder, home.file(`of ${name}`));
      assert.deepEqual(await findingsIn(home.file(`of ${name}`)), []);
    }
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
    const early = { exact: true, at: { type: 'position', position: 5 } } as const;
    const both = restoreTo(home.file('backup'), home.file('new'), early);
    await assert.rejects(both, /to an earlier point does not go on exactly/);
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
