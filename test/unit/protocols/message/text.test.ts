/**
 * What is found in a message: in its fields, in the fields of its parts, in its texts.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { foldText } from '#protocols/message/fold';
import { MessageText, readTexts } from '#protocols/message/text';
import { mail, NESTED_MAIL } from '../../../support/mail.ts';

function textOf(octets: Buffer): MessageText {
  return new MessageText({ header: () => octets, whole: () => octets });
}

function has(octets: Buffer, text: string): { readonly body: boolean; readonly any: boolean } {
  const message = textOf(octets);
  const folded = foldText(text);
  return { body: message.bodyHas(folded), any: message.anythingHas(folded) };
}

const BOTH = { body: true, any: true };
const FIELDS_ONLY = { body: false, any: true };
const NOWHERE = { body: false, any: false };

const REPORT = mail(
  'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= from',
  '\there',
  'X-Empty:',
  'Content-Type: multipart/mixed; boundary=b',
  '',
  'Preamble.',
  '--b',
  'Content-Type: text/plain; charset=iso-8859-1',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  'Das Caf=E9 am Eck hat heute ge=',
  'schlossen',
  'bis morgen.',
  '--b',
  'Content-Type: text/html; charset=utf-8',
  'Content-Transfer-Encoding: base64',
  '',
  Buffer.from('<p>Das <b>Ca</b>f&eacute; <a href="https://x.example/y">hier</a></p>').toString(
    'base64',
  ),
  '--b',
  'Content-Type: application/pdf; name="=?utf-8?q?Rechnung_M=C3=A4rz=2Epdf?="',
  "Content-Disposition: attachment; filename*0*=utf-8''J%C3%A4hrlicher; filename*1*=%20Bericht.pdf",
  '',
  'secret',
  '--b',
  'Content-Type: message/delivery-status',
  '',
  'Final-Recipient: rfc822; nobody@example.org',
  '--b--',
);

describe('a message', () => {
  const cases: readonly (readonly [text: string, where: object, octets?: Buffer])[] = [
    ['GRÜSSE FROM HERE', FIELDS_ONLY],
    ['subject: grüße', FIELDS_ONLY],
    ['x-empty: ', FIELDS_ONLY],
    ['café am eck', BOTH],
    ['heute geschlossen bis MORGEN', BOTH],
    ['das café hier', BOTH],
    ['https://x.example/y', BOTH],
    ['<b>', NOWHERE],
    ['preamble', NOWHERE],
    ['rechnung märz.pdf', FIELDS_ONLY],
    ['jährlicher bericht.pdf', FIELDS_ONLY],
    ['charset=iso-8859-1', FIELDS_ONLY],
    ['nobody@example.org', BOTH],
    ['secret', NOWHERE],
    ['herecontent', NOWHERE],
    ['', BOTH],
    ['subject: inner', BOTH, NESTED_MAIL],
    ['what was sent', FIELDS_ONLY, NESTED_MAIL],
    ['content-type: text/html', FIELDS_ONLY, NESTED_MAIL],
    ['rich.', BOTH, NESTED_MAIL],
  ];
  for (const [text, where, octets = REPORT] of cases) {
    it(`is searched for ${JSON.stringify(text)}`, () => {
      assert.deepEqual(has(octets, text), where);
      const texts = readTexts(octets);
      assert.ok(texts !== undefined);
      const folded = foldText(text);
      const within = (list: readonly string[]): boolean => list.some((t) => t.includes(folded));
      const body = within(texts.texts);
      const any = body || within(texts.fields) || within(texts.partFields);
      assert.deepEqual({ body, any }, where, 'what an index gets says the same');
    });
  }

  it('is asked for a field by its name and in its value', () => {
    const text = textOf(REPORT);
    assert.ok(text.fieldHas('subject', 'grüsse'.normalize('NFKD')));
    assert.ok(text.fieldHas('x-empty', ''));
    assert.ok(!text.fieldHas('x-empty', 'x'));
    assert.ok(!text.fieldHas('x-missing', ''));
    assert.ok(!text.fieldHas('content-disposition', ''), 'that of a part is none of its own');
  });

  it('is asked for a field without a look at the rest', () => {
    const header = mail('Subject: a', 'X-B: c', '');
    const text = new MessageText({
      header: () => header,
      whole: () => assert.fail('the body is read'),
    });
    assert.ok(text.fieldHas('x-b', 'c'));
  });

  it('without a body, or without anything, says nothing', () => {
    assert.deepEqual(has(mail('Subject: a'), 'a'), FIELDS_ONLY);
    assert.deepEqual(has(Buffer.alloc(0), 'a'), NOWHERE);
  });
});

describe('an index', () => {
  it('does not get a message that says too much', () => {
    const header = mail('Subject: long', 'Content-Type: text/plain', '');
    const withText = (chars: number): Buffer =>
      Buffer.concat([header, Buffer.from('x'.repeat(chars))]);
    assert.ok(readTexts(withText(2_000_000)) !== undefined);
    assert.equal(readTexts(withText(2_200_000)), undefined);
    assert.equal(readTexts(withText(10_000_000)), undefined);
  });

  it('gets one with a large attachment', () => {
    const octets = Buffer.concat([
      mail('Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'words', '--b'),
      mail('Content-Type: application/zip', '', 'x'.repeat(10_000_000), '--b--'),
    ]);
    assert.deepEqual(readTexts(octets)?.texts, ['words']);
  });
});
