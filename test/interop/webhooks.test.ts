/**
 * Webhooks from end to end: mail is handed in and comes in, an application is called, and an
 * administrator looks and changes.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { openComposed, type Composed } from '../support/composed.ts';
import { LOGIN } from '../support/localserve.ts';
import { startReceiver, type ReceivedCall, type Receiver } from '../support/receiver.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Both webhooks of the account lead to the receiver. */
async function tell(server: Composed, { origin }: Receiver): Promise<void> {
  for (const direction of ['outgoing', 'incoming']) {
    const url = ['--url', `${origin}/${direction}`, '--authorization'];
    await server.daybook(['config', 'webhook', direction, 'daybook', ...url], 'Bearer s3cret\n');
  }
}

function payloadOf(call: ReceivedCall): Fields {
  return JSON.parse(call.body) as Fields;
}

/** `failed`, `incoming`, … in the order of the alphabet: two URLs are called side by side. */
function toldBy({ calls }: Receiver): readonly string[] {
  const words = calls.map((call) => {
    const { Event: event = 'incoming' } = payloadOf(call);
    return typeof event === 'string' ? event : assert.fail(call.body);
  });
  return words.sort();
}

function told(receiver: Receiver, event: string): Fields {
  const found = receiver.calls.map(payloadOf).findLast((one) => one['Event'] === event);
  return found ?? assert.fail(`${event} was not told`);
}

function incoming({ calls }: Receiver): Fields {
  const found = calls.findLast(({ path }) => path === '/incoming');
  return payloadOf(found ?? assert.fail('nothing came in'));
}

/** What was answered is recorded a moment later. */
async function retired(server: Composed, count: number): Promise<readonly Fields[]> {
  for (let left = 200; left > 0; left--) {
    const records = await server.records('queue', 'webhook', 'retired', 'list', '--asc');
    if (records.length >= count) return records;
    await sleep(20);
  }
  return assert.fail(`there were never ${count} webhooks that ended`);
}

test('what becomes of mail is told, and mail that comes in', async () => {
  await using receiver = await startReceiver();
  await using server = await openComposed();
  await tell(server, receiver);

  await server.submit('friend@other.example', 'X-Mox-Extra-user-id: 42');
  await receiver.call(2);
  assert.deepEqual(toldBy(receiver), ['delivered', 'incoming']);
  const delivered = told(receiver, 'delivered');
  assert.partialDeepStrictEqual(delivered, {
    Version: 0,
    DSN: false,
    Suppressing: false,
    FromID: '',
    Subject: 'sent',
    SMTPCode: 0,
    SMTPEnhancedCode: '',
    Error: '',
    Extra: { 'User-Id': '42' },
  });
  assert.match(String(delivered['MessageID']), /^<.+@.+>$/);
  const [first] = receiver.calls;
  assert.equal(first?.headers['authorization'], 'Bearer s3cret');
  assert.match(first?.headers['user-agent'] ?? '', /^daybook\/[\d.]+ \(webhook\)$/);

  await server.submit('queue550@other.example');
  await receiver.call(3);
  assert.partialDeepStrictEqual(told(receiver, 'failed'), {
    Suppressing: true,
    SMTPCode: 550,
    SMTPEnhancedCode: '5.0.0',
    Error: 'The localpart asked for this failure.',
  });
  await server.submit('queue550@other.example');
  await receiver.call(4);
  assert.partialDeepStrictEqual(told(receiver, 'suppressed'), { SMTPCode: 0, Suppressing: false });
  await server.submit('queue451@other.example');
  await receiver.call(5);
  assert.partialDeepStrictEqual(told(receiver, 'delayed'), {
    SMTPCode: 451,
    SMTPEnhancedCode: '4.0.0',
    Error: 'The localpart asked for this failure.',
  });
  await server.daybook(['queue', 'drop', '--all']);
  await receiver.call(6);
  assert.partialDeepStrictEqual(told(receiver, 'canceled'), {
    SMTPCode: 0,
    Error: 'delivery canceled by admin',
  });

  const lines = ['From: Ann <ann@other.example>', 'List-Id: <x>', 'Subject: news', '', 'Hello.'];
  await server.deliver('ann@other.example', 'Daybook+lists@localhost', lines);
  await receiver.call(7);
  assert.partialDeepStrictEqual(incoming(receiver), {
    From: [{ Name: 'Ann', Address: 'ann@other.example' }],
    Subject: 'news',
    Date: null,
    Text: 'Hello.\n',
    HTML: '',
    Structure: { ContentType: 'text/plain', Parts: [] },
    Meta: { MailFrom: 'ann@other.example', MailboxName: 'Inbox', Automated: true },
  });
  assert.equal(receiver.calls.length, 7, 'notices of ours are not told as mail that came in');
  const records = await retired(server, 7);
  assert.ok(records.every(({ Success }) => Success === true));
  assert.equal(new Set(records.map(({ ID }) => ID)).size, 7);
});

