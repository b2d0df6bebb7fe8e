/** What we understand of reports about deliveries, well made and as they are in the wild. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatNotice } from '#protocols/message/dsn';
import { readDeliveryReport, type ReportedRecipient } from '#protocols/message/dsn-read';

interface Made {
  readonly type?: string;
  readonly status?: readonly string[];
  readonly statusType?: string;
  readonly returned?: readonly string[];
}

const STATUS = [
  'Reporting-MTA: dns; mx.other.example',
  'Original-Envelope-Id: env1',
  '',
  'Final-Recipient: rfc822; x@other.example',
  'Action: failed',
  'Status: 5.1.1',
  'Remote-MTA: dns; in.other.example (192.0.2.1)',
  'Diagnostic-Code: smtp; 550 5.1.1 no such user',
];
const RETURNED = ['Content-Type: text/rfc822-headers', '', 'Message-ID: <1@example.org>', ''];

function report(made: Made = {}): Buffer {
  const {
    type = 'multipart/report; report-type=delivery-status; boundary=b',
    status = STATUS,
    statusType = 'message/delivery-status',
    returned = RETURNED,
  } = made;
  const lines = [
    'From: mailer-daemon@other.example',
    `Content-Type: ${type}`,
    '',
    '--b',
    '',
    'sorry',
    ...(status.length === 0 ? [] : ['--b', `Content-Type: ${statusType}`, '', ...status]),
    ...(returned.length === 0 ? [] : ['--b', ...returned]),
    '--b--',
    '',
  ];
  return Buffer.from(lines.join('\r\n'), 'utf8');
}

function recipients(made: Made): readonly ReportedRecipient[] {
  return readDeliveryReport(report(made))?.recipients ?? assert.fail('no report');
}

function only(made: Made): ReportedRecipient {
  const all = recipients(made);
  assert.equal(all.length, 1);
  return all[0] ?? assert.fail();
}

/** One recipient with these fields besides its name. */
function about(...fields: readonly string[]): ReportedRecipient {
  return only({ status: ['Reporting-MTA: dns; x', '', 'Final-Recipient: rfc822;a@b', ...fields] });
}

describe('a report', () => {
  it('tells of a recipient and of the original (webapi 32)', () => {
    assert.deepEqual(readDeliveryReport(report()), {
      reportingMta: 'mx.other.example',
      envelopeId: 'env1',
      recipients: [
        {
          finalRecipient: 'x@other.example',
          originalRecipient: '',
          action: 'failed',
          status: '5.1.1',
          code: 550,
          enhancedCode: '5.1.1',
          diagnostic: '550 5.1.1 no such user',
          remoteMta: 'in.other.example',
        },
      ],
      originalId: '<1@example.org>',
    });
  });

  it('is what we write ourselves', () => {
    for (const utf8 of [false, true]) {
      const octets = formatNotice({
        hostName: 'mail.example.org',
        token: 'token',
        at: 0,
        sender: 'alice@example.org',
        queuedAt: 0,
        headerId: '<1@example.org>',
        utf8,
        outcome: { type: 'delayed', nextAttemptsAt: [1000] },
        recipients: [
          {
            recipient: 'ü "(+)"@other.example',
            reply: { code: 450, enhancedCode: '4.2.0', text: 'busy (very) \\o/ ü' },
            remote: { host: 'mx.other.example', ip: '2001:db8::1' },
            lastAttemptAt: 0,
          },
        ],
        originalHeader: 'Message-ID: <1@example.org>\r\n',
      });
      const read = readDeliveryReport(octets);
      const recipient = read?.recipients[0];
      assert.equal(read?.recipients.length, 1);
      assert.equal(read?.originalId, '<1@example.org>');
      assert.equal(recipient?.finalRecipient, 'ü "(+)"@other.example');
      assert.equal(recipient?.action, 'delayed');
      assert.deepEqual([recipient?.code, recipient?.enhancedCode], [450, '4.2.0']);
      assert.equal(recipient?.remoteMta, 'mx.other.example');
    }
  });

  it('is no other multipart, no other report and no plain mail (webapi 33)', () => {
    for (const type of [
      'multipart/mixed; boundary=b',
      'multipart/report; report-type=disposition-notification; boundary=b',
      'multipart/report; boundary=b',
      'text/plain',
    ]) {
      assert.equal(readDeliveryReport(report({ type, status: [] })), undefined, type);
    }
  });

  it('may leave its type out, or be wrapped by a list', () => {
    const untyped = report({ type: 'multipart/report; boundary=b' });
    assert.equal(readDeliveryReport(untyped)?.recipients.length, 1);
    const head = 'Content-Type: multipart/mixed; boundary=l\r\n\r\n--l\r\n';
    const footer = '\r\n--l\r\n\r\nYou get this because\r\n--l--\r\n';
    const wrapped = Buffer.concat([Buffer.from(head), report(), Buffer.from(footer)]);
    assert.equal(readDeliveryReport(wrapped)?.recipients.length, 1);
  });

  it('that somebody forwards is not one', () => {
    const head = 'Content-Type: multipart/mixed; boundary=l\r\n\r\n--l\r\n\r\nlook\r\n--l\r\n';
    const attached = Buffer.from(`${head}Content-Type: message/rfc822\r\n\r\n`);
    const forwarded = Buffer.concat([attached, report(), Buffer.from('\r\n--l--\r\n')]);
    assert.equal(readDeliveryReport(forwarded), undefined);
  });

  it('without its parts says nothing, but is one', () => {
    const nothing = { reportingMta: '', envelopeId: '', recipients: [], originalId: '' };
    assert.deepEqual(readDeliveryReport(report({ status: [], returned: [] })), nothing);
  });

  it('may be encoded', () => {
    const encoded = Buffer.from(STATUS.join('\r\n')).toString('base64');
    const statusType = 'message/delivery-status\r\nContent-Transfer-Encoding: base64';
    assert.equal(only({ statusType, status: [encoded] }).code, 550);
  });

  it('may return the whole original', () => {
    for (const type of ['message/rfc822', 'message/global', 'message/global-headers']) {
      const returned = [`Content-Type: ${type}`, '', 'Message-Id: (x)', ' <2@x>', '', 'text'];
      assert.equal(readDeliveryReport(report({ returned }))?.originalId, '<2@x>', type);
    }
  });
});

