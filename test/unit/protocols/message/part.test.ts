/**
 * The structure of messages, well-formed or not, by offsets.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { headerEnd, readStructure, type Part } from '#protocols/message/part';
import { mail, NESTED_MAIL, shown } from '../../../support/mail.ts';

/** Type, header, body and lines of a part and of the parts inside it. */
function outline(octets: Buffer, part: Part = readStructure(octets)): unknown {
  const { type, subtype } = part.contentType;
  const body = shown(octets.subarray(part.bodyStart, part.bodyEnd));
  const line = `${type}/${subtype} ${part.lines} ${body}`;
  return part.kind === 'leaf'
    ? line
    : [`${type}/${subtype} ${part.lines}`, ...part.children.map((child) => outline(octets, child))];
}

function check(name: string, octets: Buffer, expected: unknown): void {
  it(name, () => assert.deepEqual(outline(octets), expected));
}

describe('well-formed messages', () => {
  check('plain text', mail('A: 1', '', 'one', 'two'), 'text/plain 2 one|two|');
  check('nested multiparts and messages', NESTED_MAIL, [
    'multipart/mixed 34',
    'text/plain 0 Hello.',
    [
      'message/rfc822 14',
      ['multipart/alternative 10', 'text/plain 0 Plain.', 'text/html 1 <p>Rich.</p>|'],
    ],
    'application/octet-stream 1 AAEC|/w==',
  ]);
  check(
    'a digest, whose parts are messages',
    mail(
      'Content-Type: multipart/digest; boundary=b',
      '',
      '--b',
      '',
      'A: 1',
      '',
      'one',
      '--b',
      'Content-Type: text/html',
      '',
      'two',
      '--b--',
    ),
    ['multipart/digest 10', ['message/rfc822 2', 'text/plain 0 one'], 'text/html 0 two'],
  );
  check(
    'an empty part, and a boundary that begins like another',
    mail('Content-Type: multipart/mixed; boundary=b', '', '--b', '', '--bb', '--b', '--b--'),
    ['multipart/mixed 5', 'text/plain 0 --bb', 'text/plain 0 '],
  );
  check(
    'a message as an attachment, and one in UTF-8',
    mail(
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Type: message/rfc822',
      'Content-Disposition: attachment',
      '',
      'A: 1',
      '',
      'one',
      '--b',
      'Content-Type: message/global',
      '',
      'B: 2',
      '',
      'two',
      '--b--',
    ),
    [
      'multipart/mixed 14',
      ['message/rfc822 2', 'text/plain 0 one'],
      ['message/global 2', 'text/plain 0 two'],
    ],
  );
});

describe('malformed messages', () => {
  check('nothing', Buffer.alloc(0), 'text/plain 0 ');
  check('only a body', mail('', 'one'), 'text/plain 1 one|');
  check('only a header', mail('A: 1'), 'text/plain 0 ');
  check('bare line feeds', Buffer.from('A: 1\n\none\ntwo'), 'text/plain 1 one\ntwo');
  check(
    'no line end at the end, and NUL',
    Buffer.from('A: 1\r\n\r\n\0\xff', 'latin1'),
    'text/plain 0 \0\xff',
  );
  check('no boundary', mail('Content-Type: multipart/mixed', '', 'one'), [
    'multipart/mixed 1',
    'text/plain 1 one|',
  ]);
  check(
    'a boundary that never comes',
    mail('Content-Type: multipart/mixed; boundary=b', '', 'one', '--c'),
    ['multipart/mixed 2', 'text/plain 2 one|--c|'],
  );
  check(
    'no closing delimiter',
    mail('Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'one', '--b', '', 'two'),
    ['multipart/mixed 6', 'text/plain 0 one', 'text/plain 1 two|'],
  );
  check(
    'an inner multipart that the delimiter of the outer one ends',
    mail(
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Type: multipart/mixed; boundary=c',
      '',
      '--c',
      '',
      'one',
      '--b',
      '',
      'two',
      '--b--',
    ),
    ['multipart/mixed 10', ['multipart/mixed 2', 'text/plain 0 one'], 'text/plain 0 two'],
  );
  check(
    'an inner multipart with the boundary of the outer one',
    mail(
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      '',
      'one',
      '--b--',
      '--b',
      '',
      'two',
      '--b--',
    ),
    ['multipart/mixed 11', ['multipart/mixed 3', 'text/plain 0 one'], 'text/plain 0 two'],
  );
  check(
    'headers that a delimiter cuts off',
    mail(
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Type: text/html',
      '--b',
      'Content-Type: message/rfc822',
      '--b',
      '--b--',
    ),
    ['multipart/mixed 6', 'text/html 0 ', ['message/rfc822 0', 'text/plain 0 '], 'text/plain 0 '],
  );
  check(
    'empty lines of headers right before a delimiter',
    mail('Content-Type: multipart/digest; boundary=b', '', '--b', '', '', '--b', '', '--b--'),
    [
      'multipart/digest 6',
      ['message/rfc822 1', 'text/plain 0 '],
      ['message/rfc822 0', 'text/plain 0 '],
    ],
  );
  check('two octets', Buffer.from('xyz').subarray(1), 'text/plain 0 ');
  check('a type that is none', mail('Content-Type: nonsense', '', 'one'), 'text/plain 1 one|');
});

describe('messages without end', () => {
  it('are shown to a certain depth, as text below', () => {
    const levels = Array.from({ length: 5000 }, (_, level) => [
      `Content-Type: multipart/mixed; boundary=b${level}`,
      '',
      `--b${level}`,
    ]);
    let depth = 0;
    for (let part: Part | undefined = readStructure(mail(...levels.flat())); part !== undefined;) {
      depth++;
      part = part.children[0];
    }
    assert.equal(depth, 102);
  });

  it('have so many parts and no more: the last one holds the rest', () => {
    const octets = mail(
      'Content-Type: multipart/mixed; boundary=b',
      '',
      ...Array(30_000).fill('--b'),
    );
    const { children, bodyEnd } = readStructure(octets);
    assert.equal(children.length, 9999);
    assert.equal(children.at(-1)?.bodyEnd, bodyEnd);
  });

  it('have a header of any length, of which the beginning counts', () => {
    const octets = mail(
      'A: 1',
      `B: ${'x'.repeat(2_000_000)}`,
      'Content-Type: text/html',
      '',
      'one',
    );
    const part = readStructure(octets);
    assert.equal(part.contentType.subtype, 'plain');
    assert.equal(shown(octets.subarray(part.bodyStart, part.bodyEnd)), 'one|');
  });
});

it('the end of a header is found without the rest', () => {
  assert.equal(headerEnd(mail('A: 1', '', 'one')), 8);
  assert.equal(headerEnd(Buffer.from('\none')), 1);
  assert.equal(headerEnd(mail('A: 1')), 6);
  assert.equal(headerEnd(Buffer.alloc(0)), 0);
});
