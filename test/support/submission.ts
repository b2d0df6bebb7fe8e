/**
 * A user of ours hands in mail, over the wire and into the queue.
 */

import assert from 'node:assert/strict';
import { ALICE, PASSWORD, queuedBy, wholeText, type World } from './smtp.ts';
import type { MessageQueued } from '#domain/queue/events';

export interface HandedIn {
  readonly event: MessageQueued;
  /** As it leaves the queue. */
  readonly text: string;
}

export interface HandingIn {
  readonly recipients?: readonly string[];
  /** What stands behind MAIL FROM. */
  readonly parameters?: string;
  /** What the client calls itself. */
  readonly hello?: string;
}

/** Alice logs in over TLS and sends; the message ends with CRLF. */
export async function handIn(
  world: World,
  message: string | Buffer,
  { recipients = ['x@other.example'], parameters = '', hello = 'client.example' }: HandingIn = {},
): Promise<HandedIn> {
  const talk = world.connect({ tls: true });
  await talk.line();
  const plain = Buffer.from(`\0alice@example.org\0${PASSWORD}`).toString('base64');
  await talk.expect(
    [`EHLO ${hello}`, '250-'],
    [`AUTH PLAIN ${plain}`, '235 '],
    [`MAIL FROM:<alice@example.org>${parameters && ` ${parameters}`}`, '250 '],
  );
  for (const recipient of recipients) await talk.expect([`RCPT TO:<${recipient}>`, '250 ']);
  await talk.expect(['DATA', '354 ']);
  talk.write(message);
  talk.write('.\r\n');
  assert.match(await talk.line(), /^250 2\.0\.0 /);
  const event = queuedBy(world, ALICE).at(-1);
  assert.ok(event);
  return { event, text: wholeText(world, ALICE, event) };
}
