/**
 * Records and policies of MTA-STS, and which hosts they allow.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseStsPolicy, parseStsRecord, stsAllows } from '#protocols/trust/mta-sts';

const POLICY =
  'version: STSv1\nmode: enforce\nmx: mail.example\nmx: *.Mail.example\nmax_age: 86400\n';

describe('mta-sts record', () => {
  const cases: readonly (readonly [readonly string[], unknown])[] = [
    [['v=STSv1; id=20160831085700Z;'], { type: 'record', id: '20160831085700Z' }],
    [['v=STSv1;id=a'], { type: 'record', id: 'a' }],
    [['v=STSv1 ; x=1; id=a ; y=2'], { type: 'record', id: 'a' }],
    [['v=spf1 -all', 'v=STSv1; id=a;'], { type: 'record', id: 'a' }],
    [[], { type: 'none' }],
    [['v=STSv2; id=a;'], { type: 'none' }],
    [['v=STSv10; id=a;'], { type: 'none' }],
    [['v=STSv1; id=a;', 'v=STSv1; id=b;'], { type: 'several' }],
    [['v=STSv1;'], { type: 'syntax' }],
    [['v=STSv1; id=a-b;'], { type: 'syntax' }],
    [[`v=STSv1; id=${'a'.repeat(33)};`], { type: 'syntax' }],
    [['v=STSv1; id=a;; x=1'], { type: 'syntax' }],
    [['v=STSv1; id=a; x'], { type: 'syntax' }],
  ];
  for (const [texts, expected] of cases) {
    it(`${JSON.stringify(texts)} is ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(parseStsRecord(texts), expected);
    });
  }
});

describe('mta-sts policy', () => {
  it('is read, with either end of line', () => {
    const policy = {
      mode: 'enforce',
      mx: ['mail.example', '*.mail.example'],
      maxAgeSeconds: 86400,
    };
    assert.deepEqual(parseStsPolicy(POLICY), policy);
    assert.deepEqual(parseStsPolicy(POLICY.replaceAll('\n', '\r\n').trimEnd()), policy);
  });

  it('may say more than we know, and the first of two counts', () => {
    const policy = parseStsPolicy(`${POLICY}mode: none\nfuture: x\n`);
    assert.equal(policy?.mode, 'enforce');
  });

  it('lasts a year at most', () => {
    const policy = parseStsPolicy(POLICY.replace('86400', '9999999999'));
    assert.equal(policy?.maxAgeSeconds, 31_557_600);
  });

  it('of mode none needs no hosts', () => {
    assert.deepEqual(parseStsPolicy('version: STSv1\nmode: none\nmax_age: 0'), {
      mode: 'none',
      mx: [],
      maxAgeSeconds: 0,
    });
  });

  const wrong: readonly string[] = [
    '',
    'version: STSv1',
    POLICY.replace('STSv1', 'STSv2'),
    POLICY.replace('enforce', 'force'),
    POLICY.replace('86400', '-1'),
    POLICY.replace('86400', '10000000000'),
    POLICY.replace('max_age: 86400', ''),
    POLICY.replaceAll(/mx:.*\n/g, ''),
    POLICY.replace('*.Mail', 'a.*'),
    POLICY.replace('*.Mail.example', '*.*.example'),
    POLICY.replace('mail.example', '192.0.2.1'),
    `${POLICY}no colon\n`,
    `<html>${POLICY}`,
  ];
  for (const text of wrong) {
    it(`is none in ${JSON.stringify(text)}`, () => {
      assert.equal(parseStsPolicy(text), undefined);
    });
  }

  it('reports 63: a star stands for one label', () => {
    const policy = {
      mode: 'enforce',
      mx: ['*.remote.example', 'mx.example'],
      maxAgeSeconds: 1,
    } as const;
    assert.ok(stsAllows(policy, 'a.remote.example'));
    assert.ok(stsAllows(policy, 'mx.example'));
    for (const host of ['a.b.remote.example', 'remote.example', 'a.mx.example', 'example']) {
      assert.ok(!stsAllows(policy, host), host);
    }
  });
});
