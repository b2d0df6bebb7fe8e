/** Domains: set up with all they need, and removed when nothing uses them. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decideDirectory, type DirectoryCommand } from '#domain/directory/decide';
import type { DkimKey } from '#domain/directory/dkim-keys';
import type { SetUpDomain } from '#domain/directory/domains';
import type { DirectoryEvent } from '#domain/directory/events';
import { evolveDirectory } from '#domain/directory/evolve';
import { dkimKeysOf, emptyDirectory, type DirectoryRecords } from '#domain/directory/state';
import type { Refusal } from '#domain/values/decision';

const KEYS: readonly DkimKey[] = ['2026a', '2026b'].map((name) => ({
  name,
  algorithm: 'rsa',
  secret: `secret-${name}`,
  publicKey: 'MIIB',
}));
const SET_UP: SetUpDomain = {
  type: 'SetUpDomain',
  domain: 'example.org',
  catchallSeparator: '+',
  isDisabled: false,
  account: 'alice',
  localpart: 'me',
  dkimKeys: KEYS,
};

function decide(
  state: DirectoryRecords,
  command: DirectoryCommand,
): readonly DirectoryEvent[] | Refusal {
  const decision = decideDirectory(command, state);
  if ('refused' in decision) return decision;
  for (const event of decision.events) evolveDirectory(state, event);
  return decision.events;
}

describe('a domain that is set up', () => {
  const rules = { catchallSeparator: '+', caseSensitive: false };

  it('operations 34: has an account, a postmaster and signing keys in one step', () => {
    const state = emptyDirectory();
    assert.deepEqual(decide(state, SET_UP), [
      { type: 'DomainAdded', domain: 'example.org', ...rules },
      { type: 'AccountAdded', accountId: 1, name: 'alice' },
      { type: 'AddressAdded', localpart: 'me', domain: 'example.org', accountId: 1 },
      { type: 'DkimKeysChanged', domain: 'example.org', keys: KEYS.slice(0, 1) },
      { type: 'DkimKeysChanged', domain: 'example.org', keys: KEYS },
    ]);
    const other = { ...SET_UP, domain: 'two.org', account: 'bob', localpart: 'bob', dkimKeys: [] };
    assert.deepEqual(decide(state, other), [
      { type: 'DomainAdded', domain: 'two.org', ...rules },
      { type: 'AccountAdded', accountId: 2, name: 'bob' },
      { type: 'AddressAdded', localpart: 'bob', domain: 'two.org', accountId: 2 },
      { type: 'AddressAdded', localpart: 'postmaster', domain: 'two.org', accountId: 2 },
    ]);
    assert.partialDeepStrictEqual(decide(state, other), { refused: 'DomainExists' });
  });

  it('operations 34: names a localpart for a new account, and for no other', () => {
    const state = emptyDirectory();
    const { localpart: _, ...bare } = SET_UP;
    assert.deepEqual(decide(state, bare), { refused: 'NoSuchAccount', detail: 'alice' });
    decide(state, SET_UP);
    assert.deepEqual(decide(state, { ...SET_UP, domain: 'two.org' }), {
      refused: 'AccountExists',
      detail: 'alice',
    });
    assert.deepEqual(decide(state, { ...bare, domain: 'two.org', dkimKeys: [] }), [
      { type: 'DomainAdded', domain: 'two.org', ...rules },
    ]);
  });

  it('operations 35: may begin disabled', () => {
    const state = emptyDirectory();
    decide(state, { ...SET_UP, isDisabled: true });
    assert.deepEqual([...state.disabledDomains], ['example.org']);
  });
});

describe('a domain that is removed', () => {
  const remove = { type: 'RemoveDomain', domain: 'example.org' } as const;

  it('operations 36: is in nobody’s use', () => {
    const state = emptyDirectory();
    decide(state, SET_UP);
    assert.deepEqual(decide(state, remove), {
      refused: 'DomainInUse',
      detail: 'me@example.org of alice',
    });
    for (let i = 0; i < 11; i++) {
      const address = { localpart: `a${i}`, domain: 'example.org', accountId: 1 };
      decide(state, { type: 'AddAddress', ...address });
    }
    const many = decide(state, remove);
    assert.ok('detail' in many && many.detail !== undefined);
    assert.equal(many.detail.split(', ').length, 10);
    assert.match(many.detail, / and more$/);
    assert.partialDeepStrictEqual(decide(state, { ...remove, domain: 'x.org' }), {
      refused: 'NoSuchDomain',
    });
  });

  it('operations 36: has its signing keys again when it comes back', () => {
    const state = emptyDirectory();
    decide(state, { ...SET_UP, isDisabled: true });
    decide(state, {
      type: 'AddDomain',
      domain: 'two.org',
      catchallSeparator: '',
      caseSensitive: false,
    });
    decide(state, { type: 'AddAddress', localpart: 'a', domain: 'two.org', accountId: 1 });
    decide(state, { type: 'RemoveAddress', localpart: 'me', domain: 'example.org' });
    assert.deepEqual(decide(state, remove), [{ type: 'DomainRemoved', domain: 'example.org' }]);
    assert.deepEqual(dkimKeysOf(state, 'example.org'), []);
    assert.equal(state.disabledDomains.size, 0);
    const { localpart: _, ...again } = { ...SET_UP, dkimKeys: [] };
    decide(state, again);
    assert.deepEqual(dkimKeysOf(state, 'example.org'), KEYS);
  });
});