test('queue 30, 37: webhooks are listed, moved and ended, whatever is rebuilt', async () => {
  await using receiver = await startReceiver({ answer: 500 });
  await using server = await openComposed();
  await tell(server, receiver);
  await server.submit('one@other.example');
  await server.submit('queue550@other.example');
  await receiver.call(3);
  const list = async (...flags: readonly string[]): Promise<readonly unknown[]> =>
    (await server.records('queue', 'webhook', 'list', ...flags)).map(({ ID }) => ID);
  for (let left = 200; (await list('--nextattempt', '>10s')).length < 3; left--) {
    assert.ok(left > 0, 'the attempts never ended');
    await sleep(20);
  }
  const all = await list('--sort', 'submitted', '--asc');
  assert.equal(all.length, 3);
  assert.deepEqual(await list('--sort', 'queued', '--asc'), all);
  const [failed] = await list('--event', 'failed');

  const canceled = await server.daybook(['queue', 'webhook', 'cancel', '--event', 'incoming']);
  assert.deepEqual(canceled, ['1 webhook(s) canceled']);
  const [ended] = await retired(server, 1);
  assert.partialDeepStrictEqual(ended, { Success: false, Outcome: 'canceled', IsIncoming: true });
  assert.partialDeepStrictEqual(Object(ended).Results[1], { Error: 'canceled by admin' });

  receiver.answer(200);
  const now = ['--now', '0s', '--ids', String(failed)];
  await server.daybook(['queue', 'webhook', 'schedule', ...now]);
  const call = await receiver.call(4);
  assert.equal(call.headers['x-mox-webhook-id'], String(failed));
  assert.equal(call.headers['x-mox-webhook-attempt'], '2');
  await retired(server, 2);

  const lists = async (): Promise<unknown> => [
    await server.records('queue', 'webhook', 'list'),
    await server.records('queue', 'webhook', 'retired', 'list'),
    await server.records('queue', 'retired', 'list'),
  ];
  const before = await lists();
  await server.stop();
  await server.daybook(['rebuild']);
  await server.start();
  assert.deepEqual(await lists(), before);
  assert.equal(receiver.calls.length, 4, 'nobody is told twice because of it');

  await server.daybook(['queue', 'webhook', 'schedule', '--now', '0s', '--all']);
  const last = await receiver.call(5);
  assert.equal(last.headers['x-mox-webhook-attempt'], '2');
  assert.equal(last.headers['authorization'], 'Bearer s3cret');
});

/** A report about a delivery; one recipient for each list of fields. */
function report(...recipients: readonly (readonly string[])[]): readonly string[] {
  const groups = recipients.flatMap((fields) => ['', 'Final-Recipient: rfc822; x@y', ...fields]);
  return [
    'From: <mailer-daemon@other.example>',
    'Subject: about your mail',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
    '',
    '--b',
    '',
    'About your mail.',
    '--b',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.other.example',
    ...groups,
    '--b--',
  ];
}

