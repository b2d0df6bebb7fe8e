/** Which transport takes a message (queue 15). */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { transportByRoute, type Route, type Routed } from '#domain/queue/route';

function route(transport: string, conditions: Partial<Route> = {}): Route {
  return { fromDomain: [], toDomain: [], minimumAttempts: 0, transport, ...conditions };
}

const MAIL: Routed = { fromDomain: 'localhost', toDomain: 'a.example.com', attempts: 0 };

describe('a route', () => {
  it('is asked for in the lists one after the other', () => {
    const lists = [[], [route('domain')], [route('global')]];
    assert.equal(transportByRoute(lists, MAIL), 'domain');
    assert.equal(transportByRoute([[route('account')], ...lists], MAIL), 'account');
    assert.equal(transportByRoute([[], []], MAIL), undefined);
  });

  it('may wait for attempts to be made', () => {
    const later = [[route('smarthost', { minimumAttempts: 3 })]];
    assert.equal(transportByRoute(later, { ...MAIL, attempts: 2 }), undefined);
    assert.equal(transportByRoute(later, { ...MAIL, attempts: 3 }), 'smarthost');
  });

  const patterns: readonly (readonly [string, string, boolean])[] = [
    ['.example.com', 'example.com', true],
    ['.example.com', 'a.example.com', true],
    ['.example.com', 'badexample.com', false],
    ['example.com', 'example.com', true],
    ['example.com', 'a.example.com', false],
    ['.', '', true],
    ['.', 'example.com', false],
  ];
  for (const [pattern, domain, isMatch] of patterns) {
    const name = domain === '' ? 'no domain' : domain;
    it(`to ${pattern} is ${isMatch ? '' : 'not '}for ${name}`, () => {
      const lists = [[route('t', { toDomain: ['other.example', pattern] })]];
      const found = transportByRoute(lists, { ...MAIL, toDomain: domain });
      assert.equal(found, isMatch ? 't' : undefined);
    });
  }

  it('needs the sender to match too', () => {
    const lists = [[route('t', { fromDomain: ['localhost'], toDomain: ['.example.com'] })]];
    assert.equal(transportByRoute(lists, MAIL), 't');
    assert.equal(transportByRoute(lists, { ...MAIL, fromDomain: 'other.example' }), undefined);
  });
});
