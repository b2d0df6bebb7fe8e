/**
 * Address lists, down to what nobody should write.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAddresses, type Address } from '#protocols/message/addresses';

function shownAddress({ name, route, mailbox, host }: Address): string {
  return [name, route, mailbox, host].map((part) => part ?? '-').join('|');
}

function check(text: string, ...expected: string[]): void {
  it(JSON.stringify(text), () => {
    assert.deepEqual(parseAddresses(text, 100).map(shownAddress), expected);
  });
}

describe('mailboxes', () => {
  check('a@x.org', '-|-|a|x.org');
  check('Ann <a@x.org>, Bob B. Bee <b@y.org>', 'Ann|-|a|x.org', 'Bob B. Bee|-|b|y.org');
  check('"Ann, \\"A\\"" <a@x.org>', 'Ann, "A"|-|a|x.org');
  check('=?utf-8?q?=C3=84?= <a@x.org>', '=?utf-8?q?=C3=84?=|-|a|x.org');
  check('a@x.org (Ann (A) Lee)', 'Ann (A) Lee|-|a|x.org');
  check('(Ann) a@x.org, b@y.org', 'Ann|-|a|x.org', '-|-|b|y.org');
  check('"two words"@x.org', '-|-|two words|x.org');
  check('a . b @ x . org', '-|-|a.b|x.org');
  check('a@[192.0.2.1], <b@[IPv6:::1]>', '-|-|a|[192.0.2.1]', '-|-|b|[IPv6:::1]');
  check('<@one,@two:a@x.org>', '-|@one,@two|a|x.org');
});

describe('groups', () => {
  check('Us: a@x.org, Bob <b@y.org>;', '-|-|Us|-', '-|-|a|x.org', 'Bob|-|b|y.org', '-|-|-|-');
  check('undisclosed recipients:;', '-|-|undisclosed recipients|-', '-|-|-|-');
  check('Us: a@x.org', '-|-|Us|-', '-|-|a|x.org', '-|-|-|-');
  check('a: b: c@x;', '-|-|a|-', '-|-|c|x', '-|-|-|-');
});

describe('what people write instead', () => {
  check('');
  check(' , ,(nobody), ');
  check('root', '-|-|root|');
  check('Ann Lee', 'Ann Lee|-||');
  check('Ann Lee ann@x.org', 'Ann Lee|-|ann|x.org');
  check('Ann <>', 'Ann|-||');
  check('<a@x.org', '-|-|a|x.org');
  check('<a>, b@', '-|-|a|', '-|-|b|');
  check('"open', '-|-|open|');
  check('a@x.org; b@y.org', '-|-|a|x.org', '-|-|b|y.org');
  check('[a@x.org]', '-|-|a|x.org');
  check('a@x.org <a@x.org>, b@y.org', 'a@x.org|-|a|x.org', '-|-|b|y.org');
  check('Ann a@x.org <b@y.org>', 'Ann a@x.org|-|b|y.org');
  check('a@b@x.org, c@y.org', '-|-|a|b', '-|-|c|y.org');
  check('Ann <a@b@x.org>, c@y.org', 'Ann|-|a|b', '-|-|c|y.org');
  check('Ann <a@x.org b>, c@y.org', 'Ann|-|a|x.org', '-|-|c|y.org');
  check('"" <a@x.org>', '-|-|a|x.org');
  check('<mailto:a@x.org>', '-|-|a|x.org');
  check('Us: <a:b:c@x.org>;', '-|-|Us|-', '-|-|c|x.org', '-|-|-|-');
});

it('stops at the number that is asked for', () => {
  assert.equal(parseAddresses('a@x,'.repeat(50), 10).length, 10);
});
