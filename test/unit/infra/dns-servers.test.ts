/**
 * Which servers of DNS a machine asks.
 */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { temporaryDirectory } from '../../support/temporary.ts';
import { parseResolvConf, readDnsServers } from '#infra/dns-servers';

const local = { ip: '127.0.0.1', port: 53, trusted: true };

describe('dns servers', () => {
  const cases: readonly (readonly [string, readonly unknown[]])[] = [
    ['', [local]],
    ['# nameserver 192.0.2.1\nsearch example\n', [local]],
    ['nameserver 192.0.2.1\n', [{ ip: '192.0.2.1', port: 53, trusted: false }]],
    ['nameserver ::1', [{ ip: '::1', port: 53, trusted: true }]],
    [
      'nameserver 127.0.0.53\r\nnameserver\t2001:db8::1\nnameserver name\n',
      [
        { ip: '127.0.0.53', port: 53, trusted: true },
        { ip: '2001:db8::1', port: 53, trusted: false },
      ],
    ],
    [
      'nameserver 192.0.2.1\noptions edns0 trust-ad\n',
      [{ ip: '192.0.2.1', port: 53, trusted: true }],
    ],
  ];
  for (const [text, expected] of cases) {
    it(`are read from ${JSON.stringify(text)}`, () => {
      assert.deepEqual(parseResolvConf(text), expected);
    });
  }

  it('are three at most', () => {
    assert.equal(parseResolvConf('nameserver 192.0.2.1\n'.repeat(9)).length, 3);
  });

  it('are those of the file, else those that the system tells', async () => {
    await using dir = await temporaryDirectory();
    const file = dir.file('resolv.conf');
    const told = [{ ip: '192.0.2.1', port: 53, trusted: false }];
    assert.deepEqual(await readDnsServers(file, () => ['192.0.2.1', '192.0.2.2:54']), told);
    assert.deepEqual(await readDnsServers(file, () => []), [local]);
    await writeFile(file, 'nameserver ::1\n');
    assert.deepEqual(await readDnsServers(file, () => ['192.0.2.1']), [{ ...local, ip: '::1' }]);
  });
});
