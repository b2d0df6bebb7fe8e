/**
 * The control socket's conversation, between our two ends and with peers that are not ours.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { duplexPair, type Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { fakeClock } from '../../../support/clock.ts';
import { silentLog } from '../../../support/silent-log.ts';
import { Fault } from '#domain/values/fault';
import {
  askControl,
  ControlError,
  serveControl,
  turnAway,
  type ControlCommands,
} from '#protocols/cli/control';

const COMMANDS: ControlCommands = new Map([
  ['echo', async (fields: unknown) => fields],
  ['list', async () => 'x'.repeat(3_000_000)],
  [
    'refuse',
    async () => {
      throw new ControlError('Never', 'That is never done.');
    },
  ],
  [
    'fault',
    async () => {
      throw new Fault('DiskFull', 'There is no room.');
    },
  ],
  [
    'bug',
    async () => {
      throw new TypeError('x is not a function');
    },
  ],
]);

interface Scene {
  readonly client: Duplex;
  readonly clock: ReturnType<typeof fakeClock>;
  readonly over: Promise<void>;
}

function open(): Scene {
  const [client, server] = duplexPair();
  const clock = fakeClock();
  const over = serveControl(server, COMMANDS, { clock, log: silentLog });
  return { client, clock, over };
}

/** Everything that the server says to these octets, to its end. */
async function heard(scene: Scene, octets: string | Buffer): Promise<readonly string[]> {
  scene.client.end(octets);
  let text = '';
  for await (const chunk of scene.client) text += String(chunk);
  await scene.over;
  return text.split('\n').slice(0, -1);
}

describe('our two ends', () => {
  it('carry a command and its result', async () => {
    const { client, over, clock } = open();
    const fields = { name: 'J\u00fcrgen\n', list: [1, true] };
    assert.deepEqual(await askControl(client, 'echo', fields), fields);
    await over;
    assert.equal(clock.waiting, 0);
  });

  it('carry long answers', async () => {
    const { client } = open();
    assert.equal(String(await askControl(client, 'list', {})).length, 3_000_000);
  });

  for (const [command, code, message] of [
    ['refuse', 'Never', 'That is never done.'],
    ['fault', 'DiskFull', 'There is no room.'],
    ['bug', 'Failed', 'The server failed; its log says why.'],
    ['fly', 'UnknownCommand', 'The server does not know the command fly.'],
  ] as const) {
    it(`carry what went wrong: ${command}`, async () => {
      const { client } = open();
      await assert.rejects(askControl(client, command, {}), {
        name: 'ControlError',
        code,
        message,
      });
    });
  }
});

describe('the server', () => {
  it('says hello with its version, and answers line by line, in order', async () => {
    const asked = '{"command":"echo","arguments":1}\n{"command":"echo","arguments":2}\n';
    assert.deepEqual(await heard(open(), asked), [
      '{"daybook":"control","version":1}',
      '{"result":1}',
      '{"result":2}',
    ]);
  });

  for (const line of ['', 'GET / HTTP/1.1', 'null', '[]', '"echo"', '{"command":7}']) {
    it(`answers ${JSON.stringify(line)} with an error and goes on`, async () => {
      const lines = await heard(open(), `${line}\n{"command":"echo","arguments":1}\n`);
      assert.match(lines[1] ?? '', /^\{"error":"The /);
      assert.equal(lines[2], '{"result":1}');
    });
  }

  it('ends the conversation when a line never does', async () => {
    const { client, over, clock } = open();
    client.on('error', () => undefined);
    client.resume();
    client.write(Buffer.alloc(1024 * 1024 + 1, 0x20));
    await over;
    assert.equal(clock.waiting, 0);
  });

  it('leaves whoever says nothing', async () => {
    const { client, clock, over } = open();
    client.on('error', () => undefined);
    client.resume();
    clock.advance(30_000);
    await over;
    assert.equal(clock.waiting, 0);
  });
});

describe('whoever is turned away', () => {
  it('hears why instead of an answer', async () => {
    const [client, server] = duplexPair();
    turnAway(server, 16);
    await assert.rejects(askControl(client, 'echo', {}), {
      name: 'ControlError',
      code: 'Busy',
      message: 'The server answers 16 at a time: try again.',
    });
  });

  it('is not waited for when it says nothing more', async () => {
    const [client, server] = duplexPair();
    turnAway(server, 16);
    client.resume();
    client.end(Buffer.alloc(1024 * 1024));
    await once(server, 'close');
  });
});

describe('the client', () => {
  for (const [hello, code, message] of [
    ['{"daybook":"control","version":2}', 'WrongVersion', /speaks version 2 .* version 1/],
    ['{"daybook":"control"}', 'WrongVersion', /speaks version undefined/],
    ['{"something":"else"}', 'NotOurs', /is not this server/],
    ['220 mail.example.org ESMTP', 'NotOurs', /is not this server/],
    ['ctlv0', 'NotOurs', /is not this server/],
  ] as const) {
    it(`does not go on after ${hello}`, async () => {
      const [client, server] = duplexPair();
      server.write(`${hello}\n`);
      await assert.rejects(askControl(client, 'echo', {}), { code, message });
      assert.equal(server.read(), null);
    });
  }

  it('says so when the server leaves', async () => {
    const [client, server] = duplexPair();
    server.end('{"daybook":"control","version":1}\n');
    server.resume();
    await assert.rejects(askControl(client, 'echo', {}), { code: 'Gone' });
  });

  it('says so when the server is killed', async () => {
    const [client, server] = duplexPair();
    server.write('{"daybook":"control","version":1}\n');
    const asking = askControl(client, 'echo', {});
    client.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    await assert.rejects(asking, { code: 'Gone', message: 'The server ended the conversation.' });
  });
});
