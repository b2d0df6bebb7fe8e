/**
 * Replies of servers: right ones, wrong ones, and noise.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PlayedServer } from '../../../support/imap-client.ts';
import { deliveryTo, smtpOptions } from '../../../support/smtp-client.ts';
import { openSmtpClient } from '#protocols/smtp/client';
import { SmtpClientError } from '#protocols/smtp/client-error';
import { BadReply, ReplyLines, type SmtpReply } from '#protocols/smtp/client-reply';

const SEED = 20261123;

function read(...lines: readonly string[]): SmtpReply | undefined {
  const reply = new ReplyLines();
  let whole: SmtpReply | undefined;
  for (const line of lines) {
    assert.equal(whole, undefined);
    whole = reply.add(Buffer.from(line, 'latin1'));
  }
  return whole;
}

describe('a reply', () => {
  for (const [lines, code, enhanced, texts] of [
    [['250 ok'], 250, '', ['ok']],
    [['250'], 250, '', ['']],
    [['250 '], 250, '', ['']],
    [['250-a', '250-', '250'], 250, '', ['a', '', '']],
    [['550-5.1.1 a', '550-5.1.1 b', '550 c'], 550, '5.1.1', ['a', 'b', 'c']],
    [['550 5.1.1'], 550, '5.1.1', ['']],
    [['550 5.1.10  x'], 550, '5.1.10', ['x']],
    [['550 4.1.1 of another class'], 550, '', ['4.1.1 of another class']],
    [['550 5.1 short'], 550, '', ['5.1 short']],
    [['354 5.0.0 is no status'], 354, '', ['5.0.0 is no status']],
    [['250 a\tb\x1b[0m\x07\x85c'], 250, '', ['a b [0m  c']],
    [[Buffer.from('250 gr\u00fc\u00df').toString('latin1')], 250, '', ['gr\u00fc\u00df']],
  ] as const) {
    it(`is ${JSON.stringify(lines)}`, () => {
      assert.deepEqual(read(...lines), { code, enhanced, lines: texts });
    });
  }

  for (const lines of [
    ['ok'],
    [''],
    ['25 ok'],
    ['2500 ok'],
    ['250ok'],
    ['250_ok'],
    ['199 no'],
    ['600 no'],
    [' 250 ok'],
    ['250-a', '251 b'],
    ['250-a', 'b'],
    Array.from({ length: 201 }, () => '250-x'),
  ]) {
    it(`is not ${JSON.stringify(lines.slice(0, 3))}`, () => {
      assert.throws(() => read(...lines), BadReply);
    });
  }
});

const piece = fc.constantFrom(
  '250 ok\r\n',
  '250-PIPELINING\r\n',
  '250 STARTTLS\r\n',
  '220 hello\r\n',
  '354 go\r\n',
  '421 bye\r\n',
  '550 5.1.1 no\r\n',
  '452 4.5.3 no\r\n',
  '334 AAAA\r\n',
  '235 ok\r\n',
  '250-AUTH PLAIN CRAM-MD5\r\n',
  '\r\n',
  '\n',
  '\r',
  '250',
  '999 x\r\n',
);
const noise = fc.uint8Array({ maxLength: 40 }).map((octets) => Buffer.from(octets));
const said = fc.array(fc.oneof({ weight: 6, arbitrary: piece }, { weight: 1, arbitrary: noise }), {
  maxLength: 14,
});

describe('whatever a server says', () => {
  it('every recipient gets one result, or opening ends in our own error', async () => {
    await fc.assert(
      fc.asyncProperty(said, fc.boolean(), async (chunks, isPolite) => {
        const server = new PlayedServer();
        if (isPolite) server.say('220 hello', '250-mx', '250 PIPELINING');
        for (const chunk of chunks) server.sayRaw(chunk);
        server.hangUp();
        const to = ['bob@example.org', 'carol@example.org', 'no address'];
        try {
          const client = await openSmtpClient(smtpOptions(server));
          const { recipients, failure } = await client.deliver(deliveryTo(to));
          assert.deepEqual(
            recipients.map(({ address }) => address),
            to,
          );
          assert.equal(recipients[2]?.type, 'failed');
          for (const one of recipients) {
            if (one.type === 'delivered') assert.equal(Math.floor(one.ended.code / 100), 2);
            else if (one.error.stage !== 'rcpt') assert.equal(one.error, failure);
          }
          const login = { login: 'x', password: 'y', mechanisms: ['PLAIN'] };
          await assert.rejects(client.authenticate(login), SmtpClientError);
          await client.quit();
        } catch (error) {
          assert.ok(error instanceof SmtpClientError, String(error));
        }
        assert.equal(server.clock.waiting, 0);
      }),
      { seed: SEED, numRuns: 400 },
    );
  });
});
