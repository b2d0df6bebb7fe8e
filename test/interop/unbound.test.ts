/**
 * unbound, a validating resolver: what is proven, what is not, and what is forged, as our resolver
 * and the search for hosts see it.
 */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { newCertificate } from '../support/chains.ts';
import { silentLog } from '../support/silent-log.ts';
import { startUnbound, unboundMissing, type TestZone, type Unbound } from '../support/unbound.ts';
import { systemClock, systemRandom } from '#infra/clock';
import { openResolver, type OpenResolver } from '#infra/dns';
import type { DnsAnswer } from '#protocols/ports-remote';
import { findDestination } from '#protocols/smtp/destinations';
import { remoteHosts } from '#protocols/smtp/remote-host';
import { tlsTrustFor } from '#protocols/smtp/tls-requirement';

const LONG = Array.from(
  { length: 12 },
  (_, i) => `"${String(i).padStart(2, '0')}${'x'.repeat(200)}"`,
);

function zones(digest: string): readonly TestZone[] {
  return [
    {
      name: 'signed.example',
      signed: true,
      lines: [
        '@ IN MX 10 mx',
        'mx IN A 127.0.0.1',
        'mx IN AAAA ::1',
        `_25._tcp.mx IN TLSA 3 1 1 ${digest}`,
        'alias IN CNAME signed.example.',
        'out IN CNAME plain.example.',
        `long IN TXT ${LONG.join(' ')}`,
        '_mta-sts IN TXT "v=STSv1; " "id=1;"',
      ],
    },
    { name: 'plain.example', signed: false, lines: ['@ IN MX 0 .', '@ IN A 127.0.0.2'] },
    {
      name: 'forged.example',
      signed: true,
      lines: ['@ IN MX 10 mx', 'mx IN A 192.0.2.1'],
      forge: ['192.0.2.1', '192.0.2.66'],
    },
  ];
}

function told<T>(answer: DnsAnswer<T>): readonly unknown[] {
  if (answer.type === 'failed') return [answer.type, answer.why];
  return answer.type === 'found'
    ? [answer.type, answer.authentic, answer.records]
    : [answer.type, answer.authentic];
}

describe('unbound', { skip: unboundMissing() }, () => {
  let unbound: Unbound;
  let resolver: OpenResolver;
  let der: Buffer;
  before(async () => {
    const host = await newCertificate({ name: 'CN=mx', expired: true });
    der = host.der;
    const digest = Buffer.from(
      await crypto.subtle.digest('SHA-256', Uint8Array.from(host.spki)),
    ).toString('hex');
    unbound = await startUnbound(zones(digest));
    resolver = openResolver({
      servers: [{ ip: '127.0.0.1', port: unbound.port, trusted: true }],
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
    });
  });
  after(async () => {
    resolver?.close();
    await unbound?.[Symbol.asyncDispose]();
  });

  it('proves what a signed zone has, and what it has not', async () => {
    const exchange = { preference: 10, exchange: 'mx.signed.example' };
    assert.deepEqual(told(await resolver.lookup('MX', 'signed.example')), [
      'found',
      true,
      [exchange],
    ]);
    assert.deepEqual(told(await resolver.lookup('A', 'mx.signed.example')), [
      'found',
      true,
      ['127.0.0.1'],
    ]);
    assert.deepEqual(told(await resolver.lookup('AAAA', 'mx.signed.example')), [
      'found',
      true,
      ['::1'],
    ]);
    assert.deepEqual(told(await resolver.lookup('TXT', 'mx.signed.example')), ['nodata', true]);
    assert.deepEqual(told(await resolver.lookup('A', 'no.signed.example')), ['nxdomain', true]);
    const text = await resolver.lookup('TXT', '_mta-sts.signed.example');
    assert.deepEqual(told(text), ['found', true, ['v=STSv1; id=1;']]);
  });

  it('proves nothing of a zone without signatures, nor what leads into one', async () => {
    assert.deepEqual(told(await resolver.lookup('A', 'plain.example')), [
      'found',
      false,
      ['127.0.0.2'],
    ]);
    assert.deepEqual(told(await resolver.lookup('A', 'out.signed.example')), [
      'found',
      false,
      ['127.0.0.2'],
    ]);
    const alias = await resolver.lookup('CNAME', 'out.signed.example');
    assert.deepEqual(told(alias), ['found', true, ['plain.example']]);
  });

  it('gives out nothing that was forged, and says why', async () => {
    const answer = await resolver.lookup('A', 'mx.forged.example');
    assert.deepEqual(told(answer), ['failed', 'bogus']);
    assert.equal(answer.type === 'failed' && answer.extendedError?.code, 6);
  });

  it('is asked over TCP for what is too long', async () => {
    const answer = await resolver.lookup('TXT', 'long.signed.example');
    assert.equal(answer.type === 'found' && answer.records[0]?.length, 12 * 202);
  });

  it('is believed only when it is trusted', async () => {
    const careful = openResolver({
      servers: [{ ip: '127.0.0.1', port: unbound.port, trusted: false }],
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
    });
    const answer = await careful.lookup('A', 'mx.signed.example');
    assert.deepEqual(told(answer), ['found', false, ['127.0.0.1']]);
  });

  it('smtp 113: tells the certificate of the hosts of a domain behind an alias', async () => {
    const domain = 'alias.signed.example';
    const ports = {
      resolver,
      random: systemRandom,
      stsPolicyFor: () => Promise.resolve({ type: 'none' } as const),
    };
    const found = await findDestination({ domain }, ports);
    assert.ok(found.type === 'hosts');
    assert.ok(found.authentic);
    const { value: host } = await remoteHosts(found, { dialed: [] }, resolver).next();
    assert.ok(host?.type === 'host');
    const { addresses, tls } = host;
    assert.deepEqual(addresses, ['::1', '127.0.0.1']);
    assert.deepEqual(tls.dane?.names, ['mx.signed.example', domain, 'signed.example']);
    const { judge } = tlsTrustFor(tls, () => Date.now());
    assert.equal(judge?.({ chain: [der], problem: 'CERT_HAS_EXPIRED' }), undefined);
    const other = await newCertificate({ name: 'CN=mx' });
    assert.equal(judge?.({ chain: [other.der], problem: undefined }), 'dane-no-match');
  });

  it('keeps mail from hosts that were forged', async () => {
    const aim = { domain: 'forged.example' };
    const ports = {
      resolver,
      random: systemRandom,
      stsPolicyFor: () => Promise.resolve({ type: 'none' } as const),
    };
    const found = await findDestination(aim, ports);
    assert.ok(found.type === 'hosts');
    const { value: host } = await remoteHosts(found, { dialed: [] }, resolver).next();
    assert.equal(host?.type === 'unreachable' && host.enhanced, '4.4.3');
    const nobody = await findDestination({ domain: 'plain.example' }, ports);
    assert.equal(nobody.type === 'unreachable' && nobody.enhanced, '5.1.10');
  });
});
