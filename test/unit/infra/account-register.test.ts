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
  for (const name of ['alice', 'bob']) await directory.execute({ type: 'AddAccount', name }, CAUSE);
  for (const [domain, catchallSeparator] of [
    ['example.org', '+'],
    ['plain.example', ''],
  ] as const) {
    const rules = { catchallSeparator, caseSensitive: false };
    await directory.execute({ type: 'AddDomain', domain, ...rules }, CAUSE);
  }
  for (const [localpart, domain, accountId] of [
    ['alice', 'example.org', 1],
    ['alice', 'plain.example', 1],
    ['bob', 'example.org', 2],
  ] as const) {
    await directory.execute({ type: 'AddAddress', localpart, domain, accountId }, CAUSE);
  }
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

  it('have addresses of the account alone, of domains with a separator', async () => {
    const accounts = await opened();
    const login = (address: string): ReturnType<typeof accounts.change> =>
      accounts.change('alice', { fromIdLogins: [address] }, CAUSE);
    assert.ok('settings' in (await login('Alice@Example.org')));
    assert.partialDeepStrictEqual(await login('who@example.org'), { refused: 'NoSuchAddress' });
    assert.partialDeepStrictEqual(await login('no address'), { refused: 'NoSuchAddress' });
    assert.partialDeepStrictEqual(await login('bob@example.org'), { refused: 'AddressOfAnother' });
    assert.partialDeepStrictEqual(await login('alice@plain.example'), {
      refused: 'AddressForbidden',
    });
    assert.deepEqual(accounts.of(1).fromIdLogins, ['alice@example.org']);
    assert.ok('settings' in (await login('alice+App@example.org')));
    assert.deepEqual(accounts.of(1).fromIdLogins, ['alice+app@example.org']);
  });

  it('of an account that does not exist are refused', async () => {
    const accounts = await opened();
    assert.deepEqual(await accounts.get('carl'), { refused: 'NoSuchAccount', detail: 'carl' });
    assert.deepEqual(await accounts.change('carl', {}, CAUSE), {
      refused: 'NoSuchAccount',
      detail: 'carl',
    });
  });
});
