/**
 * Content-Type and Content-Disposition, as the standard has them and as they come.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parameterOf, parseContentType, parseDisposition } from '#protocols/message/parameters';

function check(value: string, expected: string | undefined): void {
  it(JSON.stringify(value), () => {
    const parsed = parseContentType(value);
    const parameters = parsed?.parameters.map((one) => `; ${one.name}=<${one.value}>`).join('');
    assert.equal(parsed && `${parsed.type}/${parsed.subtype}${parameters}`, expected);
  });
}

describe('a content type', () => {
  check('text/plain', 'text/plain');
  check('Text / HTML ; Charset = UTF-8', 'text/html; charset=<UTF-8>');
  check(
    'text/plain; charset="utf-8"; format=flowed',
    'text/plain; charset=<utf-8>; format=<flowed>',
  );
  check('text/plain (a (nested) comment); x=y (z)', 'text/plain; x=<y>');
  check('a/b; x="1;\\"2\\"" ignored; y=3', 'a/b; x=<1;"2">; y=<3>');
  check('a/b; name=two words (1).pdf; y=3', 'a/b; name=<two words .pdf>; y=<3>');
  check('a/b; name=a(1).pdf', 'a/b; name=<a(1).pdf>');
  check('a/b; x=1; X=2; novalue; =3; y=', 'a/b; x=<1>; y=<>');
  check('a/b; boundary=a=b', 'a/b; boundary=<a=b>');
  check('a/b; x="open', 'a/b; x=<open>');
  check('text', undefined);
  check('text/', undefined);
  check('te xt/plain', undefined);
  check('', undefined);
});

describe('parameters in pieces', () => {
  check('a/b; x*0=one; x*1="two"', 'a/b; x=<onetwo>');
  check("a/b; x*1*=%C3%9Fe.txt; x*0*=utf-8''Gr; y=1", "a/b; x*=<utf-8''Gr%C3%9Fe.txt>; y=<1>");
  check('a/b; x*0*=utf-8\'\'a; x*1="b c"', "a/b; x*=<utf-8''ab%20c>");
  check('a/b; x*0="a b"; x*1*=%20', "a/b; x*=<''a%20b%20>");
  check("a/b; x*=utf-8''a%20b", "a/b; x*=<utf-8''a%20b>");
  check('a/b; x*0=one; x*2=three', 'a/b; x=<one>');
  check('a/b; x*1=two', 'a/b');
});

describe('a disposition', () => {
  it('is a token with parameters', () => {
    const disposition = parseDisposition('ATTACHMENT; filename="a b.txt"');
    assert.equal(disposition?.type, 'attachment');
    assert.equal(parameterOf(disposition?.parameters ?? [], 'filename'), 'a b.txt');
  });

  it('may be unreadable', () => assert.equal(parseDisposition('; filename=x'), undefined));
});
