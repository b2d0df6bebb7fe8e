/**
 * Our SMTP client, connected without a network to a server that says what the test writes.
 */

import assert from 'node:assert/strict';
import { fakeRandom } from './clock.ts';
import { PlayedServer } from './imap-client.ts';
import { silentLog } from './silent-log.ts';
import { openSmtpClient, type SmtpClientOptions } from '#protocols/smtp/client';
import type { DeliveryResult } from '#protocols/smtp/client-delivery';
import type { Delivery } from '#protocols/smtp/client-envelope';
import type { SmtpClientErrorCode } from '#protocols/smtp/client-error';
import type { SmtpClient } from '#protocols/smtp/client-session';
import type { ServerCertificates } from '#protocols/ports';

/** One line of the client, and what the server answers. */
export type Step = readonly [heard: string, ...answers: readonly string[]];

export type MoreOptions = Partial<SmtpClientOptions>;

/** `shown`: what the handshake shows; the dialer asks whoever judges, as a real one does. */
export function smtpOptions(
  server: PlayedServer,
  more: MoreOptions = {},
  shown: ServerCertificates = { chain: [], problem: undefined },
): SmtpClientOptions {
  return {
    dialer: {
      async dial({ tls, trust }) {
        const { wire } = server;
        if (tls === 'implicit') trust?.judge?.(shown);
        return {
          ...wire,
          tls: tls === 'implicit' ? wire.tls : undefined,
          startTls: async (alreadyRead) => {
            trust?.judge?.(shown);
            const secured = await wire.startTls?.(alreadyRead);
            return secured ?? wire;
          },
        };
      },
    },
    clock: server.clock,
    random: fakeRandom('client'),
    log: silentLog,
    host: 'mx.example.org',
    port: 25,
    hostName: 'mail.example.com',
    tls: 'implicit',
    ...more,
  };
}

/** A client that has heard the greeting and what the server can do. */
export async function openPlayed(
  server: PlayedServer,
  words: readonly string[] = [],
  more: MoreOptions = {},
): Promise<SmtpClient> {
  server.say('220 mx.example.org ESMTP');
  const opening = openSmtpClient(smtpOptions(server, more));
  await play(server, ehlo(...words));
  return await opening;
}

export function ehlo(...words: readonly string[]): Step {
  const lines = ['mx.example.org', ...words];
  const answers = lines.map((line, i) => `250${i === lines.length - 1 ? ' ' : '-'}${line}`);
  return ['EHLO mail.example.com', ...answers];
}

/** The server hears each line and answers; it fails when it hears another one. */
export async function play(server: PlayedServer, ...steps: readonly Step[]): Promise<void> {
  for (const [heard, ...answers] of steps) {
    assert.equal(await server.hear(), heard);
    server.say(...answers);
  }
}

export const MESSAGE = 'Subject: hi\r\n\r\nhello\r\n';

export function bodyOf(...texts: readonly (string | Buffer)[]): Delivery['body'] {
  return async function* () {
    for (const text of texts) yield Buffer.from(text);
  };
}

export function deliveryTo(addresses: readonly string[], more: Partial<Delivery> = {}): Delivery {
  return {
    mailFrom: 'alice@example.com',
    recipients: addresses.map((address) => ({ address })),
    body: bodyOf(MESSAGE),
    ...more,
  };
}

/** What became of each recipient: three digits, or the code of an error. */
export function outcomes({ recipients }: DeliveryResult): (number | SmtpClientErrorCode)[] {
  return recipients.map((one) => {
    if (one.type === 'delivered') return one.ended.code;
    return one.error.replyCode === 0 ? one.error.code : one.error.replyCode;
  });
}

/** Sends to a server with these words, which then goes through these steps. */
export async function sent(
  words: readonly string[],
  delivery: Delivery,
  ...steps: readonly Step[]
): Promise<DeliveryResult> {
  const server = new PlayedServer();
  const client = await openPlayed(server, words);
  const delivering = client.deliver(delivery);
  await play(server, ...steps);
  return await delivering;
}

/** What `deliveryTo` leads to. */
export const BOB = 'bob@example.org';
export const CAROL = 'carol@example.org';
export const DAVE = 'dave@example.org';
export const MAIL: Step = ['MAIL FROM:<alice@example.com>', '250 2.1.0 ok'];
export const TEXT: readonly Step[] = [['Subject: hi'], [''], ['hello']];

export function rcpt(address: string, ...answers: readonly string[]): Step {
  return [`RCPT TO:<${address}>`, ...answers];
}
