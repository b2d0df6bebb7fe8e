/**
 * GNU SASL, an independent client of the mechanisms, over TLS with channel binding and without.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { LOGIN, PASSWORD, startLocalserve } from '../support/localserve.ts';
import { missing, runProgram } from '../support/programs.ts';

for (const mechanism of [
  'PLAIN',
  'CRAM-MD5',
  'SCRAM-SHA-1',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-256',
  'SCRAM-SHA-256-PLUS',
]) {
  test(`gsasl logs in with ${mechanism}`, { skip: missing('gsasl') }, async () => {
    await using server = await startLocalserve();
    const login = ['-m', mechanism, '-a', LOGIN, '-p', PASSWORD];
    // With TLS gsasl insists on the channel binding that we offer.
    const trust =
      mechanism.startsWith('SCRAM') && !mechanism.endsWith('PLUS')
        ? '--no-starttls'
        : `--x509-ca-file=${join(server.dir, 'config', 'tls', 'localhost.pem')}`;
    for (const [protocol, port] of [
      ['--imap', 1143],
      ['--smtp', 1587],
    ] as const) {
      const ran = await runProgram('gsasl', [
        protocol,
        '--connect',
        `${server.ip}:${port}`,
        ...login,
        trust,
      ]);
      assert.match(ran.stderr, /Client authentication finished \(server trusted\)/, ran.stdout);
    }
  });
}
