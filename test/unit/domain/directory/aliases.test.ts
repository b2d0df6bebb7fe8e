/** Aliases: who may be a member, and what is left when members go. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALIAS_MEMBERS_MAX, aliasesOf, aliasesWithout } from '#domain/directory/aliases';
import { decideDirectory, type DirectoryCommand } from '#domain/directory/decide';
import type { DirectoryEvent } from '#domain/directory/events';
import { evolveDirectory } from '#domain/directory/evolve';
import {
  emptyDirectory,
  type DirectoryRecords,
  type DirectoryState,
} from '#domain/directory/state';
import { APPEND_BYTES_MAX, APPEND_EVENTS_MAX, EVENT_BYTES_MAX } from '#domain/log/event-log';
import type { Address } from '#domain/values/address';
import type { Refusal } from '#domain/values/decision';

const ALICE = 1;
const BOB = 2;

function address(text: string): Address {
  const at = text.lastIndexOf('@');
  return { localpart: text.slice(0, at), domain: text.slice(at + 1) };
}

function addressAdded(text: string, accountId: number): DirectoryEvent {
  return { type: 'AddressAdded', ...address(text), accountId };
}

const OPTIONS = { postPublic: true, listMembers: false, allowMsgFrom: false };
const TEAM: DirectoryEvent = {
  type: 'AliasAdded',
  localpart: 'team',
  domain: 'one.org',
  members: ['alice@one.org', 'bob@one.org'],
  ...OPTIONS,
};

const ACCOUNTS: readonly DirectoryEvent[] = [
  { type: 'AccountAdded', accountId: ALICE, name: 'alice' },
  { type: 'AccountAdded', accountId: BOB, name: 'bob' },
  { type: 'DomainAdded', domain: 'one.org', catchallSeparator: '+-', caseSensitive: false },
  { type: 'DomainAdded', domain: 'two.org', catchallSeparator: '', caseSensitive: true },
  addressAdded('alice@one.org', ALICE),
  addressAdded('alice2@one.org', ALICE),
  addressAdded('bob@one.org', BOB),
  addressAdded('Bob@two.org', BOB),
];

function directory(...more: readonly DirectoryEvent[]): DirectoryRecords {
  return [...ACCOUNTS, ...more].reduce(evolveDirectory, emptyDirectory());
}

/** The events of a command, or its refusal. */
function outcome(
  command: DirectoryCommand,
  state: DirectoryState = directory(TEAM),
): readonly DirectoryEvent[] | Refusal {
  const decision = decideDirectory(command, state);
  return 'refused' in decision ? decision : decision.events;
}

function add(alias: string, ...members: readonly string[]): DirectoryCommand {
  return { type: 'AddAlias', alias: address(alias), members: members.map(address) };
}

function members(
  type: 'AddAliasMembers' | 'RemoveAliasMembers',
  ...given: readonly string[]
): DirectoryCommand {
  return { type, alias: address('team@one.org'), members: given.map(address) };
}

function changed(changes: object): readonly DirectoryEvent[] {
  return [{ type: 'AliasChanged', localpart: 'team', domain: 'one.org', changes }];
}

function joined(...given: readonly string[]): readonly DirectoryEvent[] {
  return [{ type: 'AliasMembersAdded', ...address('team@one.org'), members: given }];
}

function left(...given: readonly string[]): readonly DirectoryEvent[] {
  return [{ type: 'AliasMembersRemoved', ...address('team@one.org'), members: given }];
}

/** Octets of the largest event, and of all. */
function sizesOf(events: readonly DirectoryEvent[]): readonly [number, number] {
  const sizes = events.map((event) => Buffer.byteLength(JSON.stringify(event)));
  return [Math.max(...sizes), sizes.reduce((sum, size) => sum + size, 0)];
}

