/** What the administrator may decide: names, uniqueness, references. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decideDirectory, type DirectoryCommand } from '#domain/directory/decide';
import type { DirectoryEvent } from '#domain/directory/events';
import { emptyDirectory, evolveDirectory } from '#domain/directory/state';
import type { RefusalCode } from '#domain/values/decision';

const DOMAIN: DirectoryEvent = {
  type: 'DomainAdded',
  domain: 'example.org',
  catchallSeparator: '+',
  caseSensitive: false,
};
const ACCOUNT: DirectoryEvent = { type: 'AccountAdded', accountId: 1, name: 'daybook' };
const ADDRESS: DirectoryEvent = {
  type: 'AddressAdded',
  localpart: 'daybook',
  domain: 'example.org',
  accountId: 1,
};

function decisionAfter(
  history: readonly DirectoryEvent[],
  command: DirectoryCommand,
): readonly DirectoryEvent[] | RefusalCode {
  const state = history.reduce(evolveDirectory, emptyDirectory());
  const decision = decideDirectory(command, state);
  return 'refused' in decision ? decision.refused : decision.events;
}

describe('a domain', () => {
  const add = { ...DOMAIN, type: 'AddDomain' } as const;

  it('is added once', () => {
    assert.deepEqual(decisionAfter([], add), [DOMAIN]);
    assert.equal(decisionAfter([DOMAIN], add), 'DomainExists');
  });

  it('is lower-case A-labels', () => {
    for (const domain of ['', 'Example.org', 'ex ample', '-a.org', 'a..b', 'ü.org', '1.2.3.4']) {
      assert.equal(decisionAfter([], { ...add, domain }), 'DomainForbidden', domain);
    }
  });
});

describe('an account', () => {
  it('gets the next number, from 1', () => {
    assert.deepEqual(decisionAfter([], { type: 'AddAccount', name: 'daybook' }), [ACCOUNT]);
    assert.deepEqual(decisionAfter([ACCOUNT], { type: 'AddAccount', name: 'b' }), [
      { type: 'AccountAdded', accountId: 2, name: 'b' },
    ]);
  });

  it('has a name that no other has in any case', () => {
    assert.equal(
      decisionAfter([ACCOUNT], { type: 'AddAccount', name: 'DayBook' }),
      'AccountExists',
    );
  });

  it('has a name that is safe in a path', () => {
    for (const name of ['a', 'A1', 'jürgen', 'a.b_c-d', 'x'.repeat(64), 'console']) {
      assert.notEqual(
        decisionAfter([], { type: 'AddAccount', name }),
        'AccountNameForbidden',
        name,
      );
    }
    const bad = ['', '../x', '.a', '-a', 'a..b', 'a.', 'a/b', 'a b', 'x'.repeat(65), 'u\u0308'];
    for (const name of [...bad, 'con', 'NUL', 'com1.txt', 'LPT9']) {
      assert.equal(decisionAfter([], { type: 'AddAccount', name }), 'AccountNameForbidden', name);
    }
  });
});

describe('an address', () => {
  const add = { ...ADDRESS, type: 'AddAddress' } as const;

  it('belongs to one account; its localpart is folded', () => {
    assert.deepEqual(decisionAfter([DOMAIN, ACCOUNT], { ...add, localpart: 'DayBook' }), [ADDRESS]);
    assert.equal(decisionAfter([DOMAIN, ACCOUNT, ADDRESS], add), 'AddressTaken');
  });

  it('may be the catchall of its domain', () => {
    const catchall = { ...ADDRESS, localpart: '' };
    assert.deepEqual(decisionAfter([DOMAIN, ACCOUNT], { ...add, localpart: '' }), [catchall]);
    assert.equal(
      decisionAfter([DOMAIN, ACCOUNT, catchall], { ...add, localpart: '' }),
      'AddressTaken',
    );
  });

  it('needs its domain and its account, and no separator in it', () => {
    assert.equal(decisionAfter([ACCOUNT], add), 'NoSuchDomain');
    assert.equal(decisionAfter([DOMAIN], add), 'NoSuchAccount');
    assert.equal(
      decisionAfter([DOMAIN, ACCOUNT], { ...add, localpart: 'a+b' }),
      'AddressForbidden',
    );
  });
});
