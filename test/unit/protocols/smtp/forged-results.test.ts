/** Which results of others look like ours (smtp.md 7). */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readHeader, withoutFields } from '#protocols/message/header';
import { isForgedResult } from '#protocols/smtp/forged-results';

function kept(...lines: readonly string[]): string {
  const header = readHeader(`${lines.join('\r\n')}\r\n\r\n`);
  return withoutFields(header, (field) => isForgedResult(header, field, 'mail.example.org'));
}

describe('results in our name', () => {
  const forged: readonly string[] = [
    'Authentication-Results: mail.example.org; spf=pass',
    'authentication-results:MAIL.Example.ORG; dkim=pass',
    'Authentication-Results: (us) mail.example.org 1; spf=pass',
    'Authentication-Results:\r\n\t"mail.example.org";\r\n\tspf=pass',
  ];
  for (const field of forged) {
    it(`are taken out: ${JSON.stringify(field)}`, () => {
      assert.equal(kept('From: a@b', field, 'To: c@d'), 'From: a@b\r\nTo: c@d\r\n\r\n');
    });
  }

  const others: readonly string[] = [
    'Authentication-Results: mx.example.org; spf=pass',
    'Authentication-Results: mail.example.org.evil; spf=pass',
    'X-Authentication-Results: mail.example.org; spf=pass',
    'Authentication-Results:',
  ];
  for (const field of others) {
    it(`are not these: ${field}`, () => {
      assert.equal(kept(field), `${field}\r\n\r\n`);
    });
  }
});
