/**
 * An open SMTP connection: cancelling, one thing at a time, goodbye.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlayedServer } from '../../../support/imap-client.ts';
import {
  BOB,
  deliveryTo,
  MAIL,
  MESSAGE,
  openPlayed,
  outcomes,
  play,
  rcpt,
  TEXT,
} from '../../../support/smtp-client.ts';
import type { Delivery } from '#protocols/smtp/client-envelope';

describe('a caller', () => {
  it('can cancel, also while its own octets do not come', async () => {
    const never: Delivery['body'] = () => ({
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
    });
    const server = new PlayedServer();
    const client = await openPlayed(server, ['PIPELINING']);
    const control = new AbortController();
    const { signal } = control;
    const delivering = client.deliver(deliveryTo([BOB], { body: never, signal }));
    setImmediate(() => control.abort());
    assert.deepEqual(outcomes(await delivering), ['Cancelled']);
    assert.ok(!client.isOpen);
    assert.equal(server.clock.waiting, 0);
  });

  it('that cancels behind the message does not know what became of it', async () => {
    const server = new PlayedServer();
    const client = await openPlayed(server);
    const control = new AbortController();
    const delivering = client.deliver(deliveryTo([BOB], { signal: control.signal }));
    await play(server, MAIL, rcpt(BOB, '250 ok'), ['DATA', '354 go'], ...TEXT, ['.']);
    control.abort();
    const { failure } = await delivering;
    assert.deepEqual([failure?.code, failure?.mayBeTaken], ['Cancelled', true]);
  });

  it('does one thing at a time', async () => {
    const client = await openPlayed(new PlayedServer());
    const delivering = client.deliver(deliveryTo([BOB]));
    await assert.rejects(client.deliver(deliveryTo([BOB])), /one thing at a time/);
    client.close();
    assert.deepEqual(outcomes(await delivering), ['Closed']);
  });

  it('hears that the server has no room before it sends', async () => {
    const server = new PlayedServer();
    const client = await openPlayed(server, ['SIZE 20']);
    const result = await client.deliver(deliveryTo([BOB]));
    assert.ok(MESSAGE.length > 20);
    const { failure } = result;
    assert.deepEqual([failure?.code, failure?.enhanced], ['TooLarge', '5.3.4']);
    assert.deepEqual([failure?.permanent, failure?.replyCode], [true, 0]);
    assert.equal(server.unheard, '');
  });
});

describe('a server that limits the transactions of a connection', () => {
  it('is asked for no more of them, whatever became of those before', async () => {
    const server = new PlayedServer();
    const client = await openPlayed(server, ['LIMITS MAILMAX=2']);
    for (const answer of ['250 taken', '451 not now']) {
      const delivering = client.deliver(deliveryTo([BOB]));
      await play(server, MAIL, rcpt(BOB, '250 ok'), ['DATA', '354 go'], ...TEXT, ['.', answer]);
      assert.deepEqual(outcomes(await delivering), [Number(answer.slice(0, 3))]);
    }
    const { recipients, failure } = await client.deliver(deliveryTo([BOB]));
    assert.deepEqual([failure?.code, failure?.permanent], ['LimitReached', false]);
    assert.equal(recipients.length, 1);
    assert.equal(server.unheard, '');
    assert.ok(client.isOpen);
  });
});

describe('goodbye', () => {
  it('is said, and whether it is answered does not matter', async () => {
    for (const [answer, hangsUp] of [
      ['221 bye', false],
      ['421 no', false],
      ['nonsense', false],
      ['', true],
    ] as const) {
      const server = new PlayedServer();
      const client = await openPlayed(server);
      const quitting = client.quit();
      await play(server, answer === '' ? ['QUIT'] : ['QUIT', answer]);
      if (hangsUp) server.hangUp();
      await quitting;
      assert.ok(!client.isOpen);
      await client.quit();
    }
  });
});
