/** `config webhook`, from the command line to the settings and back. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { controlOf, runLine, type Ran } from '../../../support/command-line.ts';
import { fakeClock } from '../../../support/clock.ts';
import { startReceiver } from '../../../support/receiver.ts';
import { DEFAULT_SETTINGS } from '#domain/directory/settings';
import type { OutgoingEvent } from '#domain/webhook/events';
import { openHttpPost } from '#infra/http-post';
import {
  webhookSettingsCommands,
  type WebhookSettingsParts,
} from '#protocols/cli/webhook-settings-control';
import type { AdministeredAccount } from '#protocols/ports-admin';

/** With what the settings were told. */
type Told = Ran & { readonly told: readonly unknown[] };

const URL = 'https://app.example/hook';
const EVENTS: readonly OutgoingEvent[] = ['failed', 'suppressed'];
const SHOWN: AdministeredAccount = {
  name: 'alice',
  usedBytes: 0,
  settings: {
    ...DEFAULT_SETTINGS,
    outgoingWebhook: { url: URL, authorization: 'ref', events: EVENTS },
    incomingWebhook: { url: 'http://localhost/in' },
  },
};

async function run(input: string | undefined, ...args: readonly string[]): Promise<Told> {
  return runFor(SHOWN, input, ...args);
}

async function runFor(
  account: AdministeredAccount,
  input: string | undefined,
  ...args: readonly string[]
): Promise<Told> {
  const told: unknown[] = [];
  const clock = fakeClock();
  const http = openHttpPost({ clock });
  const parts: WebhookSettingsParts = {
    webhooks: {
      async set(...[name, direction, changes]) {
        told.push([name, direction, changes]);
        return account;
      },
      async remove(...[name, direction]) {
        told.push([name, direction]);
        return account;
      },
    },
    accounts: { get: async () => account },
    authorizations: { text: async (authorization) => `text of ${authorization}` },
    client: { http, clock, version: '1' },
  };
  const ran = await runLine(['config', 'webhook', ...args], {
    openControl: controlOf(webhookSettingsCommands(parts), clock),
    ...(input === undefined ? {} : { input: async () => input }),
  });
  http.close();
  return { ...ran, told };
}

describe('config webhook', () => {
  it('sets what is named, with an Authorization from standard input', async () => {
    const flags = ['--url', URL, '--authorization', '--events', 'failed', 'suppressed'];
    const { code, out, told } = await run('Bearer s3cret\n', 'outgoing', 'alice', ...flags);
    assert.equal(code, 0);
    const changes = { url: URL, events: ['failed', 'suppressed'], authorization: 'Bearer s3cret' };
    assert.deepEqual(told, [['alice', 'outgoing', changes]]);
    assert.deepEqual(out.slice(-2), [
      `OutgoingWebhook: ${URL}, with an Authorization, of failed suppressed`,
      'IncomingWebhook: http://localhost/in',
    ]);
    assert.doesNotMatch(out.join('\n'), /s3cret|ref/);
  });

  it('shows in JSON that there is an Authorization, and no more of it', async () => {
    const { out, told } = await run(undefined, 'incoming', 'alice', '--json', '--no-authorization');
    assert.deepEqual(told, [['alice', 'incoming', { authorization: '' }]]);
    assert.partialDeepStrictEqual(JSON.parse(out.join()), {
      OutgoingWebhook: { URL, Authorization: true, Events: ['failed', 'suppressed'] },
      IncomingWebhook: { URL: 'http://localhost/in', Authorization: false },
    });
  });

  it('tells all events again, and takes a webhook away', async () => {
    const all = await run(undefined, 'outgoing', 'alice', '--events', 'all');
    assert.deepEqual(all.told, [['alice', 'outgoing', { events: [] }]]);
    const removed = await run(undefined, 'remove', 'incoming', 'alice');
    assert.deepEqual([removed.code, removed.told], [0, [['alice', 'incoming']]]);
  });

  it('refuses an Authorization that cannot stand in a header, without repeating it', async () => {
    const sentence =
      'daybook: The Authorization must be one line of ASCII, of 4096 characters at most.';
    for (const input of ['a\r\nX-Other: b', 'a\nb', 'a b ', 'kä\n', 'x'.repeat(5000)]) {
      const { code, err, told } = await run(input, 'incoming', 'alice', '--authorization');
      assert.deepEqual([code, err, told], [1, [sentence], []]);
    }
    const empty = await run('\n', 'incoming', 'alice', '--authorization');
    assert.deepEqual(empty.err, ['daybook: There is no Authorization on standard input.']);
  });

  it('webapi 42: tries a receiver with an example, and says what it answers', async () => {
    await using receiver = await startReceiver();
    const target = { url: `${receiver.origin}/x`, authorization: 'ref' };
    const outgoingWebhook = { ...target, events: [] };
    const account = { ...SHOWN, settings: { ...DEFAULT_SETTINGS, outgoingWebhook } };
    const tried = await runFor(account, undefined, 'test', 'outgoing', 'alice');
    assert.deepEqual([tried.code, tried.out, tried.err], [0, ['200\tresp-200'], []]);
    const [call] = receiver.calls;
    assert.equal(call?.headers['x-mox-webhook-id'], '1');
    assert.equal(call?.headers['x-mox-webhook-attempt'], '1');
    assert.equal(call?.headers['authorization'], 'text of ref');
    assert.match(call?.body ?? '', /^\{\n {2}"Version": 0,\n {2}"Event": "delivered",\n/);

    receiver.answer(404);
    const json = await runFor(account, undefined, 'test', 'outgoing', 'alice', '--json');
    assert.deepEqual(JSON.parse(json.out.join()), {
      Code: 404,
      Error: 'http status "404 Not Found", expected 200',
      Response: 'resp-404',
    });
    const nobody = await runFor(account, undefined, 'test', 'incoming', 'alice');
    const sentence = 'daybook: Nobody is called about incoming mail of alice.';
    assert.deepEqual([nobody.code, nobody.err], [1, [sentence]]);

    const gone = await startReceiver();
    await gone[Symbol.asyncDispose]();
    const incomingWebhook = { url: gone.origin };
    const away = { ...SHOWN, settings: { ...DEFAULT_SETTINGS, incomingWebhook } };
    const refused = await runFor(away, undefined, 'test', 'incoming', 'alice');
    assert.match(refused.out.join(), /^no answer\tconnect ECONNREFUSED /);
  });

  it('tells what is wrong', async () => {
    const nothing = await run(undefined, 'outgoing', 'alice');
    assert.deepEqual(nothing.err, ['daybook: There is nothing to set.']);
    const events = await run(undefined, 'incoming', 'alice', '--events', 'failed');
    assert.equal(events.code, 2);
    const direction = await run(undefined, 'remove', 'both', 'alice');
    assert.equal(direction.code, 2);
  });
});