test('webapi 32–35, smtp 128: what comes back is told as what became of the mail', async () => {
  await using receiver = await startReceiver();
  await using server = await openComposed();
  await server.daybook(['config', 'account', 'set', 'daybook', '--from-id-login', LOGIN]);
  await server.submit('x@other.example', 'X-Mox-Extra-a: b');
  let fromId = '';
  while (fromId === '') {
    const [record] = await server.records('queue', 'retired', 'list');
    fromId = record === undefined ? '' : String(record['FromID']);
  }
  await tell(server, receiver);
  const answer = async (lines: readonly string[]): Promise<void> => {
    const count = receiver.calls.length;
    await server.deliver('', `daybook+${fromId}@localhost`, lines);
    await receiver.call(count + 1);
  };

  const no = 'Diagnostic-Code: smtp; 550 5.1.1 no such user';
  await answer(report(['Action: failed', 'Status: 5.1.1', no]));
  assert.partialDeepStrictEqual(told(receiver, 'failed'), {
    DSN: true,
    Suppressing: true,
    FromID: fromId,
    Subject: 'sent',
    SMTPCode: 550,
    SMTPEnhancedCode: '5.1.1',
    Error: '550 5.1.1 no such user',
    Extra: { A: 'b' },
  });
  await answer(report(['Action: failed', 'Status: 5.2.2']));
  assert.partialDeepStrictEqual(told(receiver, 'failed'), {
    Suppressing: false,
    SMTPCode: 500,
    SMTPEnhancedCode: '5.2.2',
  });
  for (const action of ['delayed', 'delivered', 'relayed', 'expanded']) {
    await answer(report([`Action: ${action}`, 'Status: 2.0.0']));
    assert.partialDeepStrictEqual(told(receiver, action), { DSN: true, Suppressing: false });
  }
  const one = ['Action: failed', 'Status: 5.1.1'];
  for (const odd of [report(one, one), report(['Action: weird', 'Status: 5.1.1'])]) {
    await answer(odd);
    assert.partialDeepStrictEqual(told(receiver, 'unrecognized'), { DSN: true });
  }
  await answer(['From: <x@other.example>', 'Subject: away', '', 'I am away.']);
  assert.partialDeepStrictEqual(told(receiver, 'unrecognized'), { DSN: false });
  assert.ok(!toldBy(receiver).includes('incoming'));

  await server.daybook(['config', 'account', 'add', 'other', 'other@localhost']);
  const foreign = `other+${fromId}@localhost`;
  const calls = receiver.calls.length;
  await server.deliver('', foreign, report(one));

  for (const address of ['daybook+nobody@localhost', LOGIN]) {
    const count = receiver.calls.length;
    await server.deliver('', address, report(one));
    await receiver.call(count + 1);
    assert.partialDeepStrictEqual(incoming(receiver), {
      Subject: 'about your mail',
      Meta: { Automated: true, RcptTo: address },
    });
  }
  // That of somebody else's address told nobody.
  assert.equal(receiver.calls.length, calls + 2);
});

test('the receiver among the examples prints calls, and knows one that comes again', async () => {
  const program = ['--disable-warning=ExperimentalWarning', 'examples/webhook-receiver.ts'];
  const child = spawn(process.execPath, [...program, '--port', '0'], {
    env: { ...process.env, WEBHOOK_AUTHORIZATION: 'Bearer s' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  while (!said.includes('\n')) await once(child.stdout, 'data');
  const url = /^ready: (\S+)/.exec(said)?.[1] ?? assert.fail(said);
  const call = async (authorization: string, body: object): Promise<number> => {
    const headers = { authorization, 'x-mox-webhook-id': '7', 'x-mox-webhook-attempt': '1' };
    return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).status;
  };
  const failed = { Event: 'failed', QueueMsgID: 9, Subject: 'x', SMTPCode: 550, Error: 'no' };
  assert.equal(await call('Bearer t', failed), 401);
  assert.equal(await call('Bearer s', failed), 200);
  assert.equal(await call('Bearer s', failed), 200);
  assert.equal(await call('Bearer s', { Subject: 'y', Meta: { MsgID: 1, RcptTo: 'a@b' } }), 200);
  child.kill('SIGTERM');
  await once(child, 'close');
  assert.deepEqual(said.trimEnd().split('\n').slice(1), [
    'refused: no such Authorization',
    '7 #1 outgoing failed of message 9: x (550 no)',
    '7 #1 (again) outgoing failed of message 9: x (550 no)',
    '7 #1 (again) incoming message 1 to a@b: y',
  ]);
});
