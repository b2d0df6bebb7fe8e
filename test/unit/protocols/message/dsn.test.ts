/** The notices that we write: what stands in them, and what nobody can put into them. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatNotice, type Notice, type NoticeRecipient } from '#protocols/message/dsn';
import { readStructure } from '#protocols/message/part';

const REMOTE = { host: 'mx.other.example', ip: '192.0.2.7' };
const HOUR_MS = 3_600_000;
const AT = Date.UTC(2026, 0, 2);

const RECIPIENT: NoticeRecipient = {
  recipient: 'x@other.example',
  reply: { code: 451, enhancedCode: '4.2.2', text: 'full' },
  remote: REMOTE,
  lastAttemptAt: AT,
};

const FAILED: Notice = {
  hostName: 'mail.example.org',
  token: 'token',
  at: AT,
  sender: 'alice@example.org',
  queuedAt: Date.UTC(2026, 0, 1),
  headerId: '<1@example.org>',
  utf8: false,
  outcome: { type: 'failed' },
  recipients: [RECIPIENT],
  originalHeader: 'From: alice@example.org\r\nSubject: \xe9\r\n',
};

const DELAYED: Notice = {
  ...FAILED,
  outcome: {
    type: 'delayed',
    nextAttemptsAt: [AT + 2 * HOUR_MS, AT + 6 * HOUR_MS, AT + 14 * HOUR_MS],
  },
};

function about(changes: Partial<NoticeRecipient>, notice: Notice = FAILED): Notice {
  return { ...notice, recipients: [{ ...RECIPIENT, ...changes }] };
}

function text(notice: Notice): string {
  return formatNotice(notice).toString('utf8');
}

/** Type and content of each part. */
function partsOf(notice: Notice): readonly (readonly [string, string])[] {
  const octets = formatNotice(notice);
  return readStructure(octets).children.map(({ contentType, bodyStart, bodyEnd }) => [
    `${contentType.type}/${contentType.subtype}`,
    octets.toString('utf8', bodyStart, bodyEnd),
  ]);
}

function typesOf(notice: Notice): readonly string[] {
  return partsOf(notice).map(([type]) => type);
}

function statusOf(notice: Notice): string {
  return partsOf(notice)[1]?.[1] ?? '';
}

describe('a notice', () => {
  it('is a letter of the postmaster about the original (smtp 103)', () => {
    const [head = ''] = text(FAILED).split('\r\n\r\n');
    assert.equal(
      head,
      [
        'From: <postmaster@mail.example.org>',
        'To: <alice@example.org>',
        'Subject: mail delivery failed',
        'Message-ID: <token@mail.example.org>',
        'References: <1@example.org>',
        'Date: Fri, 2 Jan 2026 00:00:00 +0000',
        'Auto-Submitted: auto-replied',
        'MIME-Version: 1.0',
        'Content-Type: multipart/report; report-type="delivery-status";',
        '\tboundary="=_token"',
      ].join('\r\n'),
    );
  });

  it('has three parts that say what they are', () => {
    assert.deepEqual(typesOf(FAILED), [
      'text/plain',
      'message/delivery-status',
      'text/rfc822-headers',
    ]);
    const { children } = readStructure(formatNotice(FAILED));
    assert.deepEqual(
      children.map(({ header }) => header.text.split('\r\n').slice(0, 2)),
      [
        ['Content-Type: text/plain; charset=us-ascii', 'Content-Transfer-Encoding: 7bit'],
        ['Content-Type: message/delivery-status', 'Content-Transfer-Encoding: 7bit'],
        ['Content-Type: text/rfc822-headers; charset=utf-8', 'Content-Transfer-Encoding: 8bit'],
      ],
    );
  });

  it('about a message from nobody goes to the postmaster, about one without id names none', () => {
    const notice = text({ ...FAILED, sender: '', headerId: '', domain: 'example.org' });
    assert.match(notice, /^From: <postmaster@example\.org>\r\nTo: <postmaster@example\.org>\r\n/);
    assert.doesNotMatch(notice, /References/);
  });

  it('quotes the header of the original, its 8-bit octets as UTF-8', () => {
    const latin1 = 'From: alice@example.org\r\nSubject: é\r\n';
    assert.equal(partsOf(FAILED)[2]?.[1], latin1);
    const utf8 = { ...FAILED, originalHeader: 'Subject: \xc3\xa9\r\n\r\n' };
    assert.equal(partsOf(utf8)[2]?.[1], 'Subject: é\r\n');
  });
});

describe('a notice of failure', () => {
  it('says so in the fields of the status (smtp 103, queue 2)', () => {
    assert.deepEqual(statusOf(FAILED).split('\r\n'), [
      'Reporting-MTA: dns; mail.example.org',
      'Arrival-Date: Thu, 1 Jan 2026 00:00:00 +0000',
      '',
      'Final-Recipient: rfc822;x@other.example',
      'Action: failed',
      'Status: 5.2.2 (full)',
      'Remote-MTA: dns;mx.other.example ([192.0.2.7])',
      'Diagnostic-Code: smtp; 451 4.2.2 full',
      'Last-Attempt-Date: Fri, 2 Jan 2026 00:00:00 +0000',
      '',
    ]);
  });

  it('has no answer to tell where there was none (queue 24)', () => {
    const reply = { code: 0, enhancedCode: '', text: 'delivery canceled by admin' };
    const status = statusOf(about({ reply }));
    assert.match(
      status,
      /\r\nStatus: 5\.0\.0 \(delivery canceled by admin\)\r\nLast-Attempt-Date: /,
    );
    assert.doesNotMatch(status, /Remote-MTA|Diagnostic-Code/);
    assert.match(text(about({ reply })), /\r\nThe last attempt ended so:\r\n\r\n {2}delivery can/);
  });

  it('tells all of an answer of several lines to people', () => {
    const reply = { code: 550, enhancedCode: '5.7.1', text: `first\nsecond ${'z'.repeat(2000)}` };
    const [told = '', status = ''] = partsOf(about({ reply })).map(([, content]) => content);
    assert.match(told, /was:\r\n\r\n {2}550 5\.7\.1 first\r\n {2}second z+\r\n/);
    assert.equal(told.split('z').length - 1, 2000);
    assert.match(status, /\r\nDiagnostic-Code: smtp; 550 5\.7\.1 first second z+\r\n/);
  });

  it('repeats the wish of its sender to wait (queue 31, smtp 100)', () => {
    const status = statusOf({ ...FAILED, futureRelease: 'for;5' });
    assert.match(status, /\r\nFuture-Release-Request: for;5\r\n\r\n/);
  });

  it('has a group for each of several recipients', () => {
    const second = { ...RECIPIENT, recipient: 'y@other.example' };
    const status = statusOf({ ...FAILED, recipients: [RECIPIENT, second] });
    assert.equal(status.split('\r\n\r\n').length, 3);
  });
});

