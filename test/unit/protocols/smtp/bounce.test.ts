/** What comes back: which message it is about, and what it says of it. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALICE, deliveredTo, smtpWorld, type World } from '../../../support/smtp.ts';
import type { AccountEvent } from '#domain/log/streams';
import type { BounceRelated } from '#domain/queue/events';

const RECIPIENT = 'Friend@other.example';

/** One message of alice's, of which everything is known that can come back. */
async function sent(world: World): Promise<void> {
  const done = await world.ports.commands.execute(
    ALICE,
    {
      type: 'QueueMessage',
      mailFrom: 'alice@example.org',
      recipients: [
        { recipient: RECIPIENT, fromId: { id: 'abc', mailFrom: 'alice+abc@example.org' } },
      ],
      body: 'f'.repeat(64),
      prefix: '',
      sizeBytes: 5,
      headerId: '<sent@example.org>',
      smtpUtf8: false,
      eightBit: false,
      options: { envelopeId: 'secret' },
    },
    { actor: 'test' },
  );
  assert.ok('answer' in done);
}

interface Group {
  readonly recipient?: string;
  readonly action?: string;
  readonly diagnostic?: string;
  readonly status?: string;
}

function group({ recipient = RECIPIENT, action, diagnostic, status = '5.1.1' }: Group): string[] {
  return [
    '',
    `Final-Recipient: rfc822; ${recipient}`,
    `Action: ${action ?? 'failed'}`,
    `Status: ${status}`,
    ...(diagnostic === undefined ? [] : [`Diagnostic-Code: smtp; ${diagnostic}`]),
  ];
}

function report(
  groups: readonly Group[],
  envelopeId = '',
  headerId = '<other@example.org>',
): string {
  return [
    'From: mailer-daemon@other.example',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
    '',
    '--b',
    '',
    'It did not work.',
    '--b',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.other.example',
    ...(envelopeId === '' ? [] : [`Original-Envelope-Id: ${envelopeId}`]),
    ...groups.flatMap(group),
    '',
    '--b',
    'Content-Type: text/rfc822-headers',
    '',
    `Message-ID: ${headerId}`,
    '',
    '--b--',
    '',
  ].join('\r\n');
}

async function receive(world: World, rcptTo: string, text: string): Promise<void> {
  const talk = world.connect();
  await talk.line();
  await talk.expect(
    ['EHLO mx.other.example', '250-'],
    ['MAIL FROM:<>', '250 '],
    [`RCPT TO:<${rcptTo}>`, '250 '],
    ['DATA', '354 '],
  );
  talk.write(`${text}.\r\n`);
  assert.match(await talk.line(), /^250 /);
}

function of<T extends AccountEvent['type']>(
  world: World,
  type: T,
): readonly Extract<AccountEvent, { readonly type: T }>[] {
  return world
    .events(ALICE)
    .filter((event): event is Extract<AccountEvent, { readonly type: T }> => event.type === type);
}

/** What becomes of the mail; it is delivered in any case. */
async function related(rcptTo: string, text: string): Promise<BounceRelated | undefined> {
  await using world = smtpWorld();
  await sent(world);
  await receive(world, rcptTo, text);
  const [delivered] = deliveredTo(world, ALICE);
  assert.ok(delivered, 'delivered all the same');
  const [event, ...more] = of(world, 'BounceRelated');
  assert.deepEqual(more, []);
  if (event !== undefined) assert.equal(event.messageId, delivered.message.messageId);
  return event;
}

const TO_ID = 'alice+abc@example.org';
const REPLY = 'From: friend@other.example\r\nSubject: away\r\n\r\nI am not here.\r\n';

