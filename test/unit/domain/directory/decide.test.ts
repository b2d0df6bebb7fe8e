/** What the administrator may decide: names, uniqueness, references. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decideDirectory, type DirectoryCommand } from '#domain/directory/decide';
import type { DirectoryEvent, RouteScope } from '#domain/directory/events';
import type { AccountSettings } from '#domain/directory/settings';
import { evolveDirectory } from '#domain/directory/evolve';
import { emptyDirectory } from '#domain/directory/state';
import type { Route } from '#domain/queue/route';
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

describe('a TLS key', () => {
  const BOB: readonly DirectoryEvent[] = [
    { type: 'AccountAdded', accountId: 2, name: 'bob' },
    { ...ADDRESS, localpart: 'bob', accountId: 2 },
  ];
  const HISTORY = [DOMAIN, ACCOUNT, ADDRESS, { ...ADDRESS, localpart: 'second' }, ...BOB];
  const claim = {
    type: 'ClaimTlsKey',
    fingerprint: 'f1',
    accountId: 1,
    localpart: 'daybook',
    domain: 'example.org',
  } as const;
  const claimed: DirectoryEvent = { ...claim, type: 'TlsKeyClaimed' };
  const bobs = { ...claim, accountId: 2, localpart: 'bob' } as const;

  it('is claimed for one account, as one of its addresses', () => {
    assert.deepEqual(decisionAfter(HISTORY, { ...claim, localpart: 'DayBook' }), [claimed]);
    assert.equal(decisionAfter(HISTORY, { ...claim, localpart: 'nobody' }), 'NoSuchAddress');
    assert.equal(decisionAfter(HISTORY, { ...claim, domain: 'example.net' }), 'NoSuchAddress');
    assert.equal(decisionAfter(HISTORY, { ...claim, localpart: 'bob' }), 'AddressOfAnother');
  });

  it('53: is claimed again by the same account only', () => {
    assert.deepEqual(decisionAfter([...HISTORY, claimed], claim), []);
    assert.deepEqual(decisionAfter([...HISTORY, claimed], { ...claim, localpart: 'second' }), [
      { ...claimed, localpart: 'second' },
    ]);
    assert.equal(decisionAfter([...HISTORY, claimed], bobs), 'TlsKeyTaken');
  });

  it('goes over from an account that was seen to be without it, and from no other', () => {
    const taken: DirectoryEvent = { ...bobs, type: 'TlsKeyClaimed' };
    const takeOver = { ...bobs, insteadOf: 1 } as const;
    assert.deepEqual(decisionAfter([...HISTORY, claimed], takeOver), [taken]);
    const third = { ...bobs, insteadOf: 3 } as const;
    assert.equal(decisionAfter([...HISTORY, claimed], third), 'TlsKeyTaken');
    assert.equal(decisionAfter([...HISTORY, claimed, taken], claim), 'TlsKeyTaken');
  });

  it('is released by the account that has it', () => {
    const release = { type: 'ReleaseTlsKey', fingerprint: 'f1', accountId: 1 } as const;
    const released: DirectoryEvent = { type: 'TlsKeyReleased', fingerprint: 'f1' };
    assert.deepEqual(decisionAfter([...HISTORY, claimed], release), [released]);
    assert.deepEqual(decisionAfter([...HISTORY, claimed], { ...release, accountId: 2 }), []);
    assert.deepEqual(decisionAfter(HISTORY, release), []);
    assert.deepEqual(decisionAfter([...HISTORY, claimed, released], bobs), [
      { ...bobs, type: 'TlsKeyClaimed' },
    ]);
  });
});

describe('settings of an account', () => {
  const changed = (changes: Partial<AccountSettings>): DirectoryEvent => ({
    type: 'AccountSettingsChanged',
    accountId: 1,
    changes,
  });
  const change = (changes: Partial<AccountSettings>): DirectoryCommand => ({
    type: 'ChangeAccountSettings',
    accountId: 1,
    changes,
  });

  it('are recorded where they are others than before', () => {
    const wanted = { quotaBytes: 1000, keepRetiredMs: 0, hiddenCapabilities: ['IDLE'] };
    const { keepRetiredMs: _, ...recorded } = wanted;
    assert.deepEqual(decisionAfter([ACCOUNT], change(wanted)), [changed(recorded)]);
    assert.deepEqual(decisionAfter([ACCOUNT, changed(recorded)], change(wanted)), []);
  });

  it('need an account', () => {
    assert.equal(decisionAfter([], change({ quotaBytes: 1 })), 'NoSuchAccount');
  });

  it('say whom to call, by HTTP, of what there is to tell (webapi 40)', () => {
    const incomingWebhook = { url: 'http://127.0.0.1:8080/in', authorization: 'secret-1' };
    const outgoingWebhook = { ...incomingWebhook, events: ['failed' as const] };
    const wanted = { incomingWebhook, outgoingWebhook, keepRetiredHooksMs: 1 };
    assert.deepEqual(decisionAfter([ACCOUNT], change(wanted)), [changed(wanted)]);
    const bogus = 'bogus' as string as 'failed';
    const odd = { ...outgoingWebhook, events: [bogus] };
    assert.equal(decisionAfter([ACCOUNT], change({ outgoingWebhook: odd })), 'WebhookEventUnknown');
    for (const webhook of [{ url: 'mailto:x' }, { url: '' }]) {
      const forbidden = 'WebhookUrlForbidden';
      assert.equal(decisionAfter([ACCOUNT], change({ incomingWebhook: webhook })), forbidden);
      const outgoing = { ...webhook, events: [] };
      assert.equal(decisionAfter([ACCOUNT], change({ outgoingWebhook: outgoing })), forbidden);
    }
    const none = { incomingWebhook: null, outgoingWebhook: null };
    assert.deepEqual(decisionAfter([ACCOUNT, changed(wanted)], change(none)), [changed(none)]);
  });

  it('have no negative periods (webapi 40)', () => {
    for (const changes of [{ keepRetiredMs: -1 }, { keepRetiredHooksMs: -1 }]) {
      assert.equal(decisionAfter([ACCOUNT], change(changes)), 'PeriodNegative');
    }
  });
});

describe('a signing key', () => {
  const key = { name: 's1', algorithm: 'ed25519', secret: 'ref', publicKey: 'AAAA' } as const;
  const add = { type: 'AddDkimKey', domain: 'example.org', key } as const;
  const changed = (...keys: readonly (typeof key)[]): DirectoryEvent => ({
    type: 'DkimKeysChanged',
    domain: 'example.org',
    keys,
  });

  it('is added to those of its domain, under a selector of its own', () => {
    assert.deepEqual(decisionAfter([DOMAIN], add), [changed(key)]);
    assert.equal(decisionAfter([DOMAIN, changed(key)], add), 'DkimKeyExists');
    assert.equal(decisionAfter([], add), 'NoSuchDomain');
    for (const name of ['', 'a b', 'a_b', '-a', 'a.', 'A']) {
      const odd = { ...add, key: { ...key, name } };
      assert.equal(decisionAfter([DOMAIN], odd), 'DkimKeyForbidden', name);
    }
  });

  it('is removed by its selector', () => {
    const remove = { type: 'RemoveDkimKey', domain: 'example.org', name: 's1' } as const;
    assert.deepEqual(decisionAfter([DOMAIN, changed(key)], remove), [changed()]);
    assert.equal(decisionAfter([DOMAIN], remove), 'NoSuchDkimKey');
    assert.equal(decisionAfter([], remove), 'NoSuchDomain');
  });
});

describe('a hold rule', () => {
  const first: DirectoryEvent = { type: 'HoldRuleAdded', rule: { ruleId: 1, sender: 'a.example' } };
  const removed: DirectoryEvent = { type: 'HoldRuleRemoved', ruleId: 1 };

  it('gets the next number, also when the last one is gone', () => {
    assert.deepEqual(decisionAfter([], { type: 'AddHoldRule', rule: { sender: 'a.example' } }), [
      first,
    ]);
    const again = decisionAfter([first, removed], { type: 'AddHoldRule', rule: {} });
    assert.deepEqual(again, [{ type: 'HoldRuleAdded', rule: { ruleId: 2 } }]);
  });

  it('is there once', () => {
    const same = { type: 'AddHoldRule', rule: { sender: 'a.example' } } as const;
    assert.deepEqual(decisionAfter([first], same), []);
  });

  it('is for an account that exists', () => {
    const foreign = { type: 'AddHoldRule', rule: { accountId: 9 } } as const;
    assert.equal(decisionAfter([ACCOUNT], foreign), 'NoSuchAccount');
  });

  it('is removed by its number (queue 9)', () => {
    assert.deepEqual(decisionAfter([first], { type: 'RemoveHoldRule', ruleId: 1 }), [removed]);
    assert.equal(decisionAfter([first], { type: 'RemoveHoldRule', ruleId: 99 }), 'NoSuchHoldRule');
  });
});

describe('routes', () => {
  const routes = [
    { fromDomain: [], toDomain: ['.example.net'], minimumAttempts: 0, transport: 'smarthost' },
  ];
  const change = (...wrong: readonly Partial<Route>[]): DirectoryCommand => ({
    type: 'ChangeRoutes',
    scope: { type: 'global' },
    routes: [...routes, ...wrong.map((one) => ({ ...routes[0], ...one }) as Route)],
    transports: ['smarthost'],
  });

  it('are changed as a whole', () => {
    assert.deepEqual(decisionAfter([], change()), [
      { type: 'RoutesChanged', scope: { type: 'global' }, routes },
    ]);
  });

  it('lead to transports that there are, and name domains (queue 15)', () => {
    assert.equal(decisionAfter([], change({ transport: 'other' })), 'NoSuchTransport');
    assert.equal(decisionAfter([], change({ toDomain: ['bad domain'] })), 'DomainForbidden');
  });

  it('are of a domain or an account that exists', () => {
    const of = (scope: RouteScope): DirectoryCommand =>
      ({ ...change(), scope }) as DirectoryCommand;
    assert.equal(decisionAfter([], of({ type: 'domain', domain: 'x.example' })), 'NoSuchDomain');
    assert.equal(decisionAfter([], of({ type: 'account', accountId: 3 })), 'NoSuchAccount');
  });
});

describe('a domain that is disabled', () => {
  const disable = { type: 'DisableDomain', domain: 'example.org' } as const;
  const disabled: DirectoryEvent = { type: 'DomainDisabled', domain: 'example.org' };

  it('is so once, until it is enabled', () => {
    assert.deepEqual(decisionAfter([DOMAIN], disable), [disabled]);
    assert.deepEqual(decisionAfter([DOMAIN, disabled], disable), []);
    const enable = { ...disable, type: 'EnableDomain' } as const;
    const enabled = { ...disabled, type: 'DomainEnabled' };
    assert.deepEqual(decisionAfter([DOMAIN, disabled], enable), [enabled]);
    assert.equal(decisionAfter([], disable), 'NoSuchDomain');
  });
});

describe('delivery', () => {
  const pause = { type: 'PauseDelivery', reason: 'asked' } as const;
  const resume = { type: 'ResumeDelivery' } as const;
  const restored: DirectoryEvent = { type: 'DeliveryPaused', reason: 'restored' };
  const resumed: DirectoryEvent = { type: 'DeliveryResumed' };

  it('is paused once, for the first reason, until it is resumed', () => {
    assert.deepEqual(decisionAfter([], pause), [{ type: 'DeliveryPaused', reason: 'asked' }]);
    assert.deepEqual(decisionAfter([restored], pause), []);
    assert.equal([restored].reduce(evolveDirectory, emptyDirectory()).pausedFor, 'restored');
    assert.deepEqual(decisionAfter([restored], resume), [resumed]);
    assert.deepEqual(decisionAfter([restored, resumed], resume), []);
    assert.deepEqual(decisionAfter([], resume), []);
  });
});
