/**
 * ENVELOPE, BODY and BODYSTRUCTURE as clients read them.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatStructure, type StructureWire } from '#protocols/imap/body-structure';
import { readStructure } from '#protocols/message/part';
import { mail, NESTED_MAIL } from '../../../support/mail.ts';

function wireOf(octets: Buffer): StructureWire {
  return formatStructure(readStructure(octets));
}

describe('ENVELOPE', () => {
  const check = (name: string, lines: string[], expected: string): void =>
    void it(name, () => assert.equal(wireOf(mail(...lines, '')).envelope, expected));

  check(
    'has all of its fields',
    [
      'Date: Fri, 2 Jan 2026 15:04:05 +0100',
      'Subject: =?utf-8?q?a?=',
      ' "b"',
      'From: Ann <ann@x.org>',
      'Sender: s@x.org',
      'Reply-To: r@x.org',
      'To: "T, T" <t@x.org>, Us: u@x.org;',
      'Cc: c@x.org',
      'Bcc: b@x.org',
      'In-Reply-To: <1@x.org> <2@x.org>',
      'Message-ID: <3@x.org>',
    ],
    '("Fri, 2 Jan 2026 15:04:05 +0100" "=?utf-8?q?a?= \\"b\\"" (("Ann" NIL "ann" "x.org")) ' +
      '((NIL NIL "s" "x.org")) ((NIL NIL "r" "x.org")) (("T, T" NIL "t" "x.org")' +
      '(NIL NIL "Us" NIL)(NIL NIL "u" "x.org")(NIL NIL NIL NIL)) ((NIL NIL "c" "x.org")) ' +
      '((NIL NIL "b" "x.org")) "<1@x.org> <2@x.org>" "<3@x.org>")',
  );
  check('is NIL where fields are missing', [], '(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)');
  check(
    'takes From for an empty Sender, and tells empty from missing',
    ['Subject:', 'From: a@x', 'Sender: ', 'To:', 'Message-ID:'],
    '(NIL "" ((NIL NIL "a" "x")) ((NIL NIL "a" "x")) ((NIL NIL "a" "x")) NIL NIL NIL NIL "")',
  );
  check(
    'joins a field that stands there twice',
    ['From: a@x', 'From: b@x'],
    `(NIL NIL ${'((NIL NIL "a" "x")(NIL NIL "b" "x")) '.repeat(3)}NIL NIL NIL NIL NIL)`,
  );
  check(
    'sends 8-bit octets and line ends as literals that count octets',
    ['Subject: Gr\xc3\xbc\xdfe', 'Message-ID: a\rb\0c'],
    `(NIL {6}\r\nGr\xc3\xbc\xdfe${' NIL'.repeat(7)} {5}\r\na\rb?c)`,
  );

  it('sends long strings as literals', () => {
    assert.match(wireOf(mail(`Subject: ${'x'.repeat(2000)}`)).envelope, /^\(NIL \{2000\}\r\nxxx/);
  });

  it('stops at some number of addresses', () => {
    const { envelope } = wireOf(mail(`To: ${'a@x,'.repeat(20_000)}`, 'Cc: c@x'));
    assert.equal(envelope.split('"a"').length - 1, 10_000);
  });
});

describe('BODY and BODYSTRUCTURE', () => {
  const check = (
    name: string,
    octets: Buffer,
    { body, bodyStructure }: Omit<StructureWire, 'envelope'>,
  ): void =>
    void it(name, () => {
      assert.equal(wireOf(octets).body, body);
      assert.equal(wireOf(octets).bodyStructure, bodyStructure);
    });

  check('of a message that says nothing of itself', mail('', 'one', 'two'), {
    body: '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 2)',
    bodyStructure: '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 2 NIL NIL NIL NIL)',
  });

  check(
    'of a leaf with everything',
    mail(
      'Content-Type: image/png; name="a\\"b.png"',
      'Content-Transfer-Encoding: Base64',
      'Content-ID: <1@x>',
      'Content-Description: a picture',
      'Content-MD5: Q2hlY2s=',
      "Content-Disposition: inline; filename*0*=utf-8''%C3%A4; filename*1=.png",
      'Content-Language: de',
      'Content-Location: http://example.org/',
      ' a.png',
      '',
      'AAAA',
    ),
    {
      body: '("image" "png" ("name" "a\\"b.png") "<1@x>" "a picture" "base64" 6)',
      bodyStructure:
        '("image" "png" ("name" "a\\"b.png") "<1@x>" "a picture" "base64" 6 "Q2hlY2s=" ' +
        '("inline" ("filename*" "utf-8\'\'%C3%A4.png")) ("de") "http://example.org/a.png")',
    },
  );

  const inner =
    '(NIL "inner" ((NIL NIL "bob" "example.org")) ((NIL NIL "bob" "example.org")) ' +
    '((NIL NIL "bob" "example.org")) NIL NIL NIL NIL NIL)';
  const noExtension = 'NIL NIL NIL NIL';
  const plain = '"text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 6 0';
  const html = '"text" "html" NIL NIL NIL "7bit" 14 1';
  const data =
    '"application" "octet-stream" ("name" "data.bin") "<data@example.org>" NIL "base64" 10';
  const message = '"message" "rfc822" NIL NIL "what was sent" "7bit" 211';
  check('of messages inside messages', NESTED_MAIL, {
    body:
      '(("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 6 0)' +
      `(${message} ${inner} ((${plain})(${html}) "alternative") 14)(${data}) "mixed")`,
    bodyStructure:
      `(("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 6 0 ${noExtension})` +
      `(${message} ${inner} ((${plain} ${noExtension})(${html} NIL NIL ("en" "fr") NIL) ` +
      `"alternative" ("boundary" "inner") NIL NIL NIL) 14 ${noExtension})` +
      `(${data} NIL ("attachment" ("filename" "data.bin")) NIL NIL) ` +
      '"mixed" ("boundary" "outer one") NIL NIL NIL)',
  });

  it('of a multipart without parts has one all the same', () => {
    assert.equal(
      wireOf(mail('Content-Type: multipart/mixed', '', 'x')).body,
      '(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 1) "mixed")',
    );
  });
});
