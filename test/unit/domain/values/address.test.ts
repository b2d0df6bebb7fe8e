/** Addresses and paths as clients write them. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { domainToASCII, domainToUnicode } from 'node:url';
import {
  canonicalLocalpart,
  displayAddress,
  domainOf,
  formatAddress,
  isNullPath,
  logAddress,
  NULL_PATH,
  needsSmtpUtf8,
  parseAddress,
  parseDomain,
  readPath,
} from '#domain/values/address';

/** What a path is read as, `localpart|domain|rest`, or undefined. */
function read(text: string): string | undefined {
  const found = readPath(text, domainToASCII);
  return found && `${found.path.localpart}|${found.path.domain}|${found.rest}`;
}

describe('a path', () => {
  const good: readonly (readonly [string, string])[] = [
    ['<a@example.org>', 'a|example.org|'],
    ['<A.b@EXAMPLE.org> SIZE=1', 'A.b|example.org| SIZE=1'],
    ['<>', '||'],
    ['<> BODY=8BITMIME', '|| BODY=8BITMIME'],
    ['<Postmaster>', 'Postmaster||'],
    ['<"a b"@example.org>', 'a b|example.org|'],
    ['<"a>b\\"c\\\\"@example.org> X', 'a>b"c\\|example.org| X'],
    ['<"a"@example.org>', 'a|example.org|'],
    ['<@x.org,@[192.0.2.1]:a@example.org>', 'a|example.org|'],
    ['<@[IPv6:::1]:a@example.org>', 'a|example.org|'],
    ['<a@[192.0.2.1]>', 'a|[192.0.2.1]|'],
    ['<a@[ipv6:2001:DB8::1]>', 'a|[IPv6:2001:db8::1]|'],
    ['<a@[IPv6:::ffff:192.0.2.1]>', 'a|[IPv6:::ffff:192.0.2.1]|'],
    ['<j\u00fcrgen@b\u00fccher.example>', 'j\u00fcrgen|xn--bcher-kva.example|'],
    // NFD comes in, NFC goes on.
    ['<ju\u0308rgen@example.org>', 'j\u00fcrgen|example.org|'],
    ['<\u{1f4ee}@example.org>', '\u{1f4ee}|example.org|'],
    [`<${'x'.repeat(128)}@example.org>`, `${'x'.repeat(128)}|example.org|`],
    ["<!#$%&'*+-/=?^_`{|}~@a.b>", "!#$%&'*+-/=?^_`{|}~|a.b|"],
  ];
  for (const [text, expected] of good) {
    it(`is ${text.slice(0, 50)}`, () => {
      assert.equal(read(text), expected);
    });
  }

  const bad = [
    '',
    'a@example.org',
    '<a@example.org',
    '<a>',
    '<@example.org>',
    '<a@>',
    '<a b@example.org>',
    '<.a@example.org>',
    '<a.@example.org>',
    '<a..b@example.org>',
    '<a@example..org>',
    '<a@-x.org>',
    '<a@x_y.org>',
    '<a@192.0.2.1>',
    '<a@[192.0.2.256]>',
    '<a@[192.0.2]>',
    '<a@[01.0.0.1]>',
    '<a@[IPv6:1::2::3]>',
    '<a@[IPv6:1:2:3:4:5:6:7]>',
    '<a@[IPv6:12345::]>',
    '<a@[tag:x]>',
    '<a@[192.0.2.1>',
    '<"a@example.org>',
    '<"a\u0001"@example.org>',
    '<"a\\\u00fc"@example.org>',
    '<"a"b@example.org>',
    '<\u0085@example.org>',
    '<\ud800@example.org>',
    '<@x.org:a>',
    '<@x.org,y.org:a@example.org>',
    '<@x.org a@example.org>',
    `<${'x'.repeat(129)}@example.org>`,
    `<${'\u00fc'.repeat(65)}@example.org>`,
    `<a@${'x'.repeat(64)}.org>`,
    `<a@${'x.'.repeat(127)}org>`,
  ];
  for (const text of bad) {
    it(`is not ${JSON.stringify(text.slice(0, 50))}`, () => {
      assert.equal(read(text), undefined);
    });
  }
});

describe('an address', () => {
  it('is the whole text', () => {
    const address = { localpart: 'a b', domain: 'x.org' };
    assert.deepEqual(parseAddress('"a b"@X.org', domainToASCII), address);
    assert.equal(parseAddress('a@x.org ', domainToASCII), undefined);
    assert.equal(parseAddress('postmaster', domainToASCII), undefined);
  });

  it('is written as it is read', () => {
    for (const text of [
      'a.b@x.org',
      '"a b"@x.org',
      '"\\"\\\\"@[192.0.2.1]',
      '""@x.org',
      '"a."@x.y',
    ]) {
      const address = parseAddress(text, domainToASCII);
      assert.ok(address, text);
      assert.equal(formatAddress(address), text);
    }
    assert.equal(formatAddress(NULL_PATH), '');
    assert.ok(isNullPath(NULL_PATH));
    assert.equal(formatAddress({ localpart: 'Postmaster', domain: '' }), 'Postmaster');
  });

  it('is shown with U-labels to people, with both forms in logs', () => {
    const address = { localpart: 'j\u00fcrgen', domain: 'xn--74h.example' };
    assert.equal(displayAddress(address, domainToUnicode), 'j\u00fcrgen@\u263a.example');
    assert.equal(
      logAddress(address, domainToUnicode),
      'j\u00fcrgen/j\\u{fc}rgen@\u263a.example/xn--74h.example',
    );
    const plain = { localpart: 'a', domain: '[192.0.2.1]' };
    assert.equal(logAddress(plain, domainToUnicode), 'a@[192.0.2.1]');
    assert.equal(logAddress(NULL_PATH, domainToUnicode), '');
    assert.equal(
      logAddress({ localpart: 'Postmaster', domain: '' }, domainToUnicode),
      'Postmaster',
    );
  });

  it('needs SMTPUTF8 for its localpart alone', () => {
    assert.ok(needsSmtpUtf8({ localpart: 'j\u00fcrgen', domain: 'x.org' }));
    assert.ok(!needsSmtpUtf8({ localpart: 'a', domain: 'xn--74h.example' }));
  });
});

describe('a domain', () => {
  it('never is an IP address in disguise', () => {
    assert.equal(parseDomain('\uff11.2.3.4', domainToASCII), undefined);
    assert.equal(parseDomain('localhost', domainToASCII), 'localhost');
  });
});

describe('a canonical localpart', () => {
  it('is in NFC, lower-case unless cases differ, and cut at the first separator', () => {
    const plain = { caseSensitive: false, catchallSeparator: '+-' };
    assert.equal(canonicalLocalpart('A.B-c+d', plain), 'a.b');
    assert.equal(canonicalLocalpart('U\u0308', plain), '\u00fc');
    assert.equal(canonicalLocalpart('+a+b', plain), '+a');
    assert.equal(canonicalLocalpart('A+b', { ...plain, caseSensitive: true }), 'A');
    assert.equal(canonicalLocalpart('A+b', { caseSensitive: true, catchallSeparator: '' }), 'A+b');
  });
});

describe('the domain of a recorded address', () => {
  it('stands behind the last @, in lower case', () => {
    assert.equal(domainOf('"a@b"@Example.ORG'), 'example.org');
    assert.equal(domainOf('a@[192.0.2.1]'), '[192.0.2.1]');
    assert.equal(domainOf(''), '');
  });
});
