/**
 * Values of parameters that name their charset.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeExtended } from '#protocols/message/extended-value';

test('an extended value is read in its charset', () => {
  const cases = [
    ["utf-8'en'%E2%82%AC%20rates", '€ rates'],
    ["iso-8859-1''%A3%20rates", '£ rates'],
    ["''%41b", 'Ab'],
    ['without', 'without'],
    ["utf-8''100%", '100%'],
    ["no-such''%E4", '\ufffd'],
  ] as const;
  for (const [value, text] of cases) assert.equal(decodeExtended(value), text, value);
});
