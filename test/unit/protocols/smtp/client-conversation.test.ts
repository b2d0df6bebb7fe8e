/**
 * Servers that refuse, talk nonsense, fall silent or go away while a message is sent.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlayedServer } from '../../../support/imap-client.ts';
import {
  bodyOf,
  BOB,
  CAROL,
  DAVE,
  deliveryTo,
  MAIL,
  openPlayed,
  outcomes,
  play,
  rcpt,
  sent,
  TEXT,
  type Step,
} from '../../../support/smtp-client.ts';
import type { Delivery } from '#protocols/smtp/client-envelope';

describe('a server', () => {
  const words = ['PIPELINING'];

  it('that refuses the sender refuses it for all, and goes on', async () => {
    for (const [code, permanent] of [
      ['550 5.7.1', true],
      ['451 4.7.1', false],
    ] as const) {
      const server = new PlayedServer();
      const client = await openPlayed(server, words);
      const delivering = client.deliver(deliveryTo([BOB, CAROL]));
      await play(server, [MAIL[0], `${code} no`], rcpt(BOB, '503 no'), rcpt(CAROL, '503 no'));
      await play(server, ['DATA', '503 no']);
      const result = await delivering;
      const { failure } = result;
      assert.deepEqual([failure?.stage, failure?.permanent], ['mail', permanent]);
      assert.deepEqual(outcomes(result), [failure?.replyCode, failure?.replyCode]);
      assert.ok(client.isOpen);
    }
  });

  it('that refuses the sender and takes the rest gets a message of nothing', async () => {
    const steps: Step[] = [[MAIL[0], '550 no'], rcpt(BOB, '250 ok'), ['DATA', '354 go']];
    const result = await sent(words, deliveryTo([BOB]), ...steps, ['.', '554 no']);
    assert.deepEqual(outcomes(result), [550]);
  });

  it('that refuses DATA or the message refuses it for those that it took', async () => {
    for (const [steps, stage] of [
      [[['DATA', '451 4.3.0 no']], 'data'],
      [[['DATA', '354 go'], ...TEXT, ['.', '554 5.6.0 no']], 'end'],
    ] as const) {
      const result = await sent(
        words,
        deliveryTo([BOB, CAROL]),
        MAIL,
        rcpt(BOB, '250 ok'),
        rcpt(CAROL, '550 no'),
        ...steps,
      );
      assert.equal(result.failure?.stage, stage);
      assert.equal(result.failure.mayBeTaken, false);
      assert.deepEqual(outcomes(result), [result.failure.replyCode, 550]);
    }
  });

  it('smtp 119: that says 421 is gone; what it said before still counts', async () => {
    const server = new PlayedServer();
    const client = await openPlayed(server, words);
    const delivering = client.deliver(deliveryTo([BOB, CAROL, DAVE]));
    await play(server, MAIL, rcpt(BOB, '550 no'), rcpt(CAROL, '421 4.3.2 closing'));
    const result = await delivering;
    assert.deepEqual(outcomes(result), [550, 421, 421]);
    assert.equal(result.failure?.permanent, false);
    assert.ok(!client.isOpen);
    assert.deepEqual(outcomes(await client.deliver(deliveryTo([BOB]))), [421]);
  });

  for (const [name, said] of [
    ['with different codes', '250-ok\r\n550 no\r\n'],
    ['without digits', 'fine\r\n'],
    ['of a class that there is not', '150 hm\r\n'],
    ['with a bare line end', '250 ok\n'],
    ['with a line without end', `250 ${'x'.repeat(5000)}`],
    ['without end', '250-x\r\n'.repeat(300)],
    ['that cannot be here', '354 go\r\n'],
  ] as const) {
    it(`smtp 119: that gives a reply ${name} is not talked to any more`, async () => {
      const server = new PlayedServer();
      const client = await openPlayed(server, words);
      const delivering = client.deliver(deliveryTo([BOB]));
      server.sayRaw(said);
      const { failure } = await delivering;
      assert.deepEqual([failure?.code, failure?.stage], ['BadReply', 'mail']);
      assert.equal(failure?.permanent, false);
      assert.ok(!client.isOpen);
    });
  }

  it('smtp 130: that goes away behind the message may have taken it', async () => {
    const server = new PlayedServer();
    const client = await openPlayed(server, words);
    const delivering = client.deliver(deliveryTo([BOB]));
    await play(server, MAIL, rcpt(BOB, '250 ok'), ['DATA', '354 go'], ...TEXT, ['.']);
    server.hangUp();
    const { failure } = await delivering;
    assert.deepEqual([failure?.code, failure?.stage], ['ConnectionLost', 'end']);
    assert.deepEqual([failure?.mayBeTaken, failure?.permanent], [true, false]);
  });

  it('smtp 130: that goes away before has taken nothing', async () => {
    for (const steps of [[MAIL], [MAIL, rcpt(BOB, '250 ok')]]) {
      const server = new PlayedServer();
      const client = await openPlayed(server, words);
      const delivering = client.deliver(deliveryTo([BOB]));
      await play(server, ...steps);
      server.hangUp();
      const { failure } = await delivering;
      assert.deepEqual([failure?.code, failure?.mayBeTaken], ['ConnectionLost', false]);
    }
  });

  it('that interrupts a long message is heard', async () => {
    const server = new PlayedServer();
    const client = await openPlayed(server);
    const body: Delivery['body'] = async function* () {
      for (let i = 0; i < 500; i++) yield Buffer.from(`${'x'.repeat(70)}\r\n`.repeat(1000));
    };
    const delivering = client.deliver(deliveryTo([BOB], { body }));
    await play(server, MAIL, rcpt(BOB, '250 ok'), ['DATA', '354 go'], ['x'.repeat(70)]);
    server.say('552 5.3.4 that is enough');
    const { failure } = await delivering;
    assert.deepEqual([failure?.replyCode, failure?.stage], [552, 'data']);
    assert.deepEqual([failure?.permanent, failure?.mayBeTaken], [true, false]);
    assert.ok(!client.isOpen);
  });

  it('that reads no further is not waited for', async () => {
    const server = new PlayedServer();
    const client = await openPlayed(server);
    const body = bodyOf(Buffer.from('x\r\n'.repeat(1_000_000)));
    const delivering = client.deliver(deliveryTo([BOB], { body }));
    await play(server, MAIL, rcpt(BOB, '250 ok'), ['DATA', '354 go']);
    server.deaf();
    const time = setInterval(() => server.clock.advance(10_000), 1);
    const { failure } = await delivering;
    clearInterval(time);
    assert.deepEqual([failure?.code, failure?.stage], ['Timeout', 'data']);
    assert.equal(server.clock.waiting, 0);
  });

  it('that answers nothing is waited for 30 seconds, behind a message longer', async () => {
    for (const [steps, seconds, stage] of [
      [[], 30, 'mail'],
      [[MAIL, rcpt(BOB, '250 ok'), ['DATA', '354 go'], ...TEXT, ['.']], 600, 'end'],
    ] as const) {
      const server = new PlayedServer();
      const client = await openPlayed(server, words);
      const delivering = client.deliver(deliveryTo([BOB]));
      await play(server, ...steps);
      while (server.clock.waiting < 2) await new Promise(setImmediate);
      server.clock.advance(seconds * 1000 - 1);
      await new Promise(setImmediate);
      assert.ok(client.isOpen);
      server.clock.advance(1);
      const { failure } = await delivering;
      const isOut = stage === 'end';
      assert.deepEqual(
        [failure?.code, failure?.stage, failure?.mayBeTaken],
        ['Timeout', stage, isOut],
      );
    }
  });
});
