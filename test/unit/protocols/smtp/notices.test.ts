/** Whose concern it is when mail fails: the sender's, the postmaster's, or nobody's. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { QueueWorld } from '../../../support/queue-world.ts';
import { ALICE, BOB, settled } from '../../../support/smtp.ts';
import type { QueueMessage } from '#domain/queue/enqueue';
import { Fault } from '#domain/values/fault';
import type { AccountId } from '#domain/values/ids';
import { DELAY_TOLD_AFTER } from '#domain/queue/outcome';
import type { Commands } from '#protocols/ports';
import type { RunnerSettings } from '#protocols/smtp/runner';

const REFUSED = 'queue550@other.example';

/** Mail of an account that is refused for good. */
async function refused(
  accountId: AccountId,
  more: Partial<QueueMessage> = {},
  prepare: (world: QueueWorld) => void = () => undefined,
): Promise<QueueWorld> {
  const world = new QueueWorld();
  prepare(world);
  await world.start();
  await world.queueMail(accountId, { recipients: [{ recipient: REFUSED }], ...more });
  await world.runner?.stop();
  return world;
}

/** Names of mailboxes, with the flags of what is in them. */
function mailOf(world: QueueWorld, accountId: AccountId): readonly string[] {
  const state = world.accounts.state(accountId);
  return world.accounts
    .events(accountId)
    .filter((event) => event.type === 'MessageDelivered')
    .map(({ mailboxId, message }) => [state.mailbox(mailboxId)?.name, ...message.flags].join(' '));
}

/** Tried again and again, by a server that is never ready. */
const NEVER_READY: RunnerSettings = {
  attemptsAtOnce: 1,
  attemptsPerDestination: 1,
  itemsPerAttempt: 1,
  attemptsMax: DELAY_TOLD_AFTER + 1,
  nextAttemptAt: () => 0,
  transportFor: () => '',
  attempt: async ({ items }) => {
    const reply = { code: 450, enhancedCode: '4.0.0', text: 'later' };
    const outcome = { type: 'failed', reply, permanent: false } as const;
    return { outcomes: new Map(items.map(({ queueId }) => [queueId, outcome])) };
  },
};

describe('a report of ours that fails for good', () => {
  it('queue 34, reports 23: of DMARC stands seen in Inbox/dmarc, and is counted', async () => {
    const world = await refused(ALICE, { options: { report: 'dmarc' } });
    assert.deepEqual(world.types(ALICE).slice(-4), [
      'AttemptFailed',
      'MessageRetired',
      'MailboxesCreated',
      'MessageDelivered',
    ]);
    assert.deepEqual(mailOf(world, ALICE), ['Inbox/dmarc \\Seen']);
    assert.deepEqual(world.counted, ['queue_dmarcreport_failure_total']);
  });

  it('reports 55: of TLS stands seen in Inbox/tlsrpt', async () => {
    const world = await refused(ALICE, { options: { report: 'tls' } });
    assert.deepEqual(mailOf(world, ALICE), ['Inbox/tlsrpt \\Seen']);
    assert.deepEqual(world.counted, []);
  });

  it('finds its mailbox there the next time', async () => {
    const world = await refused(ALICE, { options: { report: 'dmarc' } });
    await world.start();
    const recipients = [{ recipient: REFUSED }];
    await world.queueMail(ALICE, { recipients, options: { report: 'dmarc' } });
    assert.deepEqual(mailOf(world, ALICE), ['Inbox/dmarc \\Seen', 'Inbox/dmarc \\Seen']);
    const made = world.types(ALICE).filter((type) => type === 'MailboxesCreated');
    assert.equal(made.length, 1);
    await world.runner?.stop();
  });

  it('is told to the postmaster also when somebody else has sent it', async () => {
    const world = await refused(BOB, { options: { report: 'dmarc' } });
    assert.deepEqual(mailOf(world, ALICE), ['Inbox/dmarc \\Seen']);
    assert.deepEqual(mailOf(world, BOB), []);
  });

  it('suppresses nobody: people may go on writing there', async () => {
    const world = await refused(ALICE, { options: { report: 'dmarc' } });
    assert.ok(!world.types(ALICE).includes('AddressSuppressed'));
  });

  it('queue 34, reports 23: tells nothing of a delay, and fails after its attempts', async () => {
    const world = new QueueWorld();
    await world.start(NEVER_READY);
    const recipients = [{ recipient: 'bob@there.example' }];
    await world.queueMail(ALICE, { recipients, options: { report: 'dmarc' } });
    await settled();
    await world.runner?.stop();
    assert.equal(world.types(ALICE).filter((type) => type === 'AttemptFailed').length, 6);
    assert.deepEqual(mailOf(world, ALICE), ['Inbox/dmarc \\Seen']);
    assert.deepEqual(world.counted, ['queue_dmarcreport_failure_total']);
  });
});

