/**
 * Header fields are found where they are, whatever stands between them.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  decodeWords,
  formatField,
  joinedValueOf,
  readHeader,
  valueOf,
} from '#protocols/message/header';

function fieldsOf(text: string): [string, string][] {
  const header = readHeader(text);
  return header.fields.map((field) => [field.name, text.slice(field.start, field.end)]);
}

describe('reading a header', () => {
  it('gives each field with its continuation lines', () => {
    assert.deepEqual(fieldsOf('A: 1\r\nB: 2\r\n\t3\r\n 4\r\nC:\r\n'), [
      ['a', 'A: 1\r\n'],
      ['b', 'B: 2\r\n\t3\r\n 4\r\n'],
      ['c', 'C:\r\n'],
    ]);
  });

  it('ends at the empty line', () => {
    assert.deepEqual(fieldsOf('A: 1\r\n\r\nB: 2\r\n'), [['a', 'A: 1\r\n']]);
    assert.deepEqual(fieldsOf('A: 1\n\nB: 2\n'), [['a', 'A: 1\n']]);
  });

  it('takes bare line feeds, a missing last line end and white space before the colon', () => {
    assert.deepEqual(fieldsOf('A : 1\nB: 2'), [
      ['a', 'A : 1\n'],
      ['b', 'B: 2'],
    ]);
  });

  it('keeps lines that are no fields, without a name', () => {
    assert.deepEqual(fieldsOf('From me today\r\nA: 1\r\n: x\r\nno colon\r\nB: 2\r\n'), [
      ['', 'From me today\r\n'],
      ['a', 'A: 1\r\n'],
      ['', ': x\r\n'],
      ['', 'no colon\r\n'],
      ['b', 'B: 2\r\n'],
    ]);
  });
});

describe('values', () => {
  const header = readHeader(
    'Subject: one\r\n two\r\nTo: a@x\r\nSUBJECT: three\r\nTo:\tb@x\r\nE:\r\n',
  );

  it('are unfolded and trimmed', () => assert.equal(valueOf(header, 'subject'), 'one two'));
  it('are those of the first field', () => assert.equal(valueOf(header, 'to'), 'a@x'));
  it('may be empty or missing', () => {
    assert.equal(valueOf(header, 'e'), '');
    assert.equal(valueOf(header, 'cc'), undefined);
  });
  it('keep all octets of the last character', () => {
    const octets = Buffer.from('Subject: \t voilà \r\n', 'utf8').toString('latin1');
    assert.equal(decodeWords(valueOf(readHeader(octets), 'subject') ?? ''), 'voilà');
  });
  it('are joined where a field repeats', () =>
    assert.equal(joinedValueOf(header, 'to'), 'a@x, b@x'));
});

describe('decoding words', () => {
  const check = (name: string, raw: string, decoded: string): void =>
    void it(name, () => assert.equal(decodeWords(raw), decoded));

  check('leaves plain text', 'Hello = you?', 'Hello = you?');
  check('reads both encodings', '=?utf-8?q?Gr=C3=BC=C3=9Fe?= =?utf-8?B?w6RiYw==?=', 'Grüßeäbc');
  check('joins a character cut in two', '=?utf-8?q?=C3?= =?utf-8?q?=A4?=', 'ä');
  check('knows other charsets', '=?iso-8859-1?q?Gr=FC=DFe?=', 'Grüße');
  check('reads raw octets as UTF-8', Buffer.from('Grüße').toString('latin1'), 'Grüße');
  check('reads raw octets that are no UTF-8 as latin1', 'Grüße', 'Grüße');
});

describe('writing a field', () => {
  it('folds between words', () => {
    const words = Array.from({ length: 20 }, (_, index) => `word-${index}`);
    const lines = formatField('Received', words).split('\r\n');
    assert.ok(lines.every((line) => line.length <= 78));
    assert.equal(lines.length, 4);
    assert.equal(valueOf(readHeader(lines.join('\r\n')), 'received')?.split(/\s/).length, 20);
  });

  it('does not fold before the first word', () => {
    assert.equal(formatField('A', ['x'.repeat(100)]), `A: ${'x'.repeat(100)}\r\n`);
  });
});
