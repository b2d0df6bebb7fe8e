/** Local mode: what comes back into the sender's account may be about mail from there. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fakeClock } from '../../../support/clock.ts';
import { ALICE, MemoryBodies } from '../../../support/smtp.ts';
import { serverWideId } from '#domain/values/ids';
import { localAttempts } from '#protocols/smtp/local-attempt';
import type { QueueItem } from '#domain/queue/state';

it('a copy says which message it answers, by the id in its recipient (M3)', async () => {
  const bodies = new MemoryBodies();
  const clock = fakeClock();
  const settings = localAttempts('localhost', {
    bodies,
    clock,
    directory: { separatorsOf: (domain) => (domain === 'localhost' ? '+' : '') },
  });
  const copyTo = async (recipient: string): Promise<object | undefined> => {
    const item = await itemTo(recipient, bodies);
    const one = { accountId: ALICE, items: [item], attempt: 1, transport: '' } as const;
    const done = await settings.attempt(one, new AbortController().signal);
    const outcome = done?.outcomes.get(item.queueId);
    assert.equal(outcome?.type, 'delivered');
    return outcome?.type === 'delivered' ? outcome.copy?.bounce : undefined;
  };
  assert.partialDeepStrictEqual(await copyTo('app+abc@localhost'), {
    references: [{ type: 'from-id', fromId: 'abc' }],
    isDsn: false,
    action: 'unrecognized',
  });
  assert.equal(await copyTo('app@localhost'), undefined);
  assert.equal(await copyTo('app+abc@other.example'), undefined);
});

it('queue 5: a copy counts as taken, with the code of an answer to the recipient', async () => {
  const bodies = new MemoryBodies();
  const directory = { separatorsOf: () => '' };
  const settings = localAttempts('localhost', { bodies, clock: fakeClock(), directory });
  const item = await itemTo('you@example.org', bodies);
  const one = { accountId: ALICE, items: [item], attempt: 1, transport: '' } as const;
  const done = await settings.attempt(one, new AbortController().signal);
  assert.partialDeepStrictEqual(done?.outcomes.get(item.queueId), {
    type: 'delivered',
    reply: { code: 250, enhancedCode: '2.1.0' },
  });
});

async function itemTo(recipient: string, bodies: MemoryBodies): Promise<QueueItem> {
  const octets = Buffer.from('Subject: away\r\n\r\nI am not here.\r\n');
  const staged = await bodies.stage(
    (async function* () {
      yield octets;
    })(),
    1000,
  );
  await bodies.link(staged, ALICE);
  return {
    queueId: serverWideId(ALICE, 1),
    recipient,
    mailFrom: 'daybook@localhost',
    headerId: '',
    body: staged.hash,
    prefix: '',
    sizeBytes: octets.length,
    smtpUtf8: false,
    eightBit: false,
    queuedAt: 0,
    transport: '',
    requireTls: null,
    nextAttemptAt: 0,
    lastAttemptAt: 0,
    attempts: 1,
    inAttempt: true,
    isHeld: false,
    canceling: null,
    dialed: [],
  };
}
