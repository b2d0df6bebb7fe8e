/**
 * One webhook call, against receivers of every kind.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fakeClock, type FakeClock } from '../../../support/clock.ts';
import { startReceiver } from '../../../support/receiver.ts';
import { keptAnswer } from '#domain/webhook/answer';
import type { WebhookAnswer } from '#domain/webhook/events';
import { openHttpPost } from '#infra/http-post';
import { callHook, type HookCall } from '#protocols/webhook/client';

interface Caller extends Disposable {
  readonly clock: FakeClock;
  call(url: string, more?: Partial<HookCall>): Promise<WebhookAnswer>;
}

function openCaller(): Caller {
  const clock = fakeClock();
  const http = openHttpPost({ clock });
  const usual = { hookId: 89, attempt: 3, payload: '{"Version":0}' };
  return {
    clock,
    call: (url, more = {}) => callHook({ url, ...usual, ...more }, { http, clock, version: '1.2' }),
    [Symbol.dispose]: () => http.close(),
  };
}

describe('a webhook call', () => {
  it('webapi 36: carries its number, the attempt and the Authorization as it is set', async () => {
    await using receiver = await startReceiver();
    using caller = openCaller();
    const answer = await caller.call(`${receiver.origin}/in?a=b`, {
      authorization: 'Basic aW46c2VjcmV0',
    });
    assert.deepEqual(answer, { code: 200, error: '', response: 'resp-200', durationMs: 0 });
    const [call] = receiver.calls;
    assert.deepEqual([call?.method, call?.path, call?.body], ['POST', '/in?a=b', '{"Version":0}']);
    assert.partialDeepStrictEqual(call?.headers, {
      'content-type': 'application/json; charset=utf-8',
      'user-agent': 'daybook/1.2 (webhook)',
      'x-mox-webhook-id': '89',
      'x-mox-webhook-attempt': '3',
      authorization: 'Basic aW46c2VjcmV0',
    });
    await caller.call(receiver.origin);
    assert.equal(receiver.calls[1]?.headers['authorization'], undefined);
  });

  it('webapi 36: succeeds with 200 and with nothing else', async () => {
    await using receiver = await startReceiver();
    using caller = openCaller();
    for (const status of [500, 201, 202, 204, 301, 302, 303, 307, 404]) {
      receiver.answer(status);
      const { code, error } = await caller.call(receiver.origin);
      assert.equal(code, status);
      assert.match(error, new RegExp(`^http status "${status} [A-Z].*", expected 200$`));
    }
    assert.equal(receiver.calls.length, 9);
  });

  it('webapi 36: is made again where 307 or 308 says, with the same body', async () => {
    await using receiver = await startReceiver();
    using caller = openCaller();
    for (const status of [307, 308]) {
      receiver.answer((response, { path }) =>
        path === '/there'
          ? void response.end('here')
          : void response.writeHead(status, { location: 'there' }).end(),
      );
      const answer = await caller.call(receiver.origin, { authorization: 'secret' });
      assert.partialDeepStrictEqual(answer, { code: 200, error: '', response: 'here' });
      const [first, second] = receiver.calls.slice(-2);
      assert.deepEqual({ ...second, path: '/' }, first);
    }
    for (const status of [301, 302, 303]) {
      receiver.answer((response) => void response.writeHead(status, { location: '/there' }).end());
      assert.equal((await caller.call(receiver.origin)).code, status);
    }
  });

  it('tells the Authorization to nobody else', async () => {
    await using other = await startReceiver();
    await using receiver = await startReceiver();
    receiver.answer((response) => void response.writeHead(307, { location: other.origin }).end());
    using caller = openCaller();
    const answer = await caller.call(receiver.origin, { authorization: 'secret' });
    assert.equal(answer.code, 200);
    assert.equal(receiver.calls[0]?.headers['authorization'], 'secret');
    assert.equal(other.calls[0]?.headers['authorization'], undefined);
    assert.equal(other.calls[0]?.headers['x-mox-webhook-id'], '89');
  });

  it('does not go in circles, nor elsewhere than to HTTP', async () => {
    await using receiver = await startReceiver();
    using caller = openCaller();
    receiver.answer((response) => void response.writeHead(308, { location: '/' }).end());
    const circle = await caller.call(receiver.origin);
    assert.partialDeepStrictEqual(circle, {
      code: 308,
      error: 'There were more than 10 redirects.',
    });
    assert.equal(receiver.calls.length, 11);
    for (const location of ['file:///etc/passwd', 'mailto:x@y', 'http://']) {
      receiver.answer((response) => void response.writeHead(308, { location }).end());
      const { code, error } = await caller.call(receiver.origin);
      assert.equal(code, 0);
      assert.match(error, /is no URL of http or https\.$/);
    }
    assert.equal((await caller.call('ftp://127.0.0.1/')).code, 0);
  });

  it('gives of an answer what is kept of it, also where it is no text', async () => {
    await using receiver = await startReceiver();
    using caller = openCaller();
    for (const octets of [
      Buffer.alloc(600, 0xff),
      Buffer.concat([Buffer.alloc(511, 0x78), Buffer.from('\u263a'.repeat(200))]),
      Buffer.concat([Buffer.alloc(400, 0x78), Buffer.from([0xe2, 0x98])]),
    ]) {
      receiver.answer((response) => void response.end(octets));
      const answer = await caller.call(receiver.origin);
      assert.deepEqual(keptAnswer(answer), answer);
      assert.ok(Buffer.byteLength(answer.response) <= 512);
    }
  });

  it('keeps the first 512 octets of the answer', async () => {
    await using receiver = await startReceiver();
    using caller = openCaller();
    receiver.answer((response) => void response.end('x'.repeat(511) + 'ü'.repeat(100_000)));
    const { code, response } = await caller.call(receiver.origin);
    assert.deepEqual([code, response], [200, 'x'.repeat(511)]);
  });

  it('takes 60 seconds in all, redirects included', async () => {
    await using receiver = await startReceiver();
    using caller = openCaller();
    receiver.answer((response, { path }) => {
      caller.clock.advance(40_000);
      if (path === '/') response.writeHead(307, { location: '/again' }).end();
    });
    const call = caller.call(receiver.origin);
    await receiver.call(2);
    assert.deepEqual(await call, {
      code: 0,
      error: 'It took too long.',
      response: '',
      durationMs: 80_000,
    });
  });

  it('says so when nobody answers', async () => {
    const gone = await startReceiver();
    await gone[Symbol.asyncDispose]();
    using caller = openCaller();
    const { code, error } = await caller.call(gone.origin);
    assert.equal(code, 0);
    assert.match(error, /ECONNREFUSED/);
  });

  it('is not made with an Authorization that would end its line', async () => {
    await using receiver = await startReceiver();
    using caller = openCaller();
    for (const authorization of ['a\r\nX: y', 'a\nb', '\u0000', '€']) {
      const { code, error } = await caller.call(receiver.origin, { authorization });
      assert.deepEqual([code, error], [0, 'The Authorization cannot stand in a header.']);
    }
    assert.equal(receiver.calls.length, 0);
  });
});
