/** How an account ends: closed, removed, erased, and what goes with it. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decideDirectory, type DirectoryCommand } from '#domain/directory/decide';
import type { DirectoryEvent } from '#domain/directory/events';
import { mailTarget } from '#domain/directory/mail-targets';
import { DEFAULT_SETTINGS } from '#domain/directory/settings';
import { evolveDirectory } from '#domain/directory/evolve';
import {
  accountOfLogin,
  emptyDirectory,
  policyOf,
  routesOf,
  settingsOf,
  type DirectoryState,
} from '#domain/directory/state';
import type { Refusal } from '#domain/values/decision';

const BOB = 2;
const rules = { catchallSeparator: '+', caseSensitive: false };

/** The postmaster's account alice, and bob. */
const TWO: readonly DirectoryEvent[] = [
  { type: 'DomainAdded', domain: 'example.org', ...rules },
  { type: 'AccountAdded', accountId: 1, name: 'alice' },
  { type: 'AddressAdded', localpart: 'alice', domain: 'example.org', accountId: 1 },
  { type: 'AccountAdded', accountId: BOB, name: 'bob' },
  { type: 'AddressAdded', localpart: 'bob', domain: 'example.org', accountId: BOB },
];
const CLOSED: DirectoryEvent = { type: 'AccountClosed', accountId: BOB };
const REMOVED: DirectoryEvent = { type: 'AccountRemoved', accountId: BOB };
const ERASED: DirectoryEvent = { type: 'AccountErased', accountId: BOB };

function after(...events: readonly DirectoryEvent[]): DirectoryState {
  return [...TWO, ...events].reduce(evolveDirectory, emptyDirectory());
}

function decide(
  state: DirectoryState,
  command: DirectoryCommand,
): readonly DirectoryEvent[] | Refusal {
  const decision = decideDirectory(command, state);
  return 'refused' in decision ? decision : decision.events;
}

describe('the removal of an account', () => {
  it('goes from closed to removed to erased, each once', () => {
    const close = { type: 'CloseAccount', accountId: BOB } as const;
    const remove = { type: 'RemoveAccount', accountId: BOB } as const;
    const erase = { type: 'EraseAccount', accountId: BOB } as const;
    const unknown = { refused: 'NoSuchAccount', detail: '2' };
    assert.deepEqual(decide(after(), close), [CLOSED]);
    assert.deepEqual(decide(after(), remove), unknown);
    assert.deepEqual(decide(after(CLOSED), close), []);
    assert.deepEqual(decide(after(CLOSED), remove), [REMOVED]);
    assert.deepEqual(decide(after(CLOSED), erase), unknown);
    assert.deepEqual(decide(after(CLOSED, REMOVED), erase), [ERASED]);
    assert.deepEqual(decide(after(CLOSED, REMOVED), close), unknown);
    assert.deepEqual(decide(after(CLOSED, REMOVED, ERASED), erase), unknown);
  });

  it('operations 32: is refused for the account of the postmaster', () => {
    assert.deepEqual(decide(after(), { type: 'CloseAccount', accountId: 1 }), {
      refused: 'AccountIsPostmaster',
      detail: 'alice',
    });
  });

  it('closes it: its addresses lead nowhere, and nobody logs in', () => {
    const state = after(CLOSED);
    assert.equal(accountOfLogin(after(), 'bob', 'example.org'), BOB);
    assert.equal(accountOfLogin(state, 'bob', 'example.org'), undefined);
    assert.deepEqual(mailTarget(state, 'bob', 'example.org'), { type: 'unknown-address' });
    assert.equal(policyOf(after(), BOB).isClosed, false);
    assert.equal(policyOf(state, BOB).isClosed, true);
    const taken = { type: 'AddAddress', localpart: 'bob', domain: 'example.org', accountId: 1 };
    assert.deepEqual(decide(state, taken as DirectoryCommand), {
      refused: 'AddressTaken',
      detail: 'bob@example.org, of bob',
    });
    const another = { type: 'AddAddress', localpart: 'b', domain: 'example.org', accountId: BOB };
    const gone = { refused: 'NoSuchAccount', detail: 'bob' };
    assert.deepEqual(decide(state, another as DirectoryCommand), gone);
    assert.deepEqual(decide(state, { type: 'AddHoldRule', rule: { accountId: BOB } }), gone);
  });

  it('takes what was decided about it along', () => {
    const route = { fromDomain: [], toDomain: [], minimumAttempts: 0, transport: 'smart' };
    const state = after(
      { type: 'AccountSettingsChanged', accountId: BOB, changes: { quotaBytes: 7 } },
      { type: 'RoutesChanged', scope: { type: 'account', accountId: BOB }, routes: [route] },
      { type: 'HoldRuleAdded', rule: { ruleId: 1, accountId: BOB } },
      { type: 'HoldRuleAdded', rule: { ruleId: 2, accountId: 1 } },
      {
        type: 'TlsKeyClaimed',
        fingerprint: 'f',
        accountId: BOB,
        localpart: 'bob',
        domain: 'example.org',
      },
      CLOSED,
      REMOVED,
    );
    assert.deepEqual([...state.accounts.keys()], [1]);
    assert.deepEqual([...state.addresses.keys()], ['alice@example.org']);
    assert.equal(state.tlsKeys.size, 0);
    assert.deepEqual(settingsOf(state, BOB), DEFAULT_SETTINGS);
    assert.deepEqual(routesOf(state, { type: 'account', accountId: BOB }), []);
    assert.deepEqual(
      state.holdRules.map(({ ruleId }) => ruleId),
      [2],
    );
    assert.equal(policyOf(state, BOB).isClosed, true);
  });

  it('leaves its name and its addresses to others, its number to nobody', () => {
    for (const state of [after(CLOSED, REMOVED), after(CLOSED, REMOVED, ERASED)]) {
      const again = decide(state, {
        type: 'AddAccount',
        name: 'bob',
        address: { localpart: 'bob', domain: 'example.org' },
      });
      assert.deepEqual(again, [
        { type: 'AccountAdded', accountId: 3, name: 'bob' },
        { type: 'AddressAdded', localpart: 'bob', domain: 'example.org', accountId: 3 },
      ]);
    }
  });
});
