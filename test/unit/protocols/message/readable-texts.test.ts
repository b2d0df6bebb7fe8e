/**
 * What a message says to its reader, for programs.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readStructure } from '#protocols/message/part';
import {
  READABLE_BYTES_MAX,
  readableTexts,
  type ReadableTexts,
} from '#protocols/message/readable-texts';

function textsOf(...lines: readonly string[]): ReadableTexts {
  return textsIn(Buffer.from(lines.join('\r\n')));
}

function textsIn(message: Buffer): ReadableTexts {
  return readableTexts(message, readStructure(message));
}

/** A part with its fields. */
function part(type: string, ...body: readonly string[]): readonly string[] {
  return [`Content-Type: ${type}`, '', ...body];
}

let boundaries = 0;

function multipart(subtype: string, ...parts: readonly (readonly string[])[]): readonly string[] {
  const boundary = `b${boundaries++}`;
  return [
    `Content-Type: multipart/${subtype}; boundary=${boundary}`,
    '',
    ...parts.flatMap((lines) => [`--${boundary}`, ...lines]),
    `--${boundary}--`,
  ];
}

const PLAIN = part('text/plain', 'plain');
const HTML = part('text/html', '<b>html</b>');
const PICTURE = part('image/png', 'picture');

describe('the texts of a message', () => {
  it('are the message itself when it is a text', () => {
    assert.deepEqual(textsOf('Subject: x', '', 'a', 'b', ''), { text: 'a\nb\n', html: '' });
    assert.deepEqual(textsOf(...PLAIN), { text: 'plain', html: '' });
    assert.deepEqual(textsOf(...HTML), { text: '', html: '<b>html</b>' });
    assert.deepEqual(textsOf(...PICTURE), { text: '', html: '' });
  });

  it('are both forms of a choice, the last of each', () => {
    const both = { text: 'plain', html: '<b>html</b>' };
    assert.deepEqual(textsOf(...multipart('alternative', PLAIN, HTML)), both);
    const first = part('text/plain', 'first');
    assert.deepEqual(textsOf(...multipart('alternative', first, PLAIN, PICTURE, HTML)), both);
    assert.deepEqual(textsOf(...multipart('alternative', PICTURE, HTML)), { ...both, text: '' });
  });

  it('are the first text of other multiparts', () => {
    assert.deepEqual(textsOf(...multipart('mixed', PICTURE, HTML, PLAIN)), {
      text: '',
      html: '<b>html</b>',
    });
    assert.equal(textsOf(...multipart('mixed', PLAIN, HTML)).html, '');
  });

  it('are looked for deeper where there is none', () => {
    const choice = multipart('alternative', PLAIN, HTML);
    const both = { text: 'plain', html: '<b>html</b>' };
    assert.deepEqual(textsOf(...multipart('related', choice, PICTURE)), both);
    const empty = multipart('mixed', PICTURE);
    const deep = multipart('mixed', empty, multipart('related', choice));
    assert.deepEqual(textsOf(...deep), both);
    assert.deepEqual(textsOf(...multipart('mixed', choice, PLAIN)), { text: 'plain', html: '' });
  });

  it('are not those of attachments, unless there are no others', () => {
    const attached = ['Content-Disposition: attachment', ...part('text/plain', 'attached')];
    const choice = multipart('alternative', PLAIN, HTML);
    assert.equal(textsOf(...multipart('mixed', choice, attached)).text, 'plain');
    assert.equal(textsOf(...multipart('mixed', attached, PLAIN)).text, 'plain');
    assert.equal(textsOf(...multipart('mixed', PICTURE, attached)).text, 'attached');
  });

  it('are not those of a message inside', () => {
    const inside = part('message/rfc822', ...PLAIN);
    assert.deepEqual(textsOf(...multipart('mixed', inside)), { text: '', html: '' });
    assert.deepEqual(textsOf(...inside), { text: '', html: '' });
  });

  it('are decoded', () => {
    const fields = ['Content-Type: text/plain; charset=iso-8859-1'];
    const quoted = ['Content-Transfer-Encoding: quoted-printable', ...fields, '', 'k=E4se'];
    assert.equal(textsOf(...quoted).text, 'käse');
    const base64 = ['Content-Transfer-Encoding: base64', ...fields, '', '5OQK'];
    assert.equal(textsOf(...base64).text, 'ää\n');
  });

  it('webapi 16: have one MiB at most, counted before line ends become short', () => {
    const lines = textsIn(Buffer.from(`\r\n${'123456789\r\n'.repeat(150_000)}`));
    assert.equal(lines.text.length, 953_251);
    const wide = `\r\na${'€'.repeat(500_000)}`;
    const { text } = textsIn(Buffer.from(wide));
    assert.equal(Buffer.byteLength(text), READABLE_BYTES_MAX);
    const odd = textsIn(Buffer.from(`\r\n${'€'.repeat(500_000)}`));
    assert.equal(Buffer.byteLength(odd.text), READABLE_BYTES_MAX - 1);
    assert.doesNotMatch(odd.text, /\ufffd/);
  });
});
