/**
 * The first words of a message.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { mail, NESTED_MAIL } from '../../../support/mail.ts';
import { PREVIEW_CHARS, readPreview } from '#protocols/message/preview';

function ofText(...lines: readonly string[]): string {
  return readPreview(Buffer.from(['Subject: x', '', ...lines].join('\r\n')));
}

function ofHtml(...lines: readonly string[]): string {
  return readPreview(Buffer.from(['Content-Type: text/html', '', ...lines].join('\n')));
}

describe('the preview of a plain text', () => {
  it('is its words, in one line', () => {
    assert.equal(ofText('  Hello,', '', 'how\tare   you?', ''), 'Hello, how are you?');
  });

  it('leaves out what is quoted, and who said it', () => {
    const quoted = ['> Shall we?', '>> We should.', '> Then let us.'];
    assert.equal(
      ofText('On Monday, Bob <b@example.org> wrote:', '', ...quoted, '', 'Yes.', ...quoted, 'Bye'),
      'Yes. Bye',
    );
    assert.equal(ofText('On Monday, Bob', 'wrote:', ...quoted, 'Fine.'), 'Fine.');
    assert.equal(ofText('I want:', 'bread'), 'I want: bread');
  });

  it('ends where the signature or another message begins', () => {
    assert.equal(ofText('Yes.', '-- ', 'Ann, Managing Director'), 'Yes.');
    assert.equal(ofText('Yes.', '-----Original Message-----', 'From: Bob'), 'Yes.');
    assert.equal(ofText('Yes.', '________________________________', 'From: Bob'), 'Yes.');
    assert.equal(ofText('One -- two --', 'three'), 'One -- two -- three');
  });

  it('leaves out rules, controls and what has no width', () => {
    assert.equal(ofText('=====', 'Ti\u200btle\u0007', '*****', 'text'), 'Title text');
  });

  it('has at most so many characters, none of them halved', () => {
    assert.equal(ofText('😀'.repeat(500)), '😀'.repeat(PREVIEW_CHARS));
    assert.equal(ofText(`a${'😀'.repeat(500)}`), `a${'😀'.repeat(PREVIEW_CHARS - 1)}`);
    assert.equal(ofText('word '.repeat(100)), 'word '.repeat(40).trim());
  });

  it('is empty when there are no words', () => {
    assert.equal(ofText('> only this'), '');
    assert.equal(readPreview(Buffer.alloc(0)), '');
  });

  it('is decoded', () => {
    const message = mail(
      'Content-Type: text/plain; charset=iso-8859-1',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'Gr=FC=DFe aus=',
      ' M=FCnchen',
    );
    assert.equal(readPreview(message), 'Grüße aus München');
  });
});

describe('the preview of an HTML text', () => {
  it('is what its reader sees', () => {
    assert.equal(
      ofHtml(
        '<!DOCTYPE html><html><head><title>T</title><style>p { x: "<p>" }</style></head>',
        '<!-- nothing <b>here --><body><h1>Hello</h1><p>th<b>e</b>re &amp; &Uuml;ber&#33;</p>',
        '<script>if (a < b) "</p>"</script> 1 < 2',
      ),
      'Hello there & Über! 1 < 2',
    );
  });

  it('leaves out quotations and their introduction', () => {
    assert.equal(
      ofHtml(
        '<div>Yes.</div><div>On Monday, Bob wrote:<br></div>',
        '<blockquote>Shall <blockquote>we</blockquote>?</blockquote><p>Bye</p>',
      ),
      'Yes. Bye',
    );
  });

  it('bears what never ends', () => {
    assert.equal(ofHtml('text <p'), 'text');
    assert.equal(ofHtml('text <style>p {'), 'text');
    assert.equal(ofHtml('text <!-- and so on'), 'text');
    assert.equal(ofHtml('text <blockquote> said'), 'text');
  });
});

describe('of several parts', () => {
  it('the plain one is taken, unless it is empty', () => {
    const alternatives = (plain: string): Buffer =>
      mail(
        'Content-Type: multipart/alternative; boundary=b',
        '',
        '--b',
        'Content-Type: text/html',
        '',
        '<p>Rich</p>',
        '--b',
        '',
        plain,
        '--b--',
      );
    assert.equal(readPreview(alternatives('Plain')), 'Plain');
    assert.equal(readPreview(alternatives(' ')), 'Rich');
  });

  it('attachments and messages inside say nothing', () => {
    assert.equal(readPreview(NESTED_MAIL), 'Hello.');
    const attached = mail(
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Disposition: attachment; filename=a.txt',
      '',
      'attached',
      '--b',
      '',
      'said',
      '--b--',
    );
    assert.equal(readPreview(attached), 'said');
  });

  it('octets of any kind have one, short and without controls', () => {
    const pieces = [
      'Content-Type: text/html\n',
      '\n',
      '--b',
      '<p',
      '</style>',
      '&#x1f600;',
      '> ',
      ':\n',
    ];
    const octets = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc
        .array(fc.constantFrom(...pieces, 'words', '\u0000', 'ü'), { maxLength: 60 })
        .map((texts) => Buffer.from(texts.join(''))),
    );
    fc.assert(
      fc.property(octets, (message) => {
        const preview = readPreview(message);
        assert.ok(Array.from(preview).length <= PREVIEW_CHARS);
        assert.doesNotMatch(preview, /[\p{Cc}\p{Cs}]/u);
      }),
      { seed: 20260813, numRuns: 500 },
    );
  });

  it('time follows the size, whatever it is', () => {
    for (const evil of ['</style', '<style>', '<', '-- ', ': ', '&#', '<!--', '\n>', '\r ']) {
      const body = evil.repeat(Math.ceil(300_000 / evil.length));
      ofHtml(body);
      ofText(body);
    }
  });
});
