/**
 * Sending a message to servers that a test plays: transactions, recipients, and what goes wrong.
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

describe('a message', () => {
  for (const words of [[], ['PIPELINING']]) {
    it(`goes to a recipient (${words.length === 0 ? 'one by one' : 'pipelined'})`, async () => {
      const { recipients, failure } = await sent(
        words,
        deliveryTo([BOB]),
        MAIL,
        rcpt(BOB, '250 2.1.5 fine'),
        ['DATA', '354 go'],
        ...TEXT,
        ['.', '250-2.0.0 taken', '250 2.0.0 as 17'],
      );
      assert.equal(failure, undefined);
      const taken = { code: 250, enhanced: '2.1.5', lines: ['fine'] };
      const ended = { code: 250, enhanced: '2.0.0', lines: ['taken', 'as 17'] };
      assert.deepEqual(recipients, [{ type: 'delivered', address: BOB, taken, ended }]);
    });
  }

  it('is begun in one write where the server takes that, and not where it does not', async () => {
    for (const words of [[], ['PIPELINING']]) {
      const server = new PlayedServer();
      const client = await openPlayed(server, words);
      const delivering = client.deliver(deliveryTo([BOB, CAROL]));
      assert.equal(await server.hear(), 'MAIL FROM:<alice@example.com>');
      const commands = `RCPT TO:<${BOB}>\r\nRCPT TO:<${CAROL}>\r\nDATA\r\n`;
      assert.equal(server.unheard, words.length === 0 ? '' : commands);
      client.close();
      await delivering;
    }
  });

  it('has its dots doubled, its prefix in front, and an end', async () => {
    const body = bodyOf('Subject: x\r\n\r\n.\r\n..two\r', '\n.', 'three\r\n', 'no end');
    const prefix = Buffer.from('Received: by us\r\n');
    const { recipients } = await sent(
      [],
      deliveryTo([BOB], { body, prefix }),
      MAIL,
      rcpt(BOB, '250 ok'),
      ['DATA', '354 go'],
      ...['Received: by us', 'Subject: x', '', '..', '...two', '..three', 'no end'].map(
        (line): Step => [line],
      ),
      ['.', '250 ok'],
    );
    assert.equal(recipients[0]?.type, 'delivered');
  });

  it('of megabytes arrives whole', async () => {
    const line = `.${'x'.repeat(997)}\r\n`;
    const chunk = Buffer.from(line.repeat(3000));
    const server = new PlayedServer();
    const client = await openPlayed(server);
    const delivering = client.deliver(deliveryTo([BOB], { body: bodyOf(chunk, chunk) }));
    await play(server, MAIL, rcpt(BOB, '250 ok'), ['DATA', '354 go']);
    for (let i = 0; i < 6000; i++) assert.equal((await server.hear()).length, 999);
    await play(server, ['.', '250 ok']);
    assert.deepEqual(outcomes(await delivering), [250]);
  });

  it('may have the null path as its sender', async () => {
    const steps: Step[] = [['MAIL FROM:<>', '550 5.7.1 no bounces']];
    const result = await sent([], deliveryTo([BOB], { mailFrom: '' }), ...steps);
    assert.deepEqual(outcomes(result), [550]);
  });

  for (const body of ['a\nb\r\n', 'a\rb\r\n', '\r\r\n', 'end\r', '\n']) {
    it(`smtp 131: is not begun with ${JSON.stringify(body)} in it`, async () => {
      for (const texts of [[body], body.split('')]) {
        const server = new PlayedServer();
        const client = await openPlayed(server, ['PIPELINING']);
        const result = await client.deliver(deliveryTo([BOB], { body: bodyOf(...texts) }));
        assert.equal(result.failure?.code, 'BadMessage');
        assert.equal(result.failure.permanent, true);
        assert.deepEqual(outcomes(result), ['BadMessage']);
        assert.equal(server.unheard, '');
        assert.ok(client.isOpen);
      }
    });
  }

  it('that changes while it is sent is never ended', async () => {
    for (const second of ['shorter\r\n', 'much longer than before\r\n', 'bare\n line end\r\n']) {
      const texts = ['first look!\r\n'.padStart(18, 'x'), second];
      const server = new PlayedServer();
      const client = await openPlayed(server);
      const body: Delivery['body'] = () => bodyOf(texts.shift() ?? '')();
      const delivering = client.deliver(deliveryTo([BOB], { body }));
      await play(server, MAIL, rcpt(BOB, '250 ok'), ['DATA', '354 go']);
      const { failure } = await delivering;
      assert.deepEqual([failure?.code, failure?.stage], ['CallerFailed', 'data']);
      assert.equal(failure?.mayBeTaken, false);
      assert.ok(!client.isOpen && !server.unheard.includes('\r\n.\r\n'));
    }
  });

  it('that cannot be read does not begin, and the connection goes on', async () => {
    const client = await openPlayed(new PlayedServer());
    const body: Delivery['body'] = async function* () {
      yield Buffer.from('x\r\n');
      throw new Error('the disk is gone');
    };
    const { failure } = await client.deliver(deliveryTo([BOB], { body }));
    assert.deepEqual([failure?.code, failure?.permanent], ['CallerFailed', false]);
    assert.match(String(failure?.cause), /the disk is gone/);
    assert.ok(client.isOpen);
  });
});

describe('recipients', () => {
  const words = ['PIPELINING'];

  it('smtp 104: get one answer each', async () => {
    for (const offered of [[], words]) {
      const { recipients, failure } = await sent(
        offered,
        deliveryTo([BOB, CAROL, DAVE]),
        MAIL,
        rcpt(BOB, '250 ok'),
        rcpt(CAROL, '550-5.1.1 no such', '550 5.1.1 user'),
        rcpt(DAVE, '451 4.2.0 later'),
        ['DATA', '354 go'],
        ...TEXT,
        ['.', '250 ok'],
      );
      assert.equal(failure, undefined);
      const [bob, carol, dave] = recipients;
      assert.equal(bob?.type, 'delivered');
      assert.ok(carol?.type === 'failed' && dave?.type === 'failed');
      assert.deepEqual(
        [carol.error.replyCode, carol.error.enhanced, carol.error.reply?.lines],
        [550, '5.1.1', ['no such', 'user']],
      );
      assert.deepEqual([carol.error.permanent, carol.error.stage], [true, 'rcpt']);
      assert.deepEqual([dave.error.permanent, dave.error.replyCode], [false, 451]);
    }
  });

  it('that are all refused get an empty message when the server wants one', async () => {
    const { recipients, failure } = await sent(
      words,
      deliveryTo([BOB]),
      MAIL,
      rcpt(BOB, '550 no'),
      ['DATA', '354 go'],
      ['.', '554 5.5.1 no recipients'],
    );
    assert.equal(failure, undefined);
    assert.ok(recipients[0]?.type === 'failed' && recipients[0].error.replyCode === 550);
  });

  it('that are all refused are forgotten before the next message', async () => {
    for (const [offered, data] of [
      [[], []],
      [words, [['DATA', '503 5.5.1 no recipients']]],
    ] as const) {
      const server = new PlayedServer();
      const client = await openPlayed(server, offered);
      const first = client.deliver(deliveryTo([BOB]));
      await play(server, MAIL, rcpt(BOB, '550 no'), ...data);
      assert.deepEqual(outcomes(await first), [550]);
      const second = client.deliver(deliveryTo([CAROL]));
      await play(server, ['RSET', '250 ok'], MAIL, rcpt(CAROL, '250 ok'), ['DATA', '354 go']);
      await play(server, ...TEXT, ['.', '250 ok']);
      assert.deepEqual(outcomes(await second), [250]);
    }
  });

  it('smtp 105: beyond RCPTMAX go in another transaction', async () => {
    const result = await sent(
      ['PIPELINING', 'LIMITS RCPTMAX=2'],
      deliveryTo([BOB, CAROL, DAVE]),
      MAIL,
      rcpt(BOB, '250 ok'),
      rcpt(CAROL, '250 ok'),
      ['DATA', '354 go'],
      ...TEXT,
      ['.', '250 ok one'],
      MAIL,
      rcpt(DAVE, '250 ok'),
      ['DATA', '354 go'],
      ...TEXT,
      ['.', '251 ok two'],
    );
    assert.deepEqual(outcomes(result), [250, 250, 251]);
  });

  for (const code of ['452 4.5.3', '552', '452']) {
    it(`smtp 105: that were too many (${code}) go in another transaction`, async () => {
      for (const offered of [[], words]) {
        const result = await sent(
          offered,
          deliveryTo([BOB, CAROL, DAVE]),
          MAIL,
          rcpt(BOB, '250 ok'),
          rcpt(CAROL, `${code} too many`),
          rcpt(DAVE, `${code} too many`),
          ['DATA', '354 go'],
          ...TEXT,
          ['.', '250 ok'],
          MAIL,
          rcpt(CAROL, '250 ok'),
          ['DATA', '354 go'],
          ...TEXT,
          ['.', '250 ok'],
          MAIL,
          rcpt(DAVE, `${code} too many`),
          ...(offered.length === 0 ? [] : [['DATA', '554 no'] as const]),
        );
        assert.deepEqual(outcomes(result), [250, 250, Number(code.slice(0, 3))]);
        const dave = result.recipients[2];
        assert.ok(dave?.type === 'failed' && !dave.error.permanent);
      }
    });
  }

  it('with a full mailbox are not too many', async () => {
    const result = await sent(
      words,
      deliveryTo([BOB, CAROL]),
      MAIL,
      rcpt(BOB, '250 ok'),
      rcpt(CAROL, '452 4.2.2 full'),
      ['DATA', '354 go'],
      ...TEXT,
      ['.', '250 ok'],
    );
    assert.deepEqual(outcomes(result), [250, 452]);
  });

  it('smtp 117: that need SMTPUTF8 fail alone where it is not known', async () => {
    const result = await sent(
      [],
      deliveryTo(['j\u00f6rg@example.org', BOB]),
      MAIL,
      rcpt(BOB, '250 ok'),
      ['DATA', '354 go'],
      ...TEXT,
      ['.', '250 ok'],
    );
    assert.deepEqual(outcomes(result), ['NotOffered', 250]);
    assert.equal(result.failure, undefined);
  });

  it('that are no addresses fail alone', async () => {
    const result = await sent(
      [],
      deliveryTo(['a b@example.org', 'x@example.org>\r\nRCPT TO:<y@example.org', BOB]),
      MAIL,
      rcpt(BOB, '250 ok'),
      ['DATA', '354 go'],
      ...TEXT,
      ['.', '250 ok'],
    );
    assert.deepEqual(outcomes(result), ['BadArgument', 'BadArgument', 250]);
  });
});
