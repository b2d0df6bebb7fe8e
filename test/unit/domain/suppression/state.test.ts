/** What all addresses of the same person have in common. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { baseAddress } from '#domain/suppression/state';

describe('the base of an address (webapi 24)', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['A.b-c+d@b.example', 'ab@b.example'],
    ['AB@b.example', 'ab@b.example'],
    ['ab+zzz@B.Example', 'ab@b.example'],
    ['abx@b.example', 'abx@b.example'],
    ['anne-marie@x.example', 'anne@x.example'],
    ['anne+a-b@x.example', 'anne@x.example'],
    ['"a b"@x.example', 'a b@x.example'],
    ['a b@x.example', 'a b@x.example'],
    ['"a\\"b"@x.example', 'a"b@x.example'],
    ['"a@b"@x.example', 'a@b@x.example'],
    ['+a@x.example', '+a@x.example'],
    ['-a@x.example', '-a@x.example'],
    ['.@x.example', '.@x.example'],
    ['É.x@xn--74h.example', 'éx@xn--74h.example'],
  ];
  for (const [address, base] of cases) {
    it(`of ${address} is ${base}`, () => assert.equal(baseAddress(address), base));
  }
});
