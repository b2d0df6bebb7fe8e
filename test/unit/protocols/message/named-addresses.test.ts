/**
 * Addresses of a field as programs get them.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHeader } from '#protocols/message/header';
import { namedAddresses } from '#protocols/message/named-addresses';

function from(value: string): readonly (readonly [string, string])[] {
  const text = Buffer.from(`From: ${value}\r\n\r\n`).toString('latin1');
  return namedAddresses(readHeader(text), 'from').map(({ Name, Address }) => [Name, Address]);
}

test('addresses are told with their names decoded and their domains in Unicode', () => {
  const cases = [
    ['ann@example.org', ['', 'ann@example.org']],
    ['=?utf-8?q?J=C3=BCrgen?= <j@example.org>', ['Jürgen', 'j@example.org']],
    ['"A \\"q\\"" <a@EXAMPLE.org>', ['A "q"', 'a@example.org']],
    ['Jürgen <j@xn--bcher-kva.example>', ['Jürgen', 'j@bücher.example']],
    ['"a b"@example.org', ['', '"a b"@example.org']],
    ['é@bücher.example', ['', 'é@bücher.example']],
  ] as const;
  for (const [value, address] of cases) assert.deepEqual(from(value), [address], value);
});

test('webapi 47: an address that is none is told as it is written', () => {
  assert.deepEqual(from('Ann <ann@-bad-.example>'), [['Ann', 'ann@-bad-.example']]);
  assert.deepEqual(from('undisclosed'), [['', 'undisclosed']]);
});

test('a group is told by its members', () => {
  assert.deepEqual(from('Us: ann@a.example, bob@b.example;, c@c.example'), [
    ['', 'ann@a.example'],
    ['', 'bob@b.example'],
    ['', 'c@c.example'],
  ]);
  assert.deepEqual(from('undisclosed-recipients:;'), []);
});
