/** `config account`, from the command line to the register and back. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { controlOf, runLine, type Ran } from '../../../support/command-line.ts';
import { NO_PARTS } from '../../../support/openers.ts';
import { DEFAULT_SETTINGS, type AccountSettings } from '#domain/directory/settings';
import { refuse, type Refusal } from '#domain/values/decision';
import { controlCommands } from '#protocols/cli/control-commands';
import type { AdministeredAccount, AdministeredAccounts } from '#protocols/ports-admin';

class FakeAccounts implements AdministeredAccounts {
  settings: AccountSettings = DEFAULT_SETTINGS;

  async get(name: string): Promise<AdministeredAccount | Refusal> {
    if (name !== 'alice') return refuse('NoSuchAccount', name);
    return { name, settings: this.settings, usedBytes: 1234 };
  }

  async change(
    name: string,
    changes: Partial<AccountSettings>,
  ): Promise<AdministeredAccount | Refusal> {
    this.settings = { ...this.settings, ...changes };
    return this.get(name);
  }
}

async function run(accounts: AdministeredAccounts, ...args: readonly string[]): Promise<Ran> {
  const openControl = controlOf(controlCommands({ ...NO_PARTS, accounts }));
  return runLine(['config', 'account', ...args], { openControl });
}

describe('config account', () => {
  it('shows what is set, and what is used', async () => {
    const { code, out } = await run(new FakeAccounts(), 'show', 'alice');
    assert.equal(code, 0);
    assert.deepEqual(out, [
      'Account: alice',
      'QuotaMessageSize: none',
      'UsedMessageSize: 1234',
      'QueueMessageSize: none',
      'MaxOutgoingMessagesPerDay: 1000',
      'MaxFirstTimeRecipientsPerDay: 200',
      'KeepRetiredMessagePeriod: none',
      'KeepRetiredWebhookPeriod: none',
      'FromIDLoginAddresses: none',
      'HiddenCapabilities: none',
      'OutgoingWebhook: none',
      'IncomingWebhook: none',
    ]);
  });

  it('sets what is named and leaves the rest', async () => {
    const accounts = new FakeAccounts();
    const flags = ['--quota', '1g', '--keep-retired', '7d', '--hide-capability', 'notify', 'IDLE'];
    const daily = ['--daily-recipients', '5000', '--daily-new-recipients', '0'];
    const logins = ['--from-id-login', 'b@localhost', 'a@localhost'];
    const kept = ['--keep-retired-webhooks', '72h'];
    const all = ['--json', ...flags, ...daily, ...kept, ...logins];
    const { out } = await run(accounts, 'set', 'alice', ...all);
    assert.deepEqual(JSON.parse(out[0] ?? ''), {
      Account: 'alice',
      QuotaMessageSize: 1_073_741_824,
      UsedMessageSize: 1234,
      QueueMessageSize: 0,
      MaxOutgoingMessagesPerDay: 5000,
      MaxFirstTimeRecipientsPerDay: 0,
      KeepRetiredMessagePeriod: '1w',
      KeepRetiredWebhookPeriod: '3d',
      FromIDLoginAddresses: ['a@localhost', 'b@localhost'],
      HiddenCapabilities: ['IDLE', 'NOTIFY'],
      OutgoingWebhook: null,
      IncomingWebhook: null,
    });
    await run(accounts, 'set', 'alice', '--hide-capability', 'none', '--queue-limit', '10m');
    await run(accounts, 'set', 'alice', '--from-id-login', 'none');
    assert.deepEqual(accounts.settings, {
      ...DEFAULT_SETTINGS,
      quotaBytes: 1_073_741_824,
      queueBytesMax: 10_485_760,
      recipientsPerDayMax: 5000,
      newRecipientsPerDayMax: 0,
      keepRetiredMs: 604_800_000,
      keepRetiredHooksMs: 259_200_000,
    });
  });

  it('tells what is wrong', async () => {
    const nobody = await run(new FakeAccounts(), 'show', 'bob');
    assert.deepEqual(nobody, {
      code: 1,
      out: [],
      err: ['daybook: The account does not exist: bob'],
    });
    const nothing = await run(new FakeAccounts(), 'set', 'alice');
    assert.deepEqual(nothing.err, ['daybook: There is nothing to set.']);
    const size = await run(new FakeAccounts(), 'set', 'alice', '--quota', 'much');
    assert.equal(size.code, 2);
    const name = await run(new FakeAccounts(), 'set', 'alice', '--hide-capability', 'a b');
    assert.deepEqual(name.err, ['daybook: No capability can be called A B.']);
  });
});
