/**
 * What is said of an envelope to servers that can do more or less, and what is not even tried.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlayedServer } from '../../../support/imap-client.ts';
import { bodyOf, BOB, deliveryTo, openPlayed, outcomes } from '../../../support/smtp-client.ts';
import type { Delivery } from '#protocols/smtp/client-envelope';
import type { DeliveryResult } from '#protocols/smtp/client-delivery';

const EIGHT_BIT = bodyOf('Subject: x\r\n\r\nüber\r\n');

/** The first lines that a server hears. */
async function said(
  words: readonly string[],
  delivery: Delivery,
  tls: 'implicit' | 'none' = 'implicit',
): Promise<readonly string[]> {
  const server = new PlayedServer();
  const client = await openPlayed(server, ['PIPELINING', ...words], { tls });
  const delivering = client.deliver(delivery);
  const lines = [await server.hear(), await server.hear()];
  client.close();
  await delivering;
  return lines;
}

/** What a server that must not be asked leads to. */
async function unsaid(
  words: readonly string[],
  delivery: Delivery,
  tls: 'implicit' | 'none' = 'implicit',
): Promise<DeliveryResult> {
  const server = new PlayedServer();
  const client = await openPlayed(server, words, { tls });
  const result = await client.deliver(delivery);
  assert.equal(server.unheard, '');
  assert.ok(client.isOpen);
  return result;
}

describe('MAIL and RCPT', () => {
  it('say nothing that the server does not know', async () => {
    const dsn = { ret: 'HDRS', envelopeId: 'x' } as const;
    const recipients = [{ address: BOB, notify: ['NEVER'], originalRecipient: 'r@x' }] as const;
    const delivery = deliveryTo([], { body: EIGHT_BIT, dsn, recipients });
    assert.deepEqual(await said([], delivery), [
      'MAIL FROM:<alice@example.com>',
      `RCPT TO:<${BOB}>`,
    ]);
  });

  it('say size, 8 bits, and what is to be told of the delivery', async () => {
    const dsn = { ret: 'HDRS', envelopeId: 'a+b=c d' } as const;
    const notify = ['SUCCESS', 'DELAY'] as const;
    const recipients = [{ address: BOB, notify, originalRecipient: 'r+b@x.org' }];
    const delivery = deliveryTo([], { body: EIGHT_BIT, dsn, recipients });
    assert.deepEqual(await said(['SIZE', '8BITMIME', 'DSN'], delivery), [
      'MAIL FROM:<alice@example.com> SIZE=21 BODY=8BITMIME RET=HDRS ENVID=a+2Bb+3Dc+20d',
      `RCPT TO:<${BOB}> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;r+2Bb@x.org`,
    ]);
  });

  it('name the recipient of the sender in ASCII, whatever it is in', async () => {
    const recipients = [{ address: BOB, originalRecipient: 'r=ö+😀b@x.org' }];
    const [, rcpt] = await said(['DSN'], deliveryTo([], { recipients }));
    // RFC 6533 §3
    const written = String.raw`utf-8;r\x{3D}\x{F6}\x{2B}\x{1F600}b@x.org`;
    assert.equal(rcpt, `RCPT TO:<${BOB}> ORCPT=${written}`);
  });

  it('say how long to hold a message back, where that is known', async () => {
    for (const [hold, words] of [
      [{ forSeconds: 60 }, 'HOLDFOR=60'],
      [{ until: '2030-01-01T00:00:00Z' }, 'HOLDUNTIL=2030-01-01T00:00:00Z'],
    ] as const) {
      const [mail] = await said(['FUTURERELEASE 1000 2030-02-02T00:00:00Z'], {
        ...deliveryTo([BOB]),
        hold,
      });
      assert.equal(mail, `MAIL FROM:<alice@example.com> ${words}`);
      assert.equal((await unsaid([], deliveryTo([BOB], { hold }))).failure?.code, 'NotOffered');
    }
    for (const hold of [{ forSeconds: 0.5 }, { until: 'x\r\nRCPT' }]) {
      const { failure } = await unsaid(['FUTURERELEASE 1 x'], deliveryTo([BOB], { hold }));
      assert.equal(failure?.code, 'BadArgument');
    }
  });

  it('say domains in ASCII, and quote what must be quoted', async () => {
    const delivery = deliveryTo(['"a b"@bücher.example'], { mailFrom: 'x@bücher.example' });
    assert.deepEqual(await said([], delivery), [
      'MAIL FROM:<x@xn--bcher-kva.example>',
      'RCPT TO:<"a b"@xn--bcher-kva.example>',
    ]);
  });

  it('smtp 117: say SMTPUTF8 only when it is needed', async () => {
    const words = ['SMTPUTF8'];
    const utf8 = async (delivery: Delivery): Promise<boolean | undefined> =>
      (await said(words, delivery))[0]?.endsWith(' SMTPUTF8');
    assert.equal(await utf8(deliveryTo([BOB])), false);
    assert.equal(await utf8(deliveryTo([BOB], { smtpUtf8: true })), true);
    assert.equal(await utf8(deliveryTo([BOB], { mailFrom: 'ü@example.org' })), true);
    assert.equal(await utf8(deliveryTo(['ü@example.org'])), true);
  });
});

describe('a server is not even asked', () => {
  const failure = async (
    words: readonly string[],
    more: Partial<Delivery>,
    tls?: 'none',
  ): Promise<readonly unknown[]> => {
    const result = await unsaid(words, deliveryTo([BOB], more), tls);
    const error = result.failure;
    assert.equal(outcomes(result).length, 1);
    return [error?.code, error?.replyCode, error?.enhanced, error?.permanent];
  };

  it('smtp 117: to take an address in UTF-8 that it does not know', async () => {
    assert.deepEqual(await failure([], { smtpUtf8: true }), ['NotOffered', 0, '5.6.7', true]);
  });

  it('smtp 117: to take 8 bits that it does not know, if that is not to be', async () => {
    const strict = { body: EIGHT_BIT, strict8bit: true };
    assert.deepEqual(await failure([], strict), ['NotOffered', 0, '5.6.3', true]);
    await said(['8BITMIME'], deliveryTo([BOB], strict));
  });

  it('smtp 115: to ask for TLS of others when it does not, or there is none', async () => {
    const lacking = ['NotOffered', 554, '5.7.30', true];
    assert.deepEqual(await failure([], { requireTls: true }), lacking);
    assert.deepEqual(await failure(['REQUIRETLS'], { requireTls: true }, 'none'), lacking);
    const [mail] = await said(['REQUIRETLS'], deliveryTo([BOB], { requireTls: true }));
    assert.equal(mail, 'MAIL FROM:<alice@example.com> REQUIRETLS');
  });

  it('smtp 118: to take what is larger than it says', async () => {
    const size = ['TooLarge', 0, '5.3.4', true];
    assert.deepEqual(await failure(['SIZE 10'], {}), size);
    await said(['SIZE 0'], deliveryTo([BOB]));
  });

  it('to take mail from what is no address', async () => {
    const [code] = await failure([], { mailFrom: 'a@b>\r\nDATA' });
    assert.equal(code, 'BadArgument');
  });
});
