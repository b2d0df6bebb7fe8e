/**
 * How messages name themselves and their ancestors.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readHeader } from '#protocols/message/header';
import { messageLinks, type MessageLinks } from '#protocols/message/message-ids';

function links(...lines: readonly string[]): MessageLinks {
  return messageLinks(readHeader(`${lines.join('\r\n')}\r\n\r\n`));
}

const keyOf = (id: string): string => links(`Message-ID: ${id}`).key;

describe('the key of a message', () => {
  it('is that of its id, wherever that stands', () => {
    const key = keyOf('<a@b>');
    assert.match(key, /^[A-Za-z0-9_-]{20}$/);
    for (const value of ['<a@b>', ' text <a@b> (comment)', '<a@\r\n b>', '<"a"@b>', '<"\\a"@b>']) {
      assert.equal(keyOf(value), key, value);
    }
    assert.notEqual(keyOf('<A@b>'), key);
  });

  it('is missing where there is no id', () => {
    for (const value of ['', 'a@b', '<>', '<ab>', '<a@b', '<a@b@c>', `<${'a'.repeat(1000)}@b>`]) {
      assert.equal(keyOf(value), '', value);
    }
    assert.equal(links('Subject: x').key, '');
  });
});

describe('the ancestors of a message', () => {
  const of = (...lines: readonly string[]): readonly string[] => links(...lines).references;

  it('are the ids of References, the oldest first', () => {
    assert.deepEqual(
      of('References: <a@x> <b@x>', ' <c@x>'),
      ['<a@x>', '<b@x>', '<c@x>'].map(keyOf),
    );
    assert.deepEqual(of('References: <a@x><a@x>,<b@x>'), ['<a@x>', '<b@x>'].map(keyOf));
  });

  it('are the first id of In-Reply-To where References has none', () => {
    assert.deepEqual(of('In-Reply-To: Your message of Friday <a@x> <b@x>'), [keyOf('<a@x>')]);
    assert.deepEqual(of('References: nothing', 'In-Reply-To: <a@x>'), [keyOf('<a@x>')]);
    assert.deepEqual(of('References: <c@x>', 'In-Reply-To: <a@x>'), [keyOf('<c@x>')]);
    assert.deepEqual(of('Subject: x'), []);
  });

  it('are the first and the latest of very many', () => {
    const ids = Array.from({ length: 500 }, (_, i) => `<${i}@x>`);
    const references = of(`References: ${ids.join(' ')}`);
    assert.deepEqual(references, ['<0@x>', ...ids.slice(-49)].map(keyOf));
  });

  it('are found in a field of any length', () => {
    assert.equal(of(`References: ${'<'.repeat(100_000)} <a@x>`).length, 1);
    assert.equal(of(`References: ${'<a@x>'.repeat(100_000)}`).length, 1);
  });
});
