/** Arguments of MAIL and RCPT. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePathCommand } from '#protocols/smtp/path';

function parsed(text: string): unknown {
  const command = parsePathCommand('FROM', text);
  if (typeof command === 'string') return command;
  const { localpart, domain } = command.path;
  return [localpart, domain, Object.fromEntries(command.parameters)];
}

test('paths and parameters', () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['FROM:<a@b.example>', ['a', 'b.example', {}]],
    ['from:<a@B.EXAMPLE>', ['a', 'b.example', {}]],
    ['FROM: <a@b.example>', ['a', 'b.example', {}]],
    ['FROM:<>', ['', '', {}]],
    [
      'FROM:<"a b"@b.example> size=10 Body=8BITMIME',
      ['a b', 'b.example', { SIZE: '10', BODY: '8BITMIME' }],
    ],
    ['FROM:<"a@b > c"@b.example> SMTPUTF8', ['a@b > c', 'b.example', { SMTPUTF8: '' }]],
    ['FROM:<@x.example,@y.example:a@b.example>', ['a', 'b.example', {}]],
    ['FROM:<a@xn--bcher-kva.example>', ['a', 'xn--bcher-kva.example', {}]],
    ['FROM:<a@bücher.example>', ['a', 'xn--bcher-kva.example', {}]],
    ['FROM:<a@[192.0.2.1]>', ['a', '[192.0.2.1]', {}]],
    ['FROM:<a@b.example>  X=1  Y=2 ', ['a', 'b.example', { X: '1', Y: '2' }]],
    ['FROM:<a@b.example> X=1 x=2', 'repeated-parameter'],
    ['FROM:<a@b.example> =1', 'syntax'],
    ['FROM:<a@b.example> X=', 'syntax'],
    ['FROM:<a@b.example>X=1', 'syntax'],
    ['FROM:a@b.example', 'syntax'],
    ['FROM <a@b.example>', 'syntax'],
    ['TO:<a@b.example>', 'syntax'],
    ['', 'syntax'],
  ];
  for (const [text, expected] of cases) assert.deepEqual(parsed(text), expected, text);
});

test('property: hostile text never throws', () => {
  const piece = fc.constantFrom(
    'FROM:',
    '<',
    '>',
    '@',
    ',',
    ':',
    '"',
    '\\',
    '[',
    ']',
    '.',
    'a',
    '=',
    ' ',
    'ü',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
      parsePathCommand('FROM', pieces.join(''));
      parsePathCommand('FROM', `FROM:<${pieces.join('')}`);
    }),
    { numRuns: 2000, seed: 3 },
  );
});