describe('a notice of delay (queue 2, smtp 102)', () => {
  it('names the times at which it is tried again, and how long', () => {
    const [told = '', status = ''] = partsOf(DELAYED).map(([, content]) => content);
    const times = ['02:00:00', '06:00:00', '14:00:00'];
    for (const time of times) assert.ok(told.includes(`\r\n  Fri, 2 Jan 2026 ${time} +0000\r\n`));
    assert.match(status, /\r\nAction: delayed\r\nStatus: 4\.2\.2 \(full\)\r\n/);
    assert.match(status, /\r\nWill-Retry-Until: Fri, 2 Jan 2026 14:00:00 \+0000\r\n$/);
    assert.match(text(DELAYED), /^Subject: mail delivery delayed\r$/m);
  });
});

describe('addresses of recipients (queue 33)', () => {
  const cases = [
    ['a+b@x.example', false, String.raw`rfc822;a\x{2b}b@x.example`],
    ['a=b\\@x.example', false, String.raw`rfc822;a\x{3d}b\x{5c}@x.example`],
    ['"a b"@x.example', false, String.raw`rfc822;"a\x{20}b"@x.example`],
    ['ü@x.example', false, String.raw`utf-8;\x{fc}@x.example`],
    ['ü+b@x.example', true, 'utf-8;ü+b@x.example'],
    ['ü\r\n@x.example', true, String.raw`utf-8;ü\x{d}\x{a}@x.example`],
  ] as const;
  for (const [recipient, utf8, written] of cases) {
    it(`${JSON.stringify(recipient)} is ${written}`, () => {
      const status = statusOf({ ...about({ recipient }), utf8 });
      assert.ok(status.includes(`\r\nFinal-Recipient: ${written}\r\n`), status);
    });
  }

  it('are in UTF-8 in parts that say so', () => {
    const recipient = 'ü@x.example';
    assert.deepEqual(typesOf({ ...about({ recipient }), utf8: true }), [
      'text/plain',
      'message/global-delivery-status',
      'message/global-headers',
    ]);
  });
});

describe('what others wrote', () => {
  it('is one comment, whatever parentheses it has', () => {
    const reply = { code: 550, enhancedCode: 'x\r\n', text: 'a) (b\\ ü' };
    assert.ok(
      statusOf(about({ reply })).includes(String.raw`Status: 5.0.0 (a\) \(b\\ \\x{fc})`),
      'escaped',
    );
  });

  it('never makes a line, a field or a part', () => {
    const hostile = fc
      .array(
        fc.oneof(
          fc.constantFrom('\r\n', '\n', '\r', '\r\n\r\n', '\0', '\u2028', '\x85', '(', ')', '\\'),
          fc.constantFrom('--=_token', '\r\n--=_token--\r\n', 'X: y', '>', '"', '\xff', 'ü'),
          fc.constant('z'.repeat(700)),
          fc.string({ unit: 'grapheme' }),
        ),
        { maxLength: 12 },
      )
      .map((pieces) => pieces.join(''));
    const shape = (notice: Notice): unknown => [
      typesOf(notice),
      readStructure(formatNotice(notice)).header.fields.map(({ name }) => name),
      statusOf(notice)
        .split('\r\n')
        .map((line) => line.split(':', 1)[0]),
    ];
    const plain = {
      failed: [shape(FAILED), shape({ ...FAILED, utf8: true })],
      delayed: [shape(DELAYED), shape({ ...DELAYED, utf8: true })],
    };
    fc.assert(
      fc.property(
        fc.constantFrom(FAILED, DELAYED),
        fc.boolean(),
        fc.tuple(hostile, hostile, hostile, hostile, hostile),
        (base, utf8, [sender, recipient, enhancedCode, said, host]) => {
          const reply = { code: 550, enhancedCode, text: said };
          const whole: Notice = {
            ...about({ recipient, reply, remote: { host, ip: said } }, base),
            utf8,
            sender: `a${sender}`,
            headerId: `<${sender}>`,
            originalHeader: Buffer.from(said, 'utf8').toString('latin1'),
          };
          const lines = formatNotice(whole).toString('latin1').split('\r\n');
          assert.ok(lines.every((line) => line.length <= 998 && !/[\r\n\0]/.test(line)));
          assert.deepEqual(shape(whole), plain[base.outcome.type][utf8 ? 1 : 0]);
          if (!utf8) assert.match(statusOf(whole), /^[\r\n -~]*$/);
        },
      ),
      { seed: 20260105, numRuns: 400 },
    );
  });
});
