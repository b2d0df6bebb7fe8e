/**
 * What a client gets for the sections that it names.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Section } from '#protocols/imap/words';
import { openSections, readExtents, sectionsOf } from '#protocols/message/section';
import { mail, NESTED_MAIL, shown } from '../../../support/mail.ts';

/** `1.2.HEADER.FIELDS (A B)` as a section. */
function sectionOf(text: string): Section {
  const [spec = '', fields] = text.split(' (');
  const part = /^[\d.]*\d/.exec(spec)?.[0].split('.').map(Number) ?? [];
  const name = spec.replace(/^[\d.]+/, '') as NonNullable<Section['text']> | '';
  return {
    part,
    ...(name === '' ? {} : { text: name }),
    ...(fields === undefined ? {} : { fields: fields.slice(0, -1).split(' ') }),
  };
}

function check(message: Buffer, text: string, expected: string | undefined): void {
  it(`[${text}]`, () => {
    assert.equal(shown(openSections(message).section(sectionOf(text))), expected);
  });
}

const SIMPLE = mail('From: a@x', 'Subject: one', ' two', 'X: 1', '', 'text');

describe('sections of a simple message', () => {
  check(SIMPLE, '', shown(SIMPLE));
  check(SIMPLE, 'HEADER', 'From: a@x|Subject: one| two|X: 1||');
  check(SIMPLE, 'TEXT', 'text|');
  check(SIMPLE, 'HEADER.FIELDS (SUBJECT x none)', 'Subject: one| two|X: 1||');
  check(SIMPLE, 'HEADER.FIELDS (none)', '|');
  check(SIMPLE, 'HEADER.FIELDS.NOT (Subject)', 'From: a@x|X: 1||');
  check(SIMPLE, '1', 'text|');
  check(SIMPLE, '1.MIME', 'From: a@x|Subject: one| two|X: 1||');
  check(SIMPLE, '1.HEADER', undefined);
  check(SIMPLE, '1.1', undefined);
  check(SIMPLE, '2', undefined);
});

describe('sections of a message in parts', () => {
  const inner =
    'From: bob@example.org|Subject: inner|Content-Type: multipart/alternative; boundary=inner||';
  const parts =
    '--inner||Plain.|--inner|Content-Type: text/html|Content-Language: en, fr||<p>Rich.</p>||' +
    '--inner--|Nor this.';
  check(NESTED_MAIL, '1', 'Hello.');
  check(NESTED_MAIL, '1.MIME', 'Content-Type: text/plain; charset=utf-8||');
  check(NESTED_MAIL, '1.TEXT', undefined);
  check(NESTED_MAIL, '2', inner + parts);
  check(NESTED_MAIL, '2.MIME', 'Content-Type: message/rfc822|Content-Description: what was sent||');
  check(NESTED_MAIL, '2.HEADER', inner);
  check(NESTED_MAIL, '2.HEADER.FIELDS (subject)', 'Subject: inner||');
  check(NESTED_MAIL, '2.TEXT', parts);
  check(NESTED_MAIL, '2.1', 'Plain.');
  check(NESTED_MAIL, '2.1.MIME', '|');
  check(NESTED_MAIL, '2.2', '<p>Rich.</p>|');
  check(NESTED_MAIL, '2.3', undefined);
  check(NESTED_MAIL, '2.1.1', undefined);
  check(NESTED_MAIL, '3', 'AAEC|/w==');
  check(NESTED_MAIL, '4', undefined);
});

describe('sections of a message that is nothing but a message', () => {
  const message = mail(
    'Content-Type: message/rfc822',
    '',
    'Subject: middle',
    'Content-Type: message/rfc822',
    '',
    'Subject: innermost',
    '',
    'text',
  );
  check(message, '1.HEADER', 'Subject: middle|Content-Type: message/rfc822||');
  check(message, '1.1', 'Subject: innermost||text|');
  check(message, '1.1.HEADER', 'Subject: innermost||');
  check(message, '1.1.1', 'text|');
  check(message, '1.1.1.1', undefined);
});

describe('the empty line behind a header that has none', () => {
  check(mail('A: 1'), 'HEADER', 'A: 1|');
  check(mail('A: 1'), 'HEADER.FIELDS (a)', 'A: 1||');
  check(mail('A: 1'), 'TEXT', '');
});

describe('binary', () => {
  const sections = openSections(NESTED_MAIL);

  it('is the part without its transfer encoding', () => {
    assert.deepEqual(sections.binary([3]), {
      type: 'octets',
      octets: Buffer.from([0, 1, 2, 255]),
    });
    assert.deepEqual(sections.binary([1]), { type: 'octets', octets: Buffer.from('Hello.') });
    assert.deepEqual(sections.binary([]), { type: 'octets', octets: NESTED_MAIL });
  });

  it('does not exist for a multipart, nor for a part that is not there', () => {
    const alternatives = openSections(
      mail('Content-Type: multipart/mixed; boundary=b', '', '--b', 'Content-Type: multipart/mixed'),
    );
    assert.deepEqual(alternatives.binary([1]), { type: 'multipart' });
    assert.equal(sections.binary([9]), undefined);
  });

  it('names the encoding that nobody knows', () => {
    const odd = openSections(mail('Content-Transfer-Encoding: X-Odd', '', 'text'));
    assert.deepEqual(odd.binary([1]), { type: 'unknown-encoding', encoding: 'x-odd' });
  });
});

describe('parts of a message whose extents are known', () => {
  const sections = sectionsOf({
    sizeBytes: NESTED_MAIL.length,
    header: () => assert.fail('the header is not read'),
    slice: (start, end) => NESTED_MAIL.subarray(start, end),
    extents: () => readExtents(NESTED_MAIL),
  });

  it('are cut without reading it', () => {
    const read = openSections(NESTED_MAIL);
    const texts = ['', '.MIME', '.HEADER', '.TEXT', '.HEADER.FIELDS (SUBJECT)'];
    for (const part of ['1', '2', '3', '4', '4.1', '4.2', '4.2.1', '4.2.2', '5', '9.9']) {
      for (const text of texts) {
        const section = sectionOf(`${part}${text}`);
        assert.deepEqual(sections.section(section), read.section(section), `${part}${text}`);
      }
      const numbers = part.split('.').map(Number);
      assert.deepEqual(sections.binary(numbers), read.binary(numbers), part);
    }
  });

  it('are nothing when the message is gone', () => {
    const gone = sectionsOf({
      sizeBytes: NESTED_MAIL.length,
      header: () => undefined,
      slice: () => undefined,
      extents: () => readExtents(NESTED_MAIL),
    });
    assert.equal(gone.section(sectionOf('1')), undefined);
    assert.equal(gone.section(sectionOf('HEADER')), undefined);
    assert.equal(gone.binary([1]), undefined);
    assert.equal(gone.binary([]), undefined);
  });
});
