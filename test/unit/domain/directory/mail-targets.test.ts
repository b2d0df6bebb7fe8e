/** Whose mail is that to an address, and who may send as it. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { twoDomains } from '../../../support/two-domains.ts';
import type { DirectoryEvent } from '#domain/directory/events';
import { accountsBehind, mailTarget } from '#domain/directory/mail-targets';
import { accountOfLogin, emptyDirectory, type DirectoryState } from '#domain/directory/state';

const ALICE = 1;
const BOB = 2;

const TEAM = {
  type: 'AliasAdded',
  localpart: 'team',
  domain: 'one.org',
  members: ['alice@one.org', 'bob@one.org'],
  postPublic: true,
  listMembers: false,
  allowMsgFrom: false,
} as const;

function addressAdded(localpart: string, accountId: number): DirectoryEvent {
  return { type: 'AddressAdded', localpart, domain: 'one.org', accountId };
}

function aliased(...more: readonly DirectoryEvent[]): DirectoryState {
  const members = [
    addressAdded('alice', ALICE),
    addressAdded('alice2', ALICE),
    addressAdded('bob', BOB),
  ];
  return twoDomains(...members, ...more);
}

describe('the target of mail', () => {
  it('is the Inbox of the owner', () => {
    assert.deepEqual(mailTarget(twoDomains(), 'shop+x', 'one.org'), {
      type: 'account',
      accountId: 2,
      mailbox: 'Inbox',
    });
  });

  it('is unknown for strange domains and for addresses of nobody', () => {
    assert.equal(mailTarget(twoDomains(), 'shop', 'three.org').type, 'unknown-domain');
    assert.equal(mailTarget(twoDomains(), 'nobody', 'one.org').type, 'unknown-address');
    assert.equal(mailTarget(twoDomains(), 'nobody', '').type, 'unknown-address');
  });

  it('is the first account for a postmaster that nobody else is', () => {
    for (const domain of ['one.org', '']) {
      assert.deepEqual(mailTarget(twoDomains(), 'PostMaster', domain), {
        type: 'account',
        accountId: 1,
        mailbox: 'Inbox',
      });
    }
    assert.equal(mailTarget(emptyDirectory(), 'postmaster', '').type, 'unknown-address');
  });
});

describe('mail to an alias', () => {
  it('is for each account once, whatever the case and the tag of the address', () => {
    const all = { ...TEAM, members: ['alice@one.org', 'alice2@one.org', 'Shop@two.org'] };
    for (const localpart of ['team', 'TEAM', 'team+x', 'team-y']) {
      assert.deepEqual(mailTarget(aliased(all), localpart, 'one.org'), {
        type: 'alias',
        members: [
          { accountId: ALICE, mailbox: 'Inbox' },
          { accountId: BOB, mailbox: 'Inbox' },
        ],
        postPublic: true,
      });
    }
  });

  it('is for everybody to write when it is the postmaster', () => {
    const closed = { ...TEAM, postPublic: false };
    const state = aliased(closed, { ...closed, localpart: 'postmaster' });
    assert.partialDeepStrictEqual(mailTarget(state, 'team', 'one.org'), { postPublic: false });
    for (const localpart of ['postmaster', 'Postmaster+x']) {
      assert.partialDeepStrictEqual(mailTarget(state, localpart, 'one.org'), { postPublic: true });
    }
  });

  it('smtp 41: is not for the catchall of the domain', () => {
    const state = aliased(TEAM, addressAdded('', BOB));
    assert.equal(mailTarget(state, 'team', 'one.org').type, 'alias');
    assert.partialDeepStrictEqual(mailTarget(state, 'alice', 'one.org'), { accountId: ALICE });
    assert.partialDeepStrictEqual(mailTarget(state, 'any', 'one.org'), { accountId: BOB });
  });
});

describe('mail from an alias', () => {
  const catchall = addressAdded('', BOB);

  it('smtp 37, 90: is for members to send, when the alias says so', () => {
    const open = aliased({ ...TEAM, allowMsgFrom: true }, catchall);
    assert.deepEqual(accountsBehind(open, 'Team+x', 'one.org'), [ALICE, BOB]);
    assert.deepEqual(accountsBehind(aliased(TEAM, catchall), 'team', 'one.org'), []);
    assert.deepEqual(accountsBehind(open, 'any', 'one.org'), [BOB]);
    assert.deepEqual(accountsBehind(open, 'any', 'three.org'), []);
  });

  it('is nobody’s to log in with', () => {
    const login = {
      type: 'AccountSettingsChanged',
      accountId: BOB,
      changes: { fromIdLogins: ['team+x@one.org'] },
    } as const;
    const state = aliased({ ...TEAM, allowMsgFrom: true }, catchall, login);
    assert.equal(accountOfLogin(state, 'team', 'one.org'), undefined);
    assert.equal(accountOfLogin(state, 'team+x', 'one.org'), undefined);
  });
});