describe('mail to the reverse-path of one recipient (M3, webapi §7)', () => {
  it('tells in a report what became of it', async () => {
    const diagnostic = '550 5.1.1 no such user';
    assert.partialDeepStrictEqual(await related(TO_ID, report([{ diagnostic }])), {
      action: 'failed',
      isDsn: true,
      code: 550,
      enhancedCode: '5.1.1',
      text: '550 5.1.1 no such user',
    });
  });

  it('has the code of the status where there is no other', async () => {
    const delayed = report([{ action: 'delayed', status: '4.4.1' }]);
    assert.partialDeepStrictEqual(await related(TO_ID, delayed), {
      action: 'delayed',
      code: 400,
      enhancedCode: '4.4.1',
      text: 'the remote reported a delay without saying why (4.4.1)',
    });
  });

  it('says in words what a report without the answer of a server says', async () => {
    for (const [said, text] of [
      [{ status: '5.1.1' }, 'the remote reported a failure without saying why (5.1.1)'],
      [{ status: '' }, 'the remote reported a failure without saying why'],
      [{ action: 'delivered', status: '2.0.0' }, 'the remote reported the delivery (2.0.0)'],
      [{ action: 'relayed', status: '2.0.0' }, 'the remote passed the message on (2.0.0)'],
      [{ action: 'expanded', status: '' }, 'the remote passed the message on to several'],
      [{ action: 'lost', status: '5.0.0' }, 'the remote reported nothing that is known (5.0.0)'],
    ] as const) {
      assert.partialDeepStrictEqual(await related(TO_ID, report([said])), { text });
    }
  });

  for (const action of ['delivered', 'relayed', 'expanded'] as const) {
    it(`is told that it was ${action}`, async () => {
      const told = await related(TO_ID, report([{ action, status: '2.0.0' }]));
      assert.partialDeepStrictEqual(told, { action, isDsn: true, code: 0, enhancedCode: '' });
    });
  }

  it('is not understood as an answer of a person', async () => {
    assert.partialDeepStrictEqual(await related(TO_ID, REPLY), {
      action: 'unrecognized',
      isDsn: false,
      code: 0,
      text: 'incoming message not a dsn',
    });
  });

  it('is not understood when it is about several or nobody, or says nothing known', async () => {
    const several = report([{}, { recipient: 'x@other.example' }]);
    assert.partialDeepStrictEqual(await related(TO_ID, several), {
      action: 'unrecognized',
      isDsn: true,
      text: 'incoming dsn has 2 recipients, expecting 1',
    });
    assert.partialDeepStrictEqual(await related(TO_ID, report([])), {
      action: 'unrecognized',
      isDsn: true,
      text: 'incoming dsn has 0 recipients, expecting 1',
    });
    const odd = report([{ action: 'lost' }]);
    assert.partialDeepStrictEqual(await related(TO_ID, odd), {
      action: 'unrecognized',
      isDsn: true,
    });
  });

  it('is found by what a server has folded to lower case', async () => {
    assert.equal((await related('ALICE+ABC@example.org', REPLY))?.action, 'unrecognized');
  });

  it('is ordinary mail behind any other separator', async () => {
    assert.equal(await related('alice+shop@example.org', REPLY), undefined);
  });
});

describe('a report to the address itself (M3)', () => {
  it('is found by the envelope id', async () => {
    const found = await related('alice@example.org', report([{}], 'secret'));
    assert.equal(found?.action, 'failed');
  });

  it('is found by the Message-ID of what came back', async () => {
    const found = await related('alice@example.org', report([{}], '', '<sent@example.org>'));
    assert.equal(found?.action, 'failed');
  });

  it('is found for its own recipient only', async () => {
    const other = report([{ recipient: 'x@other.example' }], 'secret', '<sent@example.org>');
    assert.equal(await related('alice@example.org', other), undefined);
  });

  it('is ordinary mail when nothing of it is known', async () => {
    assert.equal(await related('alice@example.org', report([{}], 'guessed')), undefined);
    assert.equal(await related('alice@example.org', report([{}, {}], 'secret')), undefined);
  });
});

describe('a failure', () => {
  const suppressed = async (rcptTo: string, text: string): Promise<number> => {
    await using world = smtpWorld();
    await sent(world);
    await receive(world, rcptTo, text);
    return of(world, 'AddressSuppressed').length;
  };
  const diagnostic = '550 5.1.1 no such user';

  it('suppresses the address when only the next hop could tell of it', async () => {
    assert.equal(await suppressed(TO_ID, report([{ diagnostic }])), 1);
    assert.equal(await suppressed('alice@example.org', report([{ diagnostic }], 'secret')), 1);
  });

  it('suppresses nothing when every reader of the message could', async () => {
    const byReader = report([{ diagnostic }], '', '<sent@example.org>');
    assert.equal(await suppressed('alice@example.org', byReader), 0);
  });
});

it('a report is believed of its own account only', async () => {
  await using world = smtpWorld();
  await sent(world);
  await receive(world, 'bob+abc@example.org', report([{}], 'secret', '<sent@example.org>'));
  assert.deepEqual(of(world, 'BounceRelated'), []);
  assert.equal(world.events(2).filter(({ type }) => type === 'BounceRelated').length, 0);
});

it('a report that brings a huge message back is read as far as it matters', async () => {
  const huge = report([{}]).replace('--b--', `X: ${'y'.repeat(900)}\r\n`.repeat(3000));
  assert.equal((await related(TO_ID, huge))?.action, 'failed');
});