describe('mail from nobody that fails', () => {
  it('is told to the postmaster when the postmaster has sent it', async () => {
    const world = await refused(ALICE, { mailFrom: '' });
    assert.deepEqual(mailOf(world, ALICE), ['Inbox']);
    const text = world.text(world.last('MessageDelivered'));
    assert.match(
      text,
      /^Return-Path: <postmaster@localhost>\r\nDelivered-To: postmaster@localhost\r\n/,
    );
    assert.match(text, /\r\nTo: <postmaster@localhost>\r\n/);
  });

  it('is told to nobody when anybody else has sent it', async () => {
    const world = await refused(BOB, { mailFrom: '' });
    assert.deepEqual(mailOf(world, ALICE), []);
    assert.deepEqual(mailOf(world, BOB), []);
  });

  it('causes no mail in its turn', async () => {
    const world = await refused(ALICE, { mailFrom: '' });
    assert.deepEqual(world.items(ALICE), []);
    const queued = world.types(ALICE).filter((type) => type === 'MessageQueued');
    assert.equal(queued.length, 1);
  });
});

describe('a notice', () => {
  it('of a delay names no attempts that the message does not get', async () => {
    const world = new QueueWorld();
    await world.start({ ...NEVER_READY, attemptsMax: DELAY_TOLD_AFTER + 3 });
    const recipients = [{ recipient: 'bob@there.example' }];
    await world.queueMail(ALICE, { recipients, options: { attemptsMax: DELAY_TOLD_AFTER + 2 } });
    await settled();
    await world.runner?.stop();
    const [delay] = world.accounts.events(ALICE).filter(({ type }) => type === 'MessageDelivered');
    assert.ok(delay?.type === 'MessageDelivered');
    const [, told = ''] = /these times:\r\n\r\n((?: {2}.*\r\n)+)/.exec(world.text(delay)) ?? [];
    assert.equal(told.split('\r\n').length - 1, 2);
  });

  it('queue 35: goes to the postmaster when the account of the sender is gone', async () => {
    const world = await refused(BOB, { mailFrom: 'bob@localhost' }, ({ gone }) => gone.add(BOB));
    assert.deepEqual(mailOf(world, BOB), []);
    assert.deepEqual(mailOf(world, ALICE), ['Inbox']);
    const text = world.text(world.last('MessageDelivered'));
    assert.match(text, /^Return-Path: <postmaster@localhost>\r\nDelivered-To: bob@localhost\r\n/);
    assert.match(text, /Subject: hello\r\n/, 'of the message of the other account');
  });

  it('comes to the postmaster also when there is no room for other mail', async () => {
    const world = await refused(BOB, {}, ({ gone, accounts }) => {
      gone.add(BOB);
      accounts.settings.set(ALICE, { quotaBytes: 1 });
    });
    assert.deepEqual(mailOf(world, ALICE), ['Inbox']);
    assert.deepEqual(world.logged, []);
  });

  it('that cannot be written does not keep the outcome from being recorded', async () => {
    const world = await refused(BOB, {}, ({ gone, commands }) => {
      gone.add(BOB);
      const { execute } = commands;
      Object.assign(commands, {
        execute: (async (accountId, command, cause) => {
          if (accountId === ALICE) throw new Fault('LogUnavailable', 'gone');
          return execute(accountId, command, cause);
        }) satisfies Commands['execute'],
      });
    });
    assert.equal(world.types(BOB).at(-1), 'AddressSuppressed');
    assert.deepEqual(world.logged, ['error notice not written']);
  });

  it('answers nobody: its envelope is empty, and programs see that it is automatic', async () => {
    const world = await refused(ALICE);
    const delivered = world.last('MessageDelivered');
    assert.equal(delivered.arrival.mailFrom, '');
    assert.match(world.text(delivered), /\r\nAuto-Submitted: auto-replied\r\n/);
  });
});