describe('an alias', () => {
  it('is added with its members as the directory writes them; everybody may write to it', () => {
    assert.deepEqual(outcome(add('Sales@one.org', 'ALICE@one.org', 'Bob@two.org')), [
      {
        type: 'AliasAdded',
        localpart: 'sales',
        domain: 'one.org',
        members: ['alice@one.org', 'Bob@two.org'],
        ...OPTIONS,
      },
    ]);
  });

  it('operations 37: has members, each once, and all of them are addresses of ours', () => {
    for (const [given, refused, detail] of [
      [[], 'LastAliasMember', undefined],
      [['x@other.example'], 'NoSuchAddress', 'x@other.example'],
      [['nobody@one.org'], 'NoSuchAddress', 'nobody@one.org'],
      [['bob@two.org'], 'NoSuchAddress', 'bob@two.org'],
      [['alice+x@one.org'], 'NoSuchAddress', 'alice+x@one.org'],
      [['team@one.org'], 'NoSuchAddress', 'team@one.org'],
      [['bob@one.org', 'BOB@one.org'], 'AliasMemberTwice', 'bob@one.org'],
    ] as const) {
      const refusal = outcome(add('sales@one.org', ...given));
      assert.deepEqual(refusal, { refused, ...(detail === undefined ? {} : { detail }) });
    }
    const catchall = directory(addressAdded('@one.org', ALICE));
    const refusal = outcome(add('sales@one.org', '@one.org'), catchall);
    assert.deepEqual(refusal, { refused: 'NoSuchAddress', detail: '@one.org' });
  });

  it('operations 37: is neither an address nor another alias, in a domain of ours', () => {
    for (const [alias, refused] of [
      ['ALICE@one.org', 'AddressTaken'],
      ['Team@one.org', 'AliasExists'],
      ['a+b@one.org', 'AddressForbidden'],
      ['a-b@one.org', 'AddressForbidden'],
      ['@one.org', 'AddressForbidden'],
      ['team@three.org', 'NoSuchDomain'],
    ] as const) {
      assert.equal((outcome(add(alias, 'alice@one.org')) as Refusal).refused, refused, alias);
    }
    const taken = outcome({ type: 'AddAddress', ...address('TEAM@one.org'), accountId: ALICE });
    assert.deepEqual(taken, { refused: 'AliasExists', detail: 'team@one.org' });
  });

  it('has as many members as can be delivered to', () => {
    const many = Array.from({ length: ALIAS_MEMBERS_MAX + 1 }, (_, i) => `m${i}@one.org`);
    const state = directory(...many.map((one) => addressAdded(one, ALICE)));
    const refusal = outcome(add('all@one.org', ...many), state);
    assert.deepEqual(refusal, { refused: 'TooManyAliasMembers' });
    assert.ok(!('refused' in outcome(add('all@one.org', ...many.slice(1)), state)));
  });

  it('is added, and gains and loses members, in events that fit', () => {
    const long = (i: number): string => `${String(i).padStart(3, '0')}${'m'.repeat(120)}@one.org`;
    const domain = `${'long.'.repeat(40)}one.org`;
    const many = Array.from({ length: ALIAS_MEMBERS_MAX }, (_, i) => long(i) + domain);
    const owned = many.map((one) => addressAdded(one, ALICE));
    const place = { type: 'DomainAdded', domain: `one.org${domain}` } as const;
    const state = directory(
      { ...place, catchallSeparator: '', caseSensitive: false },
      ...owned,
      TEAM,
    );
    const added = outcome(add('all@one.org', ...many), state) as readonly DirectoryEvent[];
    const [largest] = sizesOf(added);
    assert.ok(added.length > 1 && largest < EVENT_BYTES_MAX);
    const full = added.reduce(evolveDirectory, state);
    assert.deepEqual(full.aliases.get('all@one.org')?.members, many);
    const gone = { type: 'RemoveAliasMembers', alias: address('all@one.org') } as const;
    const removed = outcome({ ...gone, members: many.slice(1).map(address) }, full);
    assert.ok(!('refused' in removed) && removed.length === added.length);
    removed.reduce(evolveDirectory, full);
    assert.deepEqual(full.aliases.get('all@one.org')?.members, many.slice(0, 1));
  });

  it('is changed in what is really different', () => {
    const alias = address('TEAM@one.org');
    const change = (options: Partial<typeof OPTIONS>): DirectoryCommand => ({
      type: 'ChangeAlias',
      alias,
      options,
    });
    assert.deepEqual(outcome(change({ postPublic: false, listMembers: false })), [
      ...changed({ postPublic: false }),
    ]);
    assert.deepEqual(outcome(change({ postPublic: true })), []);
    assert.deepEqual(outcome(change({}), directory()), {
      refused: 'NoSuchAlias',
      detail: 'team@one.org',
    });
  });

  it('gains and loses members, but never the last one', () => {
    assert.deepEqual(
      outcome(members('AddAliasMembers', 'Alice2@one.org')),
      joined('alice2@one.org'),
    );
    assert.deepEqual(outcome(members('AddAliasMembers', 'bob@one.org')), {
      refused: 'AliasMemberTwice',
      detail: 'bob@one.org',
    });
    assert.deepEqual(outcome(members('RemoveAliasMembers', 'BOB@one.org')), left('bob@one.org'));
    assert.deepEqual(outcome(members('RemoveAliasMembers', 'alice2@one.org')), {
      refused: 'NotAliasMember',
      detail: 'alice2@one.org',
    });
    assert.deepEqual(outcome(members('RemoveAliasMembers', 'alice@one.org', 'bob@one.org')), {
      refused: 'LastAliasMember',
      detail: 'team@one.org',
    });
  });

  it('is removed, and its address can be given away', () => {
    const gone = { type: 'RemoveAlias', alias: address('Team@one.org') } as const;
    const events = outcome(gone);
    assert.deepEqual(events, [{ type: 'AliasRemoved', localpart: 'team', domain: 'one.org' }]);
    const state = directory(TEAM, ...(events as readonly DirectoryEvent[]));
    assert.deepEqual(aliasesOf(state, 'one.org'), []);
    assert.ok(!('refused' in outcome({ ...add('team@one.org', 'bob@one.org') }, state)));
  });
});

