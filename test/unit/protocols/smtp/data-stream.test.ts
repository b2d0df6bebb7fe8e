/** The octets behind DATA: ends, dots, line ends, sizes, in one piece and in every cut. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DataDecoder, type DataFlaw } from '#protocols/smtp/data-stream';

interface Decoded {
  readonly message: string;
  readonly rest: string | undefined;
  readonly flaw: DataFlaw | undefined;
}

function decode(pieces: readonly string[], limitBytes = 1000): Decoded {
  const decoder = new DataDecoder(limitBytes);
  let message = '';
  let rest: string | undefined;
  for (const piece of pieces) {
    if (rest !== undefined) rest += piece;
    else message += decoder.push(Buffer.from(piece, 'latin1')).toString('latin1');
    rest ??= decoder.rest?.toString('latin1');
  }
  return { message, rest, flaw: decoder.flaw };
}

/** The same in one piece, octet by octet, and in two halves at every place. */
function check(input: string, expected: Partial<Decoded>): void {
  const cuts = [[input], [...input]];
  for (let i = 1; i < input.length; i++) cuts.push([input.slice(0, i), input.slice(i)]);
  for (const pieces of cuts) {
    const decoded = decode(pieces);
    assert.deepEqual({ ...decoded, ...expected }, decoded, JSON.stringify(pieces));
  }
}

test('only CRLF.CRLF ends the data', () => {
  check('a\r\n.\r\nQUIT\r\n', { message: 'a\r\n', rest: 'QUIT\r\n', flaw: undefined });
  check('.\r\n', { message: '', rest: '', flaw: undefined });
  check('\r\n.\r\n', { message: '\r\n', rest: '', flaw: undefined });
  check('a.\r\n', { message: 'a.\r\n', rest: undefined, flaw: undefined });
});

test('dots at the start of a line are taken out', () => {
  check('..x\r\n.\r\n', { message: '.x\r\n', rest: '' });
  check('..\r\n..\r\n.\r\n', { message: '.\r\n.\r\n', rest: '' });
  check('a\r\n.b\r\n...c\r\n.\r\n', { message: 'a\r\nb\r\n..c\r\n', rest: '' });
});

test('an ordinary bare LF becomes CRLF and begins no stuffed line', () => {
  check('a\nb\r\n.\r\n', { message: 'a\r\nb\r\n', rest: '', flaw: undefined });
  check('a\n..b\r\n.\r\n', { message: 'a\r\n..b\r\n', rest: '', flaw: undefined });
  check('\n\n\r\n.\r\n', { message: '\r\n\r\n\r\n', rest: '', flaw: undefined });
});

test('dot lines with a bare LF on either side are refused and end nothing', () => {
  for (const line of ['a\n.\r\n', 'a\r\n.\n', 'a\n.\n', '.\n']) {
    check(`${line}MAIL FROM:<x@y>\r\n.\r\nREST`, { rest: 'REST', flaw: 'line-ends' });
  }
  // The line ends in CRLF all the same.
  check('a\n.\r\n.\r\nREST', { rest: 'REST', flaw: 'line-ends' });
});

test('a bare CR anywhere is refused', () => {
  for (const line of [
    'a\rb\r\n',
    'a\r\r\n',
    '.\rb\r\n',
    '\r.\r\n',
    'a\r\n.\r\r\n',
    'a\n.\rb\r\n',
  ]) {
    check(`${line}\r\n.\r\nREST`, { rest: 'REST', flaw: 'line-ends' });
  }
});

test('one octet above the limit is too large, and the rest is still read', () => {
  assert.equal(decode(['12345678\r\n.\r\n'], 10).flaw, undefined);
  const decoded = decode(['123456789\r\n', 'more\r\n.\r\nQUIT'], 10);
  assert.deepEqual(decoded, { message: '', rest: 'QUIT', flaw: 'too-large' });
});

test('octets above 127 are noticed in clean and in rewritten lines', () => {
  for (const [input, eightBit] of [
    ['abc\r\n', false],
    ['ab\xe9\r\n', true],
    ['.ab\xe9\r\n', true],
    ['a\n.b\r\n', false],
  ] as const) {
    const decoder = new DataDecoder(1000);
    decoder.push(Buffer.from(input, 'latin1'));
    assert.equal(decoder.eightBit, eightBit, JSON.stringify(input));
  }
});

test('property: a stuffed message comes out as it was, however it is cut', () => {
  const line = fc.stringMatching(/^[.a\x20]{0,4}$/);
  const message = fc.array(line, { maxLength: 12 }).map((lines) => lines.map((l) => `${l}\r\n`));
  fc.assert(
    fc.property(message, fc.array(fc.nat(80), { maxLength: 6 }), (lines, cuts) => {
      const sent = `${lines.map((l) => (l.startsWith('.') ? `.${l}` : l)).join('')}.\r\nNEXT`;
      const places = [0, ...cuts.map((c) => Math.min(c, sent.length)), sent.length];
      places.sort((a, b) => a - b);
      const pieces = places.slice(1).map((end, i) => sent.slice(places[i], end));
      assert.deepEqual(decode(pieces), { message: lines.join(''), rest: 'NEXT', flaw: undefined });
    }),
    { numRuns: 300, seed: 1 },
  );
});

test('property: hostile octets never depend on the cut', () => {
  const hostile = fc.stringMatching(/^[.\r\na]{0,24}$/);
  fc.assert(
    fc.property(hostile, (input) => {
      const whole = decode([input]);
      const single = decode([...input]);
      assert.equal(single.flaw, whole.flaw);
      assert.equal(single.rest, whole.rest);
      if (whole.flaw === undefined) assert.equal(single.message, whole.message);
    }),
    { numRuns: 2000, seed: 2 },
  );
});
