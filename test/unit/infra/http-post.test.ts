/**
 * Requests that hand something over, to receivers of every kind.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { newCertificate } from '../../support/chains.ts';
import { fakeClock, type FakeClock } from '../../support/clock.ts';
import { startReceiver } from '../../support/receiver.ts';
import { openHttpPost } from '#infra/http-post';
import type { Posted, PostRequest } from '#protocols/ports-webhook';

interface Sender extends Disposable {
  readonly clock: FakeClock;
  post(url: string, more?: Partial<PostRequest>): Promise<Posted>;
}

function openSender(authorities?: readonly string[]): Sender {
  const clock = fakeClock();
  const http = openHttpPost({ clock, ...(authorities === undefined ? {} : { authorities }) });
  const usual = { headers: {}, body: Buffer.from('{}'), answerBytesMax: 100, timeoutMs: 5000 };
  return {
    clock,
    post: (url, more = {}) => http.post({ url: new URL(url), ...usual, ...more }),
    [Symbol.dispose]: () => http.close(),
  };
}

function why(posted: Posted): string {
  return posted.type === 'failed' ? posted.why : posted.type;
}

/** Somebody who speaks no HTTP, or not all of it. */
async function startTalker(
  talk: (socket: Socket) => void,
): Promise<AsyncDisposable & { origin: string }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => talk(socket));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('a request', () => {
  it('hands over its body and headers', async () => {
    await using receiver = await startReceiver();
    using sender = openSender();
    const body = Buffer.from('{"a":"ü"}');
    const posted = await sender.post(`${receiver.origin}/x?y=%20z#w`, {
      headers: { 'X-Some': 'thing', Authorization: 'Bearer s' },
      body,
    });
    assert.deepEqual(posted, {
      type: 'answer',
      status: 200,
      reason: 'OK',
      location: '',
      body: Buffer.from('resp-200'),
    });
    const [call] = receiver.calls;
    assert.deepEqual([call?.method, call?.path, call?.body], ['POST', '/x?y=%20z', '{"a":"ü"}']);
    assert.partialDeepStrictEqual(call?.headers, {
      'x-some': 'thing',
      authorization: 'Bearer s',
      'content-length': String(body.length),
    });
    assert.equal(sender.clock.waiting, 0);
  });

  it('uses a connection again, also when the receiver ends it just then', async () => {
    await using receiver = await startReceiver();
    using sender = openSender();
    for (let i = 0; i < 3; i++) assert.equal(why(await sender.post(receiver.origin)), 'answer');
    assert.equal(receiver.connections(), 1);
    receiver.answer((response) => {
      const { socket } = response;
      response.end(() => setImmediate(() => socket?.destroy()));
    });
    for (let i = 0; i < 3; i++) assert.equal(why(await sender.post(receiver.origin)), 'answer');
    assert.ok(receiver.connections() > 1);
  });

  it('follows no redirect, but says where it leads', async () => {
    await using receiver = await startReceiver();
    receiver.answer((response) => void response.writeHead(307, { location: '/there' }).end());
    using sender = openSender();
    const posted = await sender.post(receiver.origin);
    assert.partialDeepStrictEqual(posted, { status: 307, location: '/there' });
    assert.equal(receiver.calls.length, 1);
  });

  it('reads no more of an answer than is wanted', async () => {
    await using receiver = await startReceiver();
    receiver.answer((response) => {
      response.on('error', () => {});
      const more = (): void => void (response.write('x'.repeat(64 * 1024)) && setImmediate(more));
      response.on('drain', more);
      more();
    });
    using sender = openSender();
    const posted = await sender.post(receiver.origin);
    assert.equal(posted.type === 'answer' && posted.body.toString(), 'x'.repeat(100));
  });

  it('does not wait for ever, nor when it is told to end', async () => {
    await using receiver = await startReceiver({ answer: () => {} });
    using sender = openSender();
    const slow = sender.post(receiver.origin);
    await receiver.call(1);
    sender.clock.advance(5000);
    assert.equal(why(await slow), 'timeout');
    const stop = new AbortController();
    const stopped = sender.post(receiver.origin, { signal: stop.signal });
    await receiver.call(2);
    stop.abort();
    assert.equal(why(await stopped), 'cancelled');
    assert.equal(why(await sender.post(receiver.origin, { signal: stop.signal })), 'cancelled');
    assert.equal(receiver.calls.length, 2);
    assert.equal(sender.clock.waiting, 0);
  });

  it('keeps a status that came before the answer broke off', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc';
    const begun = Promise.withResolvers<void>();
    await using breaking = await startTalker((socket) => void socket.end(head));
    await using silent = await startTalker((socket) => socket.write(head, () => begun.resolve()));
    using sender = openSender();
    const broken = await sender.post(breaking.origin);
    const waiting = sender.post(silent.origin);
    await begun.promise;
    // What was written is on its way through this process.
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    sender.clock.advance(5000);
    for (const posted of [broken, await waiting]) {
      assert.partialDeepStrictEqual(posted, { type: 'answer', status: 200 });
      assert.equal(posted.type === 'answer' && posted.body.toString(), 'abc');
    }
  });

  it('is unanswered where nobody speaks HTTP, or too much of it', async () => {
    using sender = openSender();
    const tooMuch = `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`;
    const other = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
    for (const said of ['no\r\n\r\n', tooMuch, other, '']) {
      await using talker = await startTalker((socket) => void socket.end(said));
      assert.equal(why(await sender.post(talker.origin)), 'unreachable', said.slice(0, 20));
    }
    const gone = await startTalker(() => {});
    await gone[Symbol.asyncDispose]();
    await using plain = await startReceiver();
    const noTls = await sender.post(plain.origin.replace('http:', 'https:'));
    assert.match(noTls.type === 'failed' ? noTls.text : '', /^\S[^\r\n]*\S$/);
    const refused = await sender.post(gone.origin);
    assert.match(refused.type === 'failed' ? refused.text : '', /ECONNREFUSED/);
  });

  it('believes no certificate of somebody else', async () => {
    const own = await newCertificate({ name: 'CN=Web', hosts: ['localhost'] });
    await using receiver = await startReceiver({ tls: own });
    const url = receiver.origin.replace('127.0.0.1', 'localhost');
    using trusting = openSender([own.cert]);
    assert.equal(why(await trusting.post(url)), 'answer');
    using careful = openSender([]);
    for (const [sender, origin] of [
      [careful, url],
      [trusting, receiver.origin],
    ] as const) {
      assert.equal(why(await sender.post(origin)), 'unreachable');
    }
    assert.equal(receiver.calls.length, 1);
  });
});
