/**
 * The control socket of a data directory.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { text as textOf } from 'node:stream/consumers';
import { temporaryDirectory } from '../../support/temporary.ts';
import { controlPath, dialControl, openControlSocket } from '#infra/control-socket';

/** Turns nobody away. */
const unasked = (): never => assert.fail('not to be used here');

describe('the control socket', () => {
  it('is for the owner of the directory only, and gone when it is closed', async () => {
    await using root = await temporaryDirectory();
    const socket = await openControlSocket(root.path, (stream) => stream.end('hello'), unasked);
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
    const socket = await openControlSocket(root.path, (stream) => stream.end(), unasked);
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
    const socket = await openControlSocket(root.path, () => undefined, unasked);
    const client = await dialControl(root.path);
    client.resume();
    const ended = once(client, 'close');
    await socket.close();
    await ended;
  });

  it('turns away whoever comes when 16 are served, until one has left', async () => {
    await using root = await temporaryDirectory();
    const left: Promise<unknown>[] = [];
    const away: number[] = [];
    const socket = await openControlSocket(
      root.path,
      (stream) => {
        left.push(once(stream, 'close'));
        stream.end('come in');
      },
      (stream, connectionsMax) => {
        away.push(connectionsMax);
        stream.end('go away');
      },
    );
    const inside = await Promise.all(Array.from({ length: 16 }, () => dialControl(root.path)));
    await Promise.all(inside.map((client) => once(client, 'readable')));
    assert.deepEqual([left.length, away], [16, []]);
    const late = await dialControl(root.path);
    assert.equal(await textOf(late), 'go away');
    assert.deepEqual([left.length, away], [16, [16]]);
    await Promise.all([...inside.map(textOf), ...left]);
    assert.equal(await textOf(await dialControl(root.path)), 'come in');
    await socket.close();
  });

  it('says so when the path is longer than systems take', async () => {
    if (process.platform === 'win32') return;
    await using root = await temporaryDirectory();
    const directory = root.file('x'.repeat(200));
    await assert.rejects(
      openControlSocket(directory, () => undefined, unasked),
      { name: 'Fault', code: 'CannotListen', message: /^The control socket .* cannot be opened/ },
    );
  });
});
