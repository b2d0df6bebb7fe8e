/**
 * What receivers hear about mail that came in, measured against a recorded call.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { incomingPayload, type IncomingMail } from '#protocols/webhook/payload-incoming';

const MAIL: IncomingMail = {
  messageId: 55,
  mailFrom: 'alt@localhost',
  mailFromValidated: true,
  msgFromValidated: true,
  rcptTo: 'MOX+nope@localhost',
  dkimDomains: [],
  ip: '127.0.0.1',
  receivedAt: Date.UTC(2026, 10, 22, 17, 38, 13, 370),
  mailbox: 'Inbox',
};

const LIST_MAIL = [
  'From: <alt@localhost>',
  'To: <mox@localhost>',
  'Subject: listmail',
  'Message-Id: <ls@dest.example>',
  'In-Reply-To: <irt@x>',
  'List-Id: <x>',
];

function payload(lines: readonly string[], changes: Partial<IncomingMail> = {}): string {
  const message = Buffer.from([...lines, '', 'list', ''].join('\r\n'));
  return incomingPayload(message, { ...MAIL, ...changes });
}

function fields(...given: Parameters<typeof payload>): Readonly<Record<string, unknown>> {
  return JSON.parse(payload(...given));
}

function isAutomated(...given: Parameters<typeof payload>): unknown {
  return Object(fields(...given)['Meta']).Automated;
}

describe('the payload about mail that came in', () => {
  it('has the names and the order that receivers know', () => {
    const expected =
      '{"Version":0,"From":[{"Name":"","Address":"alt@localhost"}],' +
      '"To":[{"Name":"","Address":"mox@localhost"}],"CC":[],"BCC":[],"ReplyTo":[],' +
      '"Subject":"listmail","MessageID":"<ls@dest.example>","InReplyTo":"<irt@x>",' +
      '"References":[],"Date":null,"Text":"list\\n","HTML":"","Structure":{' +
      '"ContentType":"text/plain","ContentTypeParams":{},"ContentID":"",' +
      '"ContentDisposition":"","Filename":"","DecodedSize":6,"Parts":[]},"Meta":{' +
      '"MsgID":55,"MailFrom":"alt@localhost","MailFromValidated":true,' +
      '"MsgFromValidated":true,"RcptTo":"MOX+nope@localhost","DKIMVerifiedDomains":[],' +
      '"RemoteIP":"127.0.0.1","Received":"2026-11-22T17:38:13.370Z","MailboxName":"Inbox",' +
      '"Automated":true}}';
    const escaped = expected.replace(/[<>]/g, (sign) => (sign === '<' ? '\\u003c' : '\\u003e'));
    assert.equal(payload(LIST_MAIL), escaped);
  });

  it('has its date in UTC', () => {
    const { Date: date } = fields(['Date: Sun, 22 Nov 2026 18:33:55 +0100']);
    assert.equal(date, '2026-11-22T17:33:55.000Z');
    assert.equal(fields(['Date: yesterday'])['Date'], null);
  });

  it('has its id in brackets, and references that can be compared', () => {
    const { MessageID, References } = fields([
      'Message-ID: a@b',
      'References: <A@B> nothing <c \t@d> <>',
      ' <no-id> <=?utf-8?q?e=40f?=>',
    ]);
    assert.equal(MessageID, '<a@b>');
    assert.deepEqual(References, ['<a@b>', '<c@d>', '<e@f>']);
    assert.equal(fields([])['MessageID'], '');
  });

  it('has domains in Unicode', () => {
    const changes = { mailFrom: 'a@xn--bcher-kva.example', rcptTo: '"a b"@[192.0.2.1]' };
    assert.partialDeepStrictEqual(fields([], changes)['Meta'], {
      MailFrom: 'a@bücher.example',
      RcptTo: '"a b"@[192.0.2.1]',
    });
  });

  it('webapi 34: says whether a program wrote it', () => {
    const automated: readonly Parameters<typeof payload>[] = [
      [['List-Id: x']],
      [['List-Unsubscribe: <mailto:a@b>']],
      [['List-Unsubscribe-Post: x']],
      [['Precedence: bulk']],
      [['Auto-Submitted: auto-replied (vacation)']],
      [['Content-Type: multipart/report; boundary=x']],
      [[], { mailFrom: '' }],
    ];
    for (const [lines, changes] of automated) {
      assert.equal(isAutomated(lines, changes), true, lines.join());
    }
    for (const lines of [[], ['List-Id:'], ['Auto-Submitted: No'], ['Auto-Submitted: no; x']]) {
      assert.equal(isAutomated(lines), false, JSON.stringify(lines));
    }
  });
});
