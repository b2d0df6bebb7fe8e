/** `config webhook`, from the command line to the settings and back. */

import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { describe, it } from 'node:test';
import { fakeClock } from '../../../support/clock.ts';
import { NO_OPENERS, NO_TERMINAL } from '../../../support/openers.ts';
import { silentLog } from '../../../support/silent-log.ts';
import { DEFAULT_SETTINGS } from '#domain/directory/settings';
import type { OutgoingEvent } from '#domain/webhook/events';
import { serveControl } from '#protocols/cli/control';
import { runProgram } from '#protocols/cli/program';
import { webhookSettingsCommands } from '#protocols/cli/webhook-settings-control';
import type { AdministeredWebhookSettings } from '#protocols/ports-webhook';

interface Ran {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
  /** What the settings were told. */
  readonly told: readonly unknown[];
}

const URL = 'https://app.example/hook';
const EVENTS: readonly OutgoingEvent[] = ['failed', 'suppressed'];
const SHOWN = {
  name: 'alice',
  usedBytes: 0,
  settings: {
    ...DEFAULT_SETTINGS,
    outgoingWebhook: { url: URL, authorization: 'ref', events: EVENTS },
    incomingWebhook: { url: 'http://localhost/in' },
  },
};

async function run(input: string | undefined, ...args: readonly string[]): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const told: unknown[] = [];
  const webhooks: AdministeredWebhookSettings = {
    async set(...[account, direction, changes]) {
      told.push([account, direction, changes]);
      return SHOWN;
    },
    async remove(...[account, direction]) {
      told.push([account, direction]);
      return SHOWN;
    },
  };
  const openers = {
    ...NO_OPENERS,
    async openControl() {
      const [client, server] = duplexPair();
      const ports = { clock: fakeClock(), log: silentLog };
      void serveControl(server, new Map(webhookSettingsCommands(webhooks)), ports);
      return client;
    },
  };
  const terminal = {
    ...NO_TERMINAL,
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
    ...(input === undefined ? {} : { input: async () => input }),
  };
  const code = await runProgram(['config', 'webhook', ...args], terminal, openers);
  return { code, out, err, told };
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

  it('tells what is wrong', async () => {
    const nothing = await run(undefined, 'outgoing', 'alice');
    assert.deepEqual(nothing.err, ['daybook: There is nothing to set.']);
    const events = await run(undefined, 'incoming', 'alice', '--events', 'failed');
    assert.equal(events.code, 2);
    const direction = await run(undefined, 'remove', 'both', 'alice');
    assert.equal(direction.code, 2);
  });
});
