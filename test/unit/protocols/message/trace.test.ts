/**
 * Trace fields say how a message came, and cannot be broken by what a client says.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readHeader, valueOf } from '#protocols/message/header';
import {
  formatAuthenticated,
  formatDeliveredTo,
  formatReceived,
  formatReturnPath,
  type Received,
} from '#protocols/message/trace';

const RECEIVED: Received = {
  helo: 'mx.example.com',
  ip: '192.0.2.7',
  localIp: '2001:db8::1',
  by: 'mail.example.org',
  protocol: 'ESMTPS',
  receipt: 'r4e1pt',
  tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
  recipient: 'bob@example.org',
  at: Date.UTC(2026, 0, 2, 15, 4, 5),
};

describe('Received', () => {
  it('tells who, where, how, for whom and when', () => {
    const field = formatReceived(RECEIVED);
    assert.equal(
      valueOf(readHeader(field), 'received')?.replaceAll('\t', ' '),
      'from mx.example.com ([192.0.2.7]) by mail.example.org ([IPv6:2001:db8::1]) via tcp ' +
        'with ESMTPS id r4e1pt (TLS1.3 TLS_AES_256_GCM_SHA384) for <bob@example.org>; ' +
        'Fri, 2 Jan 2026 15:04:05 +0000',
    );
    assert.ok(field.split('\r\n').every((line) => line.length <= 78));
  });

  it('does not tell where our users are', () => {
    const { by, protocol, receipt, at } = RECEIVED;
    const field = formatReceived({
      by,
      protocol,
      receipt,
      at,
      tls: undefined,
      recipient: undefined,
    });
    assert.equal(
      valueOf(readHeader(field), 'received')?.replaceAll('\t', ' '),
      'from mail.example.org (submission) by mail.example.org via tcp with ESMTPS id r4e1pt; ' +
        'Fri, 2 Jan 2026 15:04:05 +0000',
    );
  });

  it('tells that TLS was asked for all the way', () => {
    const field = formatReceived({ ...RECEIVED, requireTls: true }).replace(/\s+/g, ' ');
    assert.match(field, /TLS_AES_256_GCM_SHA384\) \(requiretls\) for <bob@example\.org>;/);
  });

  it('shows IPv4 that came through an IPv6 socket as IPv4', () => {
    assert.match(formatReceived({ ...RECEIVED, ip: '::ffff:192.0.2.7' }), /\(\[192\.0\.2\.7\]\)/);
  });

  it('stays one field whatever the client says', () => {
    const evil = 'x\r\nBcc: a@b (;")\u0000<>\u2028é';
    const field = formatReceived({ ...RECEIVED, helo: evil, recipient: evil, receipt: evil });
    assert.equal(readHeader(field).fields.length, 1);
    assert.doesNotMatch(field, /\0|\u2028|[^\r]\n|\r[^\n]/);
    assert.ok(formatReceived({ ...RECEIVED, helo: 'x'.repeat(1e6) }).length < 1000);
    assert.match(formatReceived({ ...RECEIVED, helo: '' }), /from \? \(\[/);
  });
});

describe('Delivered-To and Return-Path', () => {
  it('hold the address', () => {
    assert.equal(formatDeliveredTo('"b b"@example.org'), 'Delivered-To: "b b"@example.org\r\n');
    assert.equal(formatReturnPath('ann@example.org'), 'Return-Path: <ann@example.org>\r\n');
  });

  it('know the null reverse-path', () => assert.equal(formatReturnPath(''), 'Return-Path: <>\r\n'));

  it('stay one field', () => {
    assert.equal(formatReturnPath('a\r\nTo: b@c'), 'Return-Path: <a??To: b@c>\r\n');
  });
});

describe('Authentication-Results of a submission', () => {
  it('says who it is from', () => {
    assert.equal(
      formatAuthenticated('mx.example.org', 'ann@example.org'),
      'Authentication-Results: mx.example.org; auth=pass\r\n\tsmtp.mailfrom=ann@example.org\r\n',
    );
  });

  it('says nothing of a null reverse-path', () => {
    const field = 'Authentication-Results: mx.example.org; auth=pass\r\n';
    assert.equal(formatAuthenticated('mx.example.org', ''), field);
  });
});