describe('groups of recipients', () => {
  const first = ['Final-Recipient: rfc822;a@b', 'Original-Recipient: rfc822;a@b', 'Action: failed'];
  const second = [
    'Final-Recipient: rfc822;c@d',
    'Original-Recipient: rfc822;c@d',
    'Action: relayed',
  ];
  const layouts: Record<string, readonly string[]> = {
    'with empty lines between them': ['Reporting-MTA: dns; x', '', ...first, '', ...second],
    'without any': ['Reporting-MTA: dns; x', ...first, ...second],
    'with an empty line behind every field': [...first, ...second].flatMap((line) => [line, '']),
    'with many empty lines, and blanks in them': ['', ' ', '', ...first, '', '\t', '', ...second],
  };
  for (const [name, status] of Object.entries(layouts)) {
    it(`are told apart ${name}`, () => {
      const found = recipients({ status });
      assert.deepEqual(
        found.map(({ finalRecipient, originalRecipient, action }) => [
          finalRecipient,
          originalRecipient,
          action,
        ]),
        [
          ['a@b', 'a@b', 'failed'],
          ['c@d', 'c@d', 'relayed'],
        ],
      );
    });
  }

  it('that contradict themselves say nothing', () => {
    assert.equal(about('Action: failed', 'Action: delivered').action, undefined);
    assert.equal(about('Action: failed', 'Action: failed').action, 'failed');
  });

  it('are at most a thousand', () => {
    const status = Array.from({ length: 1500 }, (_, i) => `Final-Recipient: rfc822;${i}@b`);
    assert.equal(recipients({ status }).length, 1000);
  });
});

describe('actions (webapi 33)', () => {
  for (const action of ['failed', 'delayed', 'delivered', 'relayed', 'expanded']) {
    it(`${action} is one`, () => {
      assert.equal(about(`Action: ${action.toUpperCase()} (so it is)`).action, action);
    });
  }
  it('other words are none', () => {
    assert.equal(about('Action: weird').action, undefined);
    assert.equal(about().action, undefined);
  });
});

describe('codes (webapi 33)', () => {
  const cases = [
    [['Diagnostic-Code: smtp; 550 5.1.1 no'], 550, '5.1.1'],
    [['Diagnostic-Code: smtp;550-5.1.1 no 550 5.1.1 more'], 550, '5.1.1'],
    [['Diagnostic-Code: SMTP; 554 #5.7.1 no'], 554, '5.7.1'],
    [['Diagnostic-Code: smtp; 550 no', 'Status: 5.2.1'], 550, '5.2.1'],
    [['Diagnostic-Code: smtp; 450 no', 'Status: 5.2.1'], 450, ''],
    [['Diagnostic-Code: 552 5.2.2 full'], 552, '5.2.2'],
    [['Diagnostic-Code: x-unix; 550 no', 'Status: 5.2.2 (full)'], 500, '5.2.2'],
    [['Diagnostic-Code: smtp; 650 no', 'Status: 4.4.1'], 400, '4.4.1'],
    [['Diagnostic-Code: smtp; 5500 no'], 0, ''],
    [['Status: 2.0.0'], 0, ''],
    [['Status: 5.1'], 0, ''],
    [['Status: (5.1.1) what'], 0, ''],
    [[], 0, ''],
  ] as const;
  for (const [fields, code, enhancedCode] of cases) {
    it(`${JSON.stringify(fields)} say ${code} ${enhancedCode}`, () => {
      const read = about(...fields);
      assert.deepEqual([read.code, read.enhancedCode], [code, enhancedCode]);
    });
  }
});

describe('addresses', () => {
  const cases = [
    ['rfc822; a@b', 'a@b'],
    ['RFC822;<a@b> (comment (in) it)', 'a@b'],
    ['a@b', 'a@b'],
    [String.raw`rfc822;a\x{2b}b@x`, 'a+b@x'],
    [String.raw`utf-8;\x{FC}@x`, 'ü@x'],
    ['utf-8; ü@x', 'ü@x'],
    ['rfc822;"a(b"@x', '"a(b"@x'],
    [String.raw`rfc822;a\x{a}\x{d800}\x{110000}@x`, String.raw`a\x{a}\x{d800}\x{110000}@x`],
    ['x400; /c=us/', ''],
  ] as const;
  for (const [written, read] of cases) {
    it(`${written} is ${read === '' ? 'none' : read}`, () => {
      assert.equal(about(`Original-Recipient: ${written}`).originalRecipient, read);
    });
  }
});
