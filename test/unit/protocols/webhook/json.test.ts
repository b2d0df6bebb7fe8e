/**
 * JSON as receivers of webhooks know it.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatHookJson } from '#protocols/webhook/json';

test('what could end a script or begin a tag stands as an escape', () => {
  assert.equal(
    formatHookJson({ a: '<x@y> & "z"\u2028\u2029', '<': 'ü😀' }),
    String.raw`{"a":"\u003cx@y\u003e \u0026 \"z\"\u2028\u2029","\u003c":"ü😀"}`,
  );
});
