/** Whatever somebody sends as a report, reading it ends, and what is read is bounded and clean. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { readDeliveryReport } from '#protocols/message/dsn-read';

const RUNS = { seed: 20260106, numRuns: 2000 };

const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('\r\n', '\n', '\r\n\r\n', '\n \n', '\r\n--b\r\n') },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'Content-Type: message/delivery-status\r\n',
      'Content-Type: message/global-delivery-status\r\n\r\n',
      'Content-Type: text/rfc822-headers\r\n\r\n',
      'Content-Type: multipart/report; boundary=c\r\n\r\n--c\r\n',
      'Content-Transfer-Encoding: quoted-printable\r\n\r\n',
      'Final-Recipient: rfc822; ',
      'Original-Recipient: utf-8; ',
      'Action: failed',
      'Action: ',
      'Status: 5.1.1',
      'Diagnostic-Code: smtp; 550-5.1.1 ',
      'Remote-MTA: dns; ',
      'Reporting-MTA: ',
      'Message-ID: <',
      '\\x{a}',
      '=?utf-8?q?=0A=00?=',
    ),
  },
  fc.constantFrom('"', '(', ')', '\\', '<', '>', ';', ':', '@', ' ', '\0', '\xff', '--c--'),
  fc.string({ maxLength: 20 }),
);

const REPORT =
  'Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n';

const hostileReport = fc
  .tuple(
    fc.constantFrom(
      REPORT,
      `${REPORT}Content-Type: message/delivery-status\r\n\r\n`,
      `${REPORT}Content-Type: message/global-delivery-status\r\n\r\nFinal-Recipient: rfc822; `,
      'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n',
      '',
    ),
    fc.array(piece, { maxLength: 60, size: 'max' }),
  )
  .map(([head, pieces]) => Buffer.from(head + pieces.join(''), 'latin1'));

it('any octets are a report or none', () => {
  fc.assert(
    fc.property(hostileReport, (octets) => {
      const report = readDeliveryReport(octets);
      if (report === undefined) return;
      const { recipients, ...others } = report;
      assert.ok(recipients.length <= 1000);
      for (const text of [...recipients.flatMap(textsOf), ...textsOf(others)]) {
        assert.doesNotMatch(text, /[\u0000-\u001f\u007f]/);
        assert.ok(text.length <= 5000);
      }
      for (const { code, status, enhancedCode } of recipients) {
        assert.ok(code === 0 || (code >= 200 && code < 600));
        for (const text of [status, enhancedCode]) {
          assert.match(text, /^(?:[245]\.\d{1,3}\.\d{1,3})?$/);
        }
      }
    }),
    RUNS,
  );
});

function textsOf(told: object): readonly string[] {
  return Object.values(told).filter((value) => typeof value === 'string');
}

it('the cost follows the size', () => {
  const head = `${REPORT}Content-Type: message/delivery-status\r\n\r\n`;
  for (const repeated of [
    '(',
    '"',
    '\\',
    ' ',
    '\r\n ',
    '\n',
    'a:\n',
    'action:\n',
    '\\x{',
    '=?a?q?',
  ]) {
    const body = `Final-Recipient: rfc822;${repeated.repeat(1_000_000 / repeated.length)}`;
    const report = readDeliveryReport(Buffer.from(head + body, 'latin1'));
    assert.ok((report?.recipients.length ?? 0) > 0);
  }
});
