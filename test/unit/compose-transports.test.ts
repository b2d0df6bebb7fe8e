/**
 * What the transports of a configuration mean to the queue.
 */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { it } from 'node:test';
import { newPair } from '../support/certificates.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { transportsOf } from '#compose-transports';
import { localConfig, type LoadedConfig } from '#infra/config';
import type { StaticConfig } from '#infra/config-schema';
import type { Transport } from '#protocols/smtp/transport';

type Transports = NonNullable<StaticConfig['Transports']>;

function loaded(Transports: Transports, dir = '/'): LoadedConfig {
  const config = { ...localConfig('127.0.0.1'), Transports };
  return { path: 'daybook.yaml', config, pathOf: (relative) => `${dir}/${relative}` };
}

async function meaning(one: Transports[string], dir?: string): Promise<Transport | undefined> {
  return (await transportsOf(loaded({ one }, dir))).get('one');
}

const RELAY = { type: 'relay', host: 'relay.example', anyCertificate: false } as const;

it('a relay has the usual port and TLS of its kind', async () => {
  const Host = 'relay.example';
  assert.deepEqual(await meaning({ Submissions: { Host } }), {
    ...RELAY,
    port: 465,
    tls: 'implicit',
  });
  assert.deepEqual(await meaning({ Submission: { Host } }), {
    ...RELAY,
    port: 587,
    tls: 'starttls',
  });
  const loose = { Host, Port: 2525, STARTTLSInsecureSkipVerify: true };
  assert.deepEqual(await meaning({ SMTP: loose }), {
    ...RELAY,
    port: 2525,
    tls: 'starttls',
    anyCertificate: true,
  });
  assert.partialDeepStrictEqual(await meaning({ SMTP: { Host, NoSTARTTLS: true } }), {
    port: 25,
    tls: 'none',
  });
});

it('a relay is logged in to, and shown a key', async () => {
  await using directory = await temporaryDirectory();
  const pair = await newPair();
  await writeFile(directory.file('key.pem'), pair.key + pair.cert);
  const one = {
    Submission: {
      Host: 'relay.example',
      Auth: { Username: 'us', Password: 'pw', Mechanisms: ['PLAIN'] },
      ClientKeyFile: 'key.pem',
    },
  } as const;
  const transport = await meaning(one, directory.path);
  const auth = { login: 'us', password: 'pw', mechanisms: ['PLAIN'] };
  assert.partialDeepStrictEqual(transport, { auth });
  const cert = transport?.type === 'relay' ? transport.clientKey?.cert : undefined;
  assert.equal(cert?.trim(), pair.cert.trim());
  await assert.rejects(meaning(one, '/nowhere'), { name: 'BadConfig' });
});

it('direct delivery may have one family of addresses, or a proxy', async () => {
  const both = { type: 'direct', families: ['ipv4', 'ipv6'] } as const;
  assert.deepEqual(await meaning({}), both);
  assert.deepEqual(await meaning({ Direct: { DisableIPv6: true } }), {
    ...both,
    families: ['ipv4'],
  });
  const more = { RemoteIPs: ['192.0.2.1'], RemoteHostname: 'out.example.org' };
  for (const [Address, host] of [
    ['proxy.example:1080', 'proxy.example'],
    ['[2001:db8::1]:1080', '2001:db8::1'],
  ] as const) {
    const proxy = { host, port: 1080, hostName: 'out.example.org' };
    assert.deepEqual(await meaning({ Socks: { Address, ...more } }), { ...both, proxy });
  }
  const none = { Socks: { Address: 'proxy.example:99999', ...more } };
  await assert.rejects(meaning(none), { name: 'BadConfig', message: /proxy\.example:99999/ });
});

it('queue 17: one that fails has a code and a text', async () => {
  const text = 'This mail is not delivered.';
  assert.deepEqual(await meaning({ Fail: {} }), { type: 'fail', code: 554, text });
  const said = { SMTPCode: 452, SMTPMessage: 'x' };
  assert.deepEqual(await meaning({ Fail: said }), { type: 'fail', code: 452, text: 'x' });
});
