/** Addresses of accounts: given, and taken away again where nothing needs them. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dependentOn } from '#domain/directory/addresses';
import { decideDirectory, type DirectoryCommand } from '#domain/directory/decide';
import type { DirectoryEvent } from '#domain/directory/events';
import { evolveDirectory } from '#domain/directory/evolve';
import {
  copyOfDirectory,
  emptyDirectory,
  settingsOf,
  type DirectoryState,
} from '#domain/directory/state';
import type { Refusal } from '#domain/values/decision';

const BOB = 2;
const DOMAIN = 'example.org';

const STATE: DirectoryState = (
  [
    { type: 'DomainAdded', domain: DOMAIN, catchallSeparator: '+', caseSensitive: false },
    { type: 'AccountAdded', accountId: 1, name: 'alice' },
    { type: 'AddressAdded', localpart: 'alice', domain: DOMAIN, accountId: 1 },
    { type: 'AccountAdded', accountId: BOB, name: 'bob' },
    { type: 'AddressAdded', localpart: 'bob', domain: DOMAIN, accountId: BOB },
    { type: 'AddressAdded', localpart: 'key', domain: DOMAIN, accountId: BOB },
    { type: 'AddressAdded', localpart: '', domain: DOMAIN, accountId: BOB },
    {
      type: 'TlsKeyClaimed',
      fingerprint: 'f',
      accountId: BOB,
      localpart: 'key',
      domain: DOMAIN,
    },
    {
      type: 'AccountSettingsChanged',
      accountId: BOB,
      changes: { fromIdLogins: ['bob@example.org', 'other@example.org'] },
    },
  ] as readonly DirectoryEvent[]
).reduce(evolveDirectory, emptyDirectory());

function decide(command: DirectoryCommand): readonly DirectoryEvent[] | Refusal {
  const decision = decideDirectory(command, STATE);
  return 'refused' in decision ? decision : decision.events;
}

describe('an address', () => {
  const add = (localpart: string): ReturnType<typeof decide> =>
    decide({ type: 'AddAddress', localpart, domain: DOMAIN, accountId: 1 });

  it('operations 28: that is somebody’s is refused with its owner', () => {
    const refusal = { refused: 'AddressTaken', detail: 'bob@example.org, of bob' };
    assert.deepEqual(add('bob'), refusal);
    assert.deepEqual(
      decide({ type: 'AddAccount', name: 'carl', address: { localpart: 'bob', domain: DOMAIN } }),
      refusal,
    );
    assert.deepEqual(
      decide({
        type: 'AddAccount',
        name: 'carl',
        address: { localpart: 'c', domain: 'x.example' },
      }),
      { refused: 'NoSuchDomain', detail: 'x.example' },
    );
  });

  it('operations 29: is one in any case, and has no separator in it', () => {
    assert.partialDeepStrictEqual(add('BOB'), { refused: 'AddressTaken' });
    assert.deepEqual(add('a+b'), { refused: 'AddressForbidden', detail: 'a+b' });
    assert.deepEqual(add(''), { refused: 'AddressTaken', detail: '@example.org, of bob' });
  });
});

describe('an address or an alias that the catchall had', () => {
  const other = { localpart: 'other', domain: DOMAIN };
  const members = [{ localpart: 'alice', domain: DOMAIN }];
  const commands: readonly DirectoryCommand[] = [
    { type: 'AddAddress', ...other, accountId: 1 },
    { type: 'AddAlias', alias: other, members },
  ];

  it('takes the logins along that led to it', () => {
    for (const command of commands) {
      const events = decide(command);
      assert.ok(!('refused' in events));
      const state = events.reduce(evolveDirectory, copyOfDirectory(STATE));
      assert.deepEqual(settingsOf(state, BOB).fromIdLogins, ['bob@example.org']);
    }
  });

  it('stays with the catchall while a TLS key logs in as it', () => {
    const claim = { type: 'TlsKeyClaimed', fingerprint: 'g', accountId: BOB, ...other } as const;
    const state = evolveDirectory(copyOfDirectory(STATE), claim);
    const detail = 'a TLS key logs in as other@example.org';
    for (const command of commands) {
      assert.deepEqual(decideDirectory(command, state), { refused: 'AddressNeeded', detail });
    }
    const own = decideDirectory({ type: 'AddAddress', ...other, accountId: BOB }, state);
    assert.ok(!('refused' in own), 'it stays a login of the account');
  });
});

describe('an address that is taken away', () => {
  const remove = (localpart: string, domain = DOMAIN): ReturnType<typeof decide> =>
    decide({ type: 'RemoveAddress', localpart, domain });

  it('is gone, with the logins that it led to', () => {
    const removed = remove('Bob');
    assert.deepEqual(removed, [
      { type: 'AddressRemoved', localpart: 'bob', domain: DOMAIN, accountId: BOB },
    ]);
    const catchall = remove('');
    assert.ok(Array.isArray(catchall));
    const state = catchall.reduce(
      evolveDirectory,
      evolveDirectory(emptyDirectory(), {
        type: 'DomainAdded',
        domain: DOMAIN,
        catchallSeparator: '+',
        caseSensitive: false,
      }),
    );
    assert.equal(state.addresses.size, 0);
  });

  it('takes along what has a MAIL FROM of its own by it', () => {
    const records = [
      { type: 'DomainAdded', domain: DOMAIN, catchallSeparator: '+', caseSensitive: false },
      { type: 'AccountAdded', accountId: 1, name: 'alice' },
      { type: 'AddressAdded', localpart: 'a', domain: DOMAIN, accountId: 1 },
      { type: 'AddressAdded', localpart: 'b', domain: DOMAIN, accountId: 1 },
      {
        type: 'AccountSettingsChanged',
        accountId: 1,
        changes: { fromIdLogins: ['a+x@example.org', 'b@example.org'] },
      },
      { type: 'AddressRemoved', localpart: 'a', domain: DOMAIN, accountId: 1 },
    ] as readonly DirectoryEvent[];
    const state = records.reduce(evolveDirectory, emptyDirectory());
    assert.deepEqual(settingsOf(state, 1).fromIdLogins, ['b@example.org']);
  });

  it('operations 31: stays when the postmaster has no other, or a TLS key needs it', () => {
    assert.deepEqual(remove('alice'), {
      refused: 'AddressNeeded',
      detail: 'alice@example.org is the only one of the postmaster',
    });
    assert.deepEqual(remove('key'), {
      refused: 'AddressNeeded',
      detail: 'a TLS key logs in as key@example.org',
    });
  });

  it('is one that there is', () => {
    assert.deepEqual(remove('carl'), { refused: 'NoSuchAddress', detail: 'carl@example.org' });
    assert.partialDeepStrictEqual(remove('bob', 'x.example'), { refused: 'NoSuchAddress' });
  });

  it('operations 31: has others that depend on it, as long as no catchall takes them', () => {
    const waiting = ['bob@example.org', 'bob+1@example.org', 'alice@example.org', 'x@else.example'];
    const address = { localpart: 'bob', domain: DOMAIN };
    assert.deepEqual(dependentOn(address, waiting, BOB, STATE), []);
    const bare = evolveDirectory(emptyDirectory(), {
      type: 'DomainAdded',
      domain: DOMAIN,
      catchallSeparator: '+',
      caseSensitive: false,
    });
    evolveDirectory(bare, { type: 'AddressAdded', ...address, accountId: BOB });
    assert.deepEqual(dependentOn(address, waiting, BOB, bare), waiting.slice(0, 2));
  });
});
