/**
 * What programs write to sendmail, and what a server is given.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fakeClock, fakeRandom } from '../../../support/clock.ts';
import {
  addressesIn,
  composed,
  readGiven,
  recipientsIn,
  type Composed,
} from '#protocols/cli/sendmail-message';
import type { SubmissionSettings } from '#protocols/cli/submission';

const SETTINGS: SubmissionSettings = {
  hostName: 'host.example',
  host: 'mail.example.org',
  port: 465,
  tls: 'implicit',
  anyCertificate: false,
  login: 'me@example.org',
  password: 'secret',
  clientKey: undefined,
  mechanism: undefined,
  from: 'me@example.org',
  defaultDestination: undefined,
  requireTls: undefined,
};

function message(text: string, more: Partial<Composed> = {}): string {
  return composed(readGiven(Buffer.from(text)), {
    settings: SETTINGS,
    fromName: undefined,
    recipients: ['bob@example.org'],
    clock: fakeClock(),
    random: fakeRandom(),
    ...more,
  }).toString();
}

describe('a message from a program', () => {
  it('gets what it lacks, and the line ends of mail', () => {
    const text = message('Subject: hi\n\nline\n.\n');
    const lines = text.split('\r\n');
    const [from, to, date, id, ...rest] = lines;
    assert.deepEqual([from, to], ['From: me@example.org', 'To: bob@example.org']);
    assert.equal(date, 'Date: Thu, 1 Jan 2026 00:00:00 +0000');
    assert.match(id ?? '', /^Message-ID: <\S+@host\.example>$/);
    assert.deepEqual(rest, ['Subject: hi', '', 'line', '.', '']);
  });

  it('keeps what it has', () => {
    const given = 'To: a@b.example\nDate: today\nMessage-Id: <x@y>\nX: 1\n\tmore\n\nbody';
    const kept = 'To: a@b.example\r\nDate: today\r\nMessage-Id: <x@y>\r\nX: 1\r\n\tmore\r\n';
    assert.equal(message(given), `From: me@example.org\r\n${kept}\r\nbody`);
  });

  it('is from the configured address, whatever it says', () => {
    for (const [from, fromName, expected] of [
      ['root (Cron Daemon)', undefined, '"Cron Daemon" <me@example.org>'],
      ['"Root" <root@host>', undefined, '"Root" <me@example.org>'],
      ['=?utf-8?q?J=C3=BCrgen?= <j@x>', undefined, '=?utf-8?B?SsO8cmdlbg==?= <me@example.org>'],
      ['root@host', 'A "B" \\', '"A \\"B\\" \\\\" <me@example.org>'],
      ['root@host', 'x\r\nBcc: y@z', '"x Bcc: y@z" <me@example.org>'],
    ] as const) {
      const text = message(`From: ${from}\nTo: x@y\n\n`, { fromName });
      assert.ok(text.startsWith(`From: ${expected}\r\n`), text);
      assert.equal(text.match(/^From:/gm)?.length, 1);
    }
    const long = message('To: x@y\n\n', { fromName: '\u00fc'.repeat(60) });
    for (const line of long.split('\r\n')) assert.ok(line.length <= 100, line);
  });

  it('smtp 97: says nothing of hidden recipients', () => {
    const text = message('Bcc: secret@example.org,\n  other@example.org\nSubject: x\n\n');
    assert.ok(!text.includes('secret') && !text.includes('other'));
    assert.ok(text.includes('To: undisclosed-recipients:;\r\n'));
    assert.ok(message('Cc: a@b\n\n').includes('\r\nCc: a@b\r\n'));
  });

  it('may have no header, or no empty line behind it', () => {
    assert.match(message('just text\nand more\n'), /\r\n\r\njust text\r\nand more\r\n$/);
    assert.match(message('Subject: x\njust text: no\nmore\n'), /\r\nSubject: x\r\n\r\njust text/);
    assert.match(message('\nbody\n'), /\r\n\r\nbody\r\n$/);
    assert.match(message(''), /\r\n\r\n$/);
    assert.match(message('Subject: only'), /\r\nSubject: only\r\n\r\n$/);
    assert.match(
      message('From root Mon Jan  1 10:00\nSubject: x\n\ny'),
      /\r\nSubject: x\r\n\r\ny$/,
    );
  });

  it('keeps octets that are no text', () => {
    const octets = Buffer.from([0x53, 0x3a, 0xff, 0x0a, 0x0a, 0xfe, 0x00, 0x0a]);
    const text = composed(readGiven(octets), {
      settings: SETTINGS,
      fromName: undefined,
      recipients: [],
      clock: fakeClock(),
      random: fakeRandom(),
    });
    const end = Buffer.from([0x53, 0x3a, 0xff, 0x0d, 0x0a, 0x0d, 0x0a, 0xfe, 0x00, 0x0d, 0x0a]);
    assert.deepEqual(text.subarray(-end.length), end);
  });

  it('asks not to be held up for want of TLS, where that is configured', () => {
    const settings = { ...SETTINGS, requireTls: false };
    assert.ok(message('To: x@y\n\n', { settings }).includes('\r\nTLS-Required: No\r\n'));
    assert.ok(!message('To: x@y\n\n').includes('TLS-Required'));
  });
});

describe('recipients', () => {
  it('stand in To, Cc and Bcc', () => {
    const given = readGiven(
      Buffer.from(
        'To: Ann <ann@x.example>, root\nCc: G: bob@x.example;\nBcc: "c d"@x.example\n\nTo: no@x\n',
      ),
    );
    const expected = ['ann@x.example', 'root', 'bob@x.example', '"c d"@x.example'];
    assert.deepEqual(recipientsIn(given), expected);
  });

  it('may be a list in one argument', () => {
    assert.deepEqual(addressesIn('a@x, Bob <b@y>'), ['a@x', 'b@y']);
    assert.deepEqual(addressesIn('root'), ['root']);
    assert.deepEqual(addressesIn('\u00fc@x'), ['\u00fc@x']);
    assert.deepEqual(addressesIn(''), []);
  });
});
