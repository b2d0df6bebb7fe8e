/** The public half of a key, as others look it up. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { dkimRecordName, dkimRecordText, zoneLine } from '#protocols/trust/dkim-record';

const KEY = { algorithm: 'rsa', publicKey: 'A'.repeat(392) } as const;

it('a record says what kind of key it is, and that nothing but SHA-256 counts', () => {
  assert.equal(dkimRecordName('s1', 'example.org'), 's1._domainkey.example.org');
  assert.equal(dkimRecordText(KEY), `v=DKIM1;h=sha256;k=rsa;p=${KEY.publicKey}`);
});

it('a line of a zone has it in strings of 100 octets at most (operations 53)', () => {
  const text = dkimRecordText(KEY);
  const line = zoneLine('s1._domainkey.example.org', text);
  const strings = [...line.matchAll(/"([^"]*)"/g)].map(([, one]) => one ?? '');
  assert.match(line, /^s1\._domainkey\.example\.org\. TXT "/);
  assert.equal(strings.join(''), text);
  assert.ok(strings.every((one) => one.length <= 100));
});