describe('addresses that are given up', () => {
  const solo: DirectoryEvent = { ...TEAM, localpart: 'solo', members: ['alice@one.org'] };

  it('operations 30: leave the aliases that they are members of', () => {
    const state = directory(TEAM, { ...TEAM, localpart: 'other', members: ['bob@one.org'] });
    assert.deepEqual(
      aliasesWithout(state, ['alice@one.org', 'alice2@one.org']),
      left('alice@one.org'),
    );
    assert.deepEqual(aliasesWithout(state, ['alice2@one.org']), []);
  });

  it('leave many large aliases in one append, or one after the other', () => {
    const many = Array.from({ length: ALIAS_MEMBERS_MAX }, (_, i) => `m${i}@one.org`);
    const aliases = (count: number): readonly DirectoryEvent[] =>
      Array.from({ length: count }, (_, i) => ({
        ...TEAM,
        localpart: `team${i}`,
        members: ['bob@one.org', ...many.slice(1)],
      }));
    const close = { type: 'CloseAccount', accountId: BOB } as const;
    const closed = outcome(close, directory(...aliases(APPEND_EVENTS_MAX - 1)));
    assert.ok(!('refused' in closed));
    assert.ok(sizesOf(closed)[1] < APPEND_BYTES_MAX);
    for (const command of [close, { type: 'RemoveAddress', ...address('bob@one.org') } as const]) {
      const refusal = outcome(command, directory(...aliases(APPEND_EVENTS_MAX)));
      assert.deepEqual(refusal, { refused: 'TooMuchAtOnce' });
    }
  });

  it('operations 30: are kept while they are the only member, and the alias is named', () => {
    assert.deepEqual(aliasesWithout(directory(TEAM, solo), ['alice@one.org']), {
      refused: 'LastAliasMember',
      detail: 'solo@one.org',
    });
    assert.deepEqual(aliasesWithout(directory(TEAM), ['alice@one.org', 'bob@one.org']), {
      refused: 'LastAliasMember',
      detail: 'team@one.org',
    });
  });
});

describe('what aliases need', () => {
  it('operations 30: an address that is the only member is not taken away, others leave', () => {
    const remove = { type: 'RemoveAddress', ...address('bob@one.org') } as const;
    const solo = { ...TEAM, localpart: 'solo', members: ['bob@one.org'] } as const;
    assert.deepEqual(outcome(remove, directory(TEAM, solo)), {
      refused: 'LastAliasMember',
      detail: 'solo@one.org',
    });
    assert.deepEqual(outcome(remove, directory(TEAM)), [
      ...left('bob@one.org'),
      { type: 'AddressRemoved', ...address('bob@one.org'), accountId: BOB },
    ]);
  });

  it('an account is not removed while it is the only member; it leaves the others', () => {
    const close = { type: 'CloseAccount', accountId: BOB } as const;
    const both = { ...TEAM, localpart: 'both', members: ['bob@one.org', 'Bob@two.org'] } as const;
    assert.deepEqual(outcome(close, directory(TEAM, both)), {
      refused: 'LastAliasMember',
      detail: 'both@one.org',
    });
    assert.deepEqual(outcome(close, directory(TEAM)), [
      ...left('bob@one.org'),
      { type: 'AccountClosed', accountId: BOB },
    ]);
  });

  it('operations 36: a domain is not removed while it has one', () => {
    const lone = { ...TEAM, domain: 'three.org' } as const;
    const rules = { catchallSeparator: '', caseSensitive: false } as const;
    const state = directory({ type: 'DomainAdded', domain: 'three.org', ...rules }, lone);
    assert.deepEqual(outcome({ type: 'RemoveDomain', domain: 'three.org' }, state), {
      refused: 'DomainInUse',
      detail: 'alias team@three.org',
    });
  });
});
