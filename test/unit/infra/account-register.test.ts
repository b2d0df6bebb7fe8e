/** Settings of accounts: told at once, changed by name. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fakeClock, fakeRandom } from '../../support/clock.ts';
import { DEFAULT_SETTINGS } from '#domain/directory/settings';
import { AccountRegister } from '#infra/account-register';
import { DirectoryLane } from '#infra/directory-lane';
import { openMemoryEventLog } from '#infra/event-log-memory';

const CAUSE = { actor: 'test' };

async function opened(): Promise<AccountRegister> {
  const directory = await DirectoryLane.open({
    log: openMemoryEventLog(),
    clock: fakeClock(),
    random: fakeRandom(),
    fatal: (error) => assert.fail(String(error)),
  });
  await directory.execute({ type: 'AddAccount', name: 'alice' }, CAUSE);
  return new AccountRegister(directory, { account: async () => ({ usedBytes: () => 7 }) });
}

describe('settings of an account', () => {
  it('are those of everybody until they are changed', async () => {
    const accounts = await opened();
    assert.deepEqual(accounts.of(1), DEFAULT_SETTINGS);
    assert.deepEqual(await accounts.get('Alice'), {
      name: 'alice',
      settings: DEFAULT_SETTINGS,
      usedBytes: 7,
    });
    const changed = await accounts.change('alice', { quotaBytes: 1000 }, CAUSE);
    assert.ok('settings' in changed);
    assert.deepEqual(changed.settings, { ...DEFAULT_SETTINGS, quotaBytes: 1000 });
    assert.equal(accounts.of(1).quotaBytes, 1000);
  });

  it('of an account that does not exist are refused', async () => {
    const accounts = await opened();
    assert.deepEqual(await accounts.get('bob'), { refused: 'NoSuchAccount', detail: 'bob' });
    assert.deepEqual(await accounts.change('bob', {}, CAUSE), {
      refused: 'NoSuchAccount',
      detail: 'bob',
    });
  });
});
