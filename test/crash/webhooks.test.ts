/**
 * A server that is killed, or asked to end, while an application is being called.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startLocalserve, type Localserve } from '../support/localserve.ts';
import { deliver } from '../support/mail-answers.ts';
import { runDaybook } from '../support/programs.ts';
import { startReceiver } from '../support/receiver.ts';
import { SmtpDriver } from '../support/smtp-driver.ts';
import { temporaryDirectory } from '../support/temporary.ts';

type Record = Readonly<{ [name: string]: unknown }>;

async function daybook(server: Localserve, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runDaybook([...args, '--dir', server.dir]);
  assert.equal(code, 0, stderr);
  return stdout;
}

async function records(server: Localserve, ...args: readonly string[]): Promise<readonly Record[]> {
  const lines = await daybook(server, 'queue', 'webhook', ...args, '--json');
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record);
}

it('queue 6, queue 37: killed in mid-call, it says so, and calls again in its time', async () => {
  await using place = await temporaryDirectory();
  await using receiver = await startReceiver({ answer: () => {} });
  const first = await startLocalserve({ dir: place.path });
  await daybook(first, 'config', 'webhook', 'incoming', 'daybook', '--url', receiver.origin);
  await deliver(first.ip, 'one');
  const call = await receiver.call(1);
  await first.kill();

  await using server = await startLocalserve({ dir: place.path, ip: first.ip });
  const [record] = await records(server, 'list');
  assert.partialDeepStrictEqual(record, { ID: Number(call.headers['x-mox-webhook-id']) });
  const [result] = (record?.['Results'] ?? []) as readonly Record[];
  assert.partialDeepStrictEqual(result, { Success: false, Error: 'interrupted by shutdown' });
  const waitMs =
    Date.parse(String(record?.['NextAttempt'])) - Date.parse(String(result?.['Start']));
  assert.ok(Math.abs(waitMs - 60_000) <= 600, `the next attempt comes after ${waitMs} ms`);
  assert.equal(receiver.calls.length, 1, 'nobody is called before that');

  receiver.answer(200);
  await daybook(server, 'queue', 'webhook', 'schedule', '--now', '0s', '--all');
  const again = await receiver.call(2);
  assert.equal(again.body, call.body);
  assert.equal(again.headers['x-mox-webhook-id'], call.headers['x-mox-webhook-id']);
  assert.equal(again.headers['x-mox-webhook-attempt'], '2');
});

it('queue 40: asked to end, it waits for the answer and records it', async () => {
  await using place = await temporaryDirectory();
  let end = (): void => {};
  await using receiver = await startReceiver({
    answer: (response) => {
      end = () => response.end('at last');
    },
  });
  const first = await startLocalserve({ dir: place.path });
  await daybook(first, 'config', 'webhook', 'incoming', 'daybook', '--url', receiver.origin);
  await deliver(first.ip, 'one');
  await receiver.call(1);
  const stopped = first.stop();
  // From then on it begins nothing any more.
  await assert.rejects(untilRefused(first.ip));
  end();
  assert.equal(await stopped, 0, first.said());

  await using server = await startLocalserve({ dir: place.path, ip: first.ip });
  assert.deepEqual(await records(server, 'list'), []);
  const [record] = await records(server, 'retired', 'list');
  assert.partialDeepStrictEqual(record, { Success: true, Attempts: 1 });
  assert.partialDeepStrictEqual(record?.['Results'], [{ Code: 200, Response: 'at last' }]);
  assert.equal(receiver.calls.length, 1);
});

/** Connections until nobody takes them any more. */
async function untilRefused(ip: string): Promise<never> {
  for (;;) (await SmtpDriver.open(ip, 1025)).close();
}
