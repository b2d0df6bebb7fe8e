/** Whom accounts have called: in the directory, with Authorizations in the secret store. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fakeClock, fakeRandom } from '../../support/clock.ts';
import { DEFAULT_SETTINGS, type AccountSettings } from '#domain/directory/settings';
import { isRefusal } from '#domain/values/decision';
import { AccountRegister } from '#infra/account-register';
import { DirectoryLane } from '#infra/directory-lane';
import { openMemoryEventLog } from '#infra/event-log-memory';
import { WebhookSettings } from '#infra/webhook-settings';
import type { HookDirection, WebhookChanges } from '#protocols/ports-webhook';

const CAUSE = { actor: 'test' };

class Desk {
  /** By reference. */
  readonly secrets = new Map<string, string>();
  readonly #webhooks: WebhookSettings;

  private constructor(directory: DirectoryLane) {
    const accounts = new AccountRegister(directory, {
      account: async () => ({ usedBytes: () => 0 }),
    });
    this.#webhooks = new WebhookSettings(accounts, {
      put: async (secret) => {
        const ref = `secret-${this.secrets.size + 1}`;
        this.secrets.set(ref, secret);
        return ref;
      },
      remove: async (ref) => void this.secrets.delete(ref),
    });
  }

  static async open(): Promise<Desk> {
    const directory = await DirectoryLane.open({
      log: openMemoryEventLog(),
      clock: fakeClock(),
      random: fakeRandom(),
      fatal: (error) => assert.fail(String(error)),
    });
    await directory.execute({ type: 'AddAccount', name: 'alice' }, CAUSE);
    return new Desk(directory);
  }

  /** What is set then, or what was refused. */
  async set(
    direction: HookDirection,
    changes: WebhookChanges,
    name = 'alice',
  ): Promise<AccountSettings | string> {
    const done = await this.#webhooks.set(name, direction, changes, CAUSE);
    return isRefusal(done) ? `${done.refused} ${done.detail}` : done.settings;
  }

  async remove(direction: HookDirection): Promise<AccountSettings | string> {
    const done = await this.#webhooks.remove('alice', direction, CAUSE);
    return isRefusal(done) ? done.refused : done.settings;
  }
}

const url = 'https://app.example/hook';

describe('webhook settings', () => {
  it('change by what is named, and can be taken away', async () => {
    const desk = await Desk.open();
    await desk.set('outgoing', { url, events: ['failed', 'delayed', 'failed'] });
    const events = ['failed', 'delayed'];
    const both = { ...DEFAULT_SETTINGS, outgoingWebhook: { url, events }, incomingWebhook: null };
    assert.deepEqual(await desk.set('incoming', { url: 'http://127.0.0.1:8080/in' }), {
      ...both,
      incomingWebhook: { url: 'http://127.0.0.1:8080/in' },
    });
    assert.deepEqual(await desk.remove('incoming'), both);
    assert.deepEqual(await desk.set('outgoing', { events: [] }), {
      ...both,
      outgoingWebhook: { url, events: [] },
    });
    assert.deepEqual(await desk.remove('outgoing'), DEFAULT_SETTINGS);
  });

  it('name an Authorization, and do not have it', async () => {
    const desk = await Desk.open();
    const set = await desk.set('incoming', { url, authorization: 'Bearer s' });
    assert.deepEqual(Object(set).incomingWebhook, { url, authorization: 'secret-1' });
    assert.deepEqual([...desk.secrets], [['secret-1', 'Bearer s']]);
    const without = await desk.set('incoming', { authorization: '' });
    assert.deepEqual(Object(without).incomingWebhook, { url });
  });

  it('keep an Authorization at its origin', async () => {
    const desk = await Desk.open();
    const authorization = 'secret-1';
    await desk.set('outgoing', { url, authorization: 'Bearer s' });
    const moved = await desk.set('outgoing', { url: 'https://app.example/other' });
    assert.partialDeepStrictEqual(moved, { outgoingWebhook: { authorization } });
    const gone = await desk.set('outgoing', { url: 'http://app.example/other' });
    assert.deepEqual(Object(gone).outgoingWebhook, { url: 'http://app.example/other', events: [] });
  });

  it('webapi 40: stay as they are when something of them is wrong', async () => {
    const desk = await Desk.open();
    const refusals = [
      [await desk.set('outgoing', { url, events: ['bogus'] }), 'WebhookEventUnknown bogus'],
      [await desk.set('outgoing', { url: 'mailto:x' }), 'WebhookUrlForbidden mailto:x'],
      [
        await desk.set('outgoing', { url: 'http://1.2.3.4.5/' }),
        'WebhookUrlForbidden http://1.2.3.4.5/',
      ],
      [
        await desk.set('incoming', { url: 'http://a:99999/' }),
        'WebhookUrlForbidden http://a:99999/',
      ],
      [
        await desk.set('incoming', { url: 'http://a:b@c.example/', authorization: 's' }),
        'WebhookUrlForbidden http://a:b@c.example/',
      ],
      [await desk.set('incoming', { authorization: 's' }), 'WebhookUrlForbidden '],
      [await desk.set('incoming', { url }, 'bob'), 'NoSuchAccount bob'],
    ] as const;
    for (const [got, wanted] of refusals) assert.equal(got, wanted);
    assert.equal(desk.secrets.size, 0);
    assert.deepEqual(await desk.remove('incoming'), DEFAULT_SETTINGS);
  });
});
