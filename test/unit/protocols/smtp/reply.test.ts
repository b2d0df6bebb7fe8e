/** Replies as they go over the wire. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '#domain/values/fault';
import {
  combinedReply,
  faultReply,
  formatReply,
  reply,
  submissionFaultReply,
} from '#protocols/smtp/reply';

test('one line, several lines, with and without an enhanced code', () => {
  assert.equal(formatReply(reply(250, '2.0.0', 'OK'), 'r1'), '250 2.0.0 OK\r\n');
  assert.equal(formatReply(reply(250, '', 'host', 'SIZE 1'), 'r1'), '250-host\r\n250 SIZE 1\r\n');
});

test('errors end with the receipt', () => {
  assert.equal(
    formatReply(reply(554, '5.3.0', 'one', 'two'), 'r1'),
    '554-5.3.0 one\r\n554 5.3.0 two (r1)\r\n',
  );
});

test('nothing that somebody else wrote can begin a line', () => {
  const text = formatReply(reply(525, '5.7.13', 'closed\r\n250 OK\u0000'), 'r1');
  assert.equal(text, '525 5.7.13 closed  250 OK  (r1)\r\n');
});

test('several refusals: the common one, or the worse of two', () => {
  const unknown = reply(550, '5.1.1', 'unknown');
  const full = reply(452, '4.2.2', 'full');
  assert.equal(combinedReply([unknown, unknown]), unknown);
  assert.deepEqual(combinedReply([full, unknown]), {
    ...reply(554, '5.3.0', '452 4.2.2 full', '550 5.1.1 unknown'),
  });
  const busy = reply(451, '4.3.0', 'busy');
  assert.equal(combinedReply([full, busy]).code, 451);
});

test('faults are temporary; only a body that is too large is not', () => {
  assert.equal(faultReply(new Fault('DiskFull', '')).code, 452);
  assert.equal(faultReply(new Fault('LogUnavailable', '')).code, 451);
  assert.equal(submissionFaultReply(new Fault('DiskFull', '')).code, 451);
  assert.equal(submissionFaultReply(new Fault('BodyTooLarge', '')).code, 552);
  assert.equal(faultReply(new Fault('BodyTooLarge', '')).code, 552);
});
