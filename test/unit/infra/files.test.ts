/**
 * Files appear whole or not at all, and under portable names.
 */

import assert from 'node:assert/strict';
import { open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { Fault } from '#domain/values/fault';
import {
  closeAndRemove,
  copyWhole,
  diskFault,
  linkOrCopy,
  pathBelow,
  portablePath,
  replaceFile,
  syncDirectory,
  syncFile,
} from '#infra/files';
import { temporaryDirectory } from '../../support/temporary.ts';

describe('replacing a file', () => {
  it('leaves the new content and nothing half-made', async () => {
    await using directory = await temporaryDirectory();
    const file = directory.file('settings');
    await replaceFile(file, 'old');
    await replaceFile(file, Buffer.from('new'));
    assert.equal(await readFile(file, 'utf8'), 'new');
    assert.deepEqual(await readdir(directory.path), ['settings']);
    if (process.platform !== 'win32') assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  it('leaves nothing when it fails', async () => {
    await using directory = await temporaryDirectory();
    await assert.rejects(replaceFile(directory.file('missing/settings'), 'x'), { code: 'ENOENT' });
    assert.deepEqual(await readdir(directory.path), []);
  });
});

describe('linking or copying', () => {
  it('gives the file a second name, and leaves a target that is there', async () => {
    await using directory = await temporaryDirectory();
    const [source, target] = [directory.file('source'), directory.file('target')];
    await writeFile(source, 'body');
    await linkOrCopy(source, target);
    assert.equal(await readFile(target, 'utf8'), 'body');
    await writeFile(directory.file('other'), 'other');
    await linkOrCopy(directory.file('other'), target);
    assert.equal(await readFile(target, 'utf8'), 'body');
  });

  it('copies whole, with nothing half-made beside', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(directory.file('source'), 'body');
    await copyWhole(directory.file('source'), directory.file('target'));
    assert.equal(await readFile(directory.file('target'), 'utf8'), 'body');
    assert.deepEqual((await readdir(directory.path)).toSorted(), ['source', 'target']);
    await assert.rejects(copyWhole(directory.file('gone'), directory.file('other')));
    assert.deepEqual((await readdir(directory.path)).toSorted(), ['source', 'target']);
  });
});

describe('syncing and removing', () => {
  it('syncs files and directories, and removes what was open', async () => {
    await using directory = await temporaryDirectory();
    const file = directory.file('file');
    const handle = await open(file, 'w');
    await syncFile(file);
    await syncDirectory(directory.path);
    await closeAndRemove(handle, file);
    assert.deepEqual(await readdir(directory.path), []);
  });

  it('knows a full disk from other errors', () => {
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    const fault = diskFault(full);
    assert.ok(fault instanceof Fault && fault.code === 'DiskFull' && fault.cause === full);
    const other = Object.assign(new Error('io'), { code: 'EIO' });
    assert.equal(diskFault(other), other);
  });
});

describe('portable paths', () => {
  it('go there and back', () => {
    const file = path.join('root', 'ab', 'cd');
    assert.equal(portablePath('root', file), 'ab/cd');
    assert.equal(pathBelow('root', 'ab/cd'), file);
    assert.equal(pathBelow('root', '..ab'), path.join('root', '..ab'));
  });

  it('never leave the directory', () => {
    for (const bad of ['', '.', '..', '../x', 'a/../../x', 'a/..', 'a\0b']) {
      assert.throws(() => pathBelow('root', bad), RangeError, bad);
    }
  });
});
