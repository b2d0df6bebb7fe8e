/** The notice about a failed delivery. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBounce, type FailedDelivery } from '#protocols/smtp/bounce';
import { readStructure } from '#protocols/message/part';

const FAILED: FailedDelivery = {
  hostName: 'mail.example.org',
  token: 'token',
  at: Date.UTC(2026, 0, 2),
  queuedAt: Date.UTC(2026, 0, 1),
  sender: 'alice@example.org',
  recipient: 'x@other.example',
  headerId: '<1@example.org>',
  reply: { code: 451, enhancedCode: '4.2.2', text: 'full' },
  originalHeader: 'Subject: \xe9\r\n',
};

function text(changes: Partial<FailedDelivery> = {}): string {
  return formatBounce({ ...FAILED, ...changes }).toString('latin1');
}

test('three parts with explicit types', () => {
  const { children } = readStructure(formatBounce(FAILED));
  const types = children.map(({ contentType: { type, subtype } }) => `${type}/${subtype}`);
  assert.deepEqual(types, ['text/plain', 'message/delivery-status', 'text/rfc822-headers']);
});

test('what ran out of attempts has failed for good', () => {
  assert.match(text(), /\r\nStatus: 5\.2\.2\r\nDiagnostic-Code: smtp; 451 4\.2\.2 full\r\n/);
});

test('without an answer there is no diagnostic code', () => {
  const silent = text({ reply: { code: 0, enhancedCode: '', text: 'No answer.' } });
  assert.match(silent, /\r\nStatus: 5\.0\.0\r\nLast-Attempt-Date: Fri, 2 Jan 2026/);
});

test('no address and no answer can add a line or leave ASCII in the status part', () => {
  const hostile = text({
    recipient: 'ü\r\nX: y@other.example',
    headerId: '<1>\r\nX: y',
    reply: { code: 550, enhancedCode: '5.1.1', text: `no\r\nX: y ${'z'.repeat(3000)}` },
  });
  assert.match(
    hostile,
    /\r\nFinal-Recipient: rfc822; \\x\{FC\}\\x\{D\}\\x\{A\}X: y@other\.example\r\n/,
  );
  assert.doesNotMatch(hostile, /^X: y/m);
  assert.ok(
    hostile.split('\r\n').every((line) => line.length <= 998),
    'short lines',
  );
});
