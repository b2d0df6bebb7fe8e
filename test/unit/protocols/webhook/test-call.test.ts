/** Calls to try a receiver with. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '../../../support/clock.ts';
import { startReceiver } from '../../../support/receiver.ts';
import { openHttpPost } from '#infra/http-post';
import { testHook } from '#protocols/webhook/test-call';

test('webapi 42: an example is told as a real call would be, as webhook 1', async () => {
  await using receiver = await startReceiver();
  const clock = fakeClock();
  const http = openHttpPost({ clock });
  const ports = { http, clock, version: '1' };
  for (const direction of ['outgoing', 'incoming'] as const) {
    const target = { url: receiver.origin, authorization: 'secret' };
    assert.equal((await testHook(direction, target, ports)).code, 200);
  }
  http.close();
  const [outgoing, incoming] = receiver.calls.map(({ body }) => JSON.parse(body));
  assert.partialDeepStrictEqual(outgoing, { Event: 'delivered', Subject: 'test', Extra: {} });
  assert.partialDeepStrictEqual(incoming, {
    From: [{ Name: '', Address: 'sender@example.org' }],
    Subject: 'test',
    Text: 'This is a test.\n',
    Meta: { MsgID: 1, MailboxName: 'Inbox', Received: '2026-01-01T00:00:00.000Z' },
  });
});
