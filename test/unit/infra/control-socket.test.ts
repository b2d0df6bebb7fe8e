/**
 * The control socket of a data directory.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { temporaryDirectory } from '../../support/temporary.ts';
import { controlPath, dialControl, openControlSocket } from '#infra/control-socket';

describe('the control socket', () => {
  it('is for the owner of the directory only, and gone when it is closed', async () => {
    await using root = await temporaryDirectory();
    const socket = await openControlSocket(root.path, (stream) => stream.end('hello'));
    if (process.platform !== 'win32') {
      assert.equal(socket.path, root.file('ctl'));
      assert.equal(statSync(socket.path).mode & 0o777, 0o600);
    }
    const client = await dialControl(root.path);
    const [text] = await once(client, 'data');
    assert.equal(String(text), 'hello');
    client.destroy();
    await socket.close();
    assert.equal(existsSync(socket.path), false);
  });

  it('takes the place of one that a dead server has left', async () => {
    await using root = await temporaryDirectory();
    writeFileSync(root.file('ctl'), '');
    const socket = await openControlSocket(root.path, (stream) => stream.end());
    (await dialControl(root.path)).destroy();
    await socket.close();
  });

  it('is told by its path when nobody answers there', async () => {
    await using root = await temporaryDirectory();
    const where = controlPath(root.path);
    const message = `No server answers on ${where}: start it, or give its folder by --dir.`;
    await assert.rejects(dialControl(root.path), { name: 'Fault', code: 'CannotConnect', message });
  });

  it('ends what is open when it is closed', async () => {
    await using root = await temporaryDirectory();
    const socket = await openControlSocket(root.path, () => undefined);
    const client = await dialControl(root.path);
    client.resume();
    const ended = once(client, 'close');
    await socket.close();
    await ended;
  });

  it('says so when the path is longer than systems take', async () => {
    if (process.platform === 'win32') return;
    await using root = await temporaryDirectory();
    const directory = root.file('x'.repeat(200));
    await assert.rejects(
      openControlSocket(directory, () => undefined),
      { name: 'Fault', code: 'CannotListen', message: /^The control socket .* cannot be opened/ },
    );
  });
});
