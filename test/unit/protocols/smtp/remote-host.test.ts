/**
 * The hosts of a destination: addresses in order, and what TLS must prove.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fakeResolver, tlsa, type FakeResolver, type Zone } from '../../../support/dns.ts';
import type { Destination, Unreachable } from '#protocols/smtp/destinations';
import { remoteHosts, type HostOptions, type RemoteHost } from '#protocols/smtp/remote-host';
import type { StsPolicy } from '#protocols/trust/mta-sts';

type Hosts = Extract<Destination, { type: 'hosts' }>;

const DESTINATION: Hosts = {
  type: 'hosts',
  domain: 'a.example',
  expandedDomain: 'a.example',
  hosts: ['mx.example'],
  hasMx: true,
  authentic: true,
  sts: { type: 'none' },
};

const V4 = ['192.0.2.1', '192.0.2.2'];
const V6 = ['2001:db8::1', '2001:db8::2'];
const TLSA = '_25._tcp.mx.example';

interface Asked extends Partial<HostOptions> {
  readonly destination?: Partial<Hosts>;
  readonly resolver?: FakeResolver;
  readonly dialedIps?: readonly string[];
}

/** What becomes of the first host. */
async function locate(
  names: Readonly<Record<string, Zone>>,
  { destination = {}, resolver = fakeResolver(names), dialedIps = [], ...options }: Asked = {},
): Promise<RemoteHost | Unreachable> {
  const ofOthers = { host: 'other.example', ip: '192.0.2.1' };
  const dialed = [...dialedIps.map((ip) => ({ host: 'mx.example', ip })), ofOthers];
  const all = { ...DESTINATION, ...destination };
  return first(remoteHosts(all, { dialed, ...options }, resolver));
}

async function first(
  hosts: AsyncIterable<RemoteHost | Unreachable>,
): Promise<RemoteHost | Unreachable> {
  for await (const host of hosts) return host;
  assert.fail('no host');
}

function host(found: RemoteHost | Unreachable): RemoteHost {
  assert.equal(found.type, 'host');
  return found;
}

function enhanced(found: RemoteHost | Unreachable): string | undefined {
  return found.type === 'unreachable' ? found.enhanced : undefined;
}

/** For reports: whose policy it is about, and what is wrong. */
function tlsFailure(found: RemoteHost | Unreachable): readonly string[] {
  if (found.type !== 'unreachable' || found.tlsFailure === undefined) return [];
  const { host: name, of, resultType, reasonCode } = found.tlsFailure;
  assert.equal(name, 'mx.example');
  return [of, resultType, reasonCode];
}

function policy(mode: StsPolicy['mode'], ...mx: readonly string[]): Partial<Hosts> {
  return { sts: { type: 'policy', policy: { mode, mx, maxAgeSeconds: 1 }, text: '' } };
}

describe('addresses of a host', () => {
  const names = { 'mx.example': { A: V4, AAAA: V6 } };

  it('are those of both families, the newer first', async () => {
    const found = host(await locate(names));
    assert.deepEqual(found.addresses, [...V6, ...V4]);
    assert.ok(found.dualStack);
  });

  it('are those of one family when the other is not there, or not wanted', async () => {
    assert.deepEqual(host(await locate({ 'mx.example': { A: V4 } })).addresses, V4);
    assert.deepEqual(
      host(await locate({ 'mx.example': { A: V4, fails: ['AAAA'] } })).addresses,
      V4,
    );
    for (const [family, ips] of [
      [4, V4],
      [6, V6],
    ] as const) {
      const found = host(await locate(names, { family }));
      assert.deepEqual([found.addresses, found.dualStack], [ips, false]);
    }
  });

  const [a, b] = V4 as [string, string];
  const [c, d] = V6 as [string, string];
  const orders: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['the other family first', [c], [a, b, c, d]],
    ['the other family first, with its only address so far', [b, d], [b, a, d, c]],
    ['the same address the second time, for those who greylist', [b, c], [b, a, c, d]],
    ['any address the third time', [b, c, b, c], [a, b, c, d]],
  ];
  for (const [name, dialedIps, expected] of orders) {
    it(`come in order after ${dialedIps.join(', ')}: ${name}`, async () => {
      assert.deepEqual(host(await locate(names, { dialedIps })).addresses, expected);
    });
  }

  it('in one family: the same the second time, then as DNS has them', async () => {
    const one = { 'mx.example': { A: V4 } };
    assert.deepEqual(host(await locate(one, { dialedIps: [b] })).addresses, [b, a]);
    assert.deepEqual(host(await locate(one, { dialedIps: [b, b] })).addresses, [a, b]);
  });

  it('are twenty at most', async () => {
    const A = Array.from({ length: 30 }, (_, i) => `192.0.2.${i}`);
    assert.equal(host(await locate({ 'mx.example': { A } })).addresses.length, 20);
  });

  it('are found behind ten CNAMEs, not eleven', async () => {
    const cnames = (count: number): Readonly<Record<string, Zone>> => ({
      ...Object.fromEntries(
        Array.from({ length: count }, (_, i): [string, Zone] => [
          i === 0 ? 'mx.example' : `n${i}.example`,
          { CNAME: [`n${i + 1}.example`] },
        ]),
      ),
      [`n${count}.example`]: { A: V4 },
    });
    assert.equal((await locate(cnames(10))).type, 'host');
    assert.equal(enhanced(await locate(cnames(11))), '4.4.6');
  });

  const ways: readonly (readonly [string, Readonly<Record<string, Zone>>, string])[] = [
    ['there is no such host', {}, '5.4.4'],
    ['it has no address', { 'mx.example': { TXT: ['x'] } }, '5.4.4'],
    ['DNS does not answer', { 'mx.example': { fails: ['A', 'AAAA'] } }, '4.4.3'],
    ['DNS answers half', { 'mx.example': { fails: ['A'] } }, '4.4.3'],
    ['its CNAMEs lead in a circle', { 'mx.example': { CNAME: ['mx.example'] } }, '4.4.6'],
    ['its CNAMEs cannot be had', { 'mx.example': { fails: ['CNAME'] } }, '4.4.3'],
  ];
  for (const [name, zones, code] of ways) {
    it(`cannot be had with ${code}: ${name}`, async () => {
      assert.equal(enhanced(await locate(zones)), code);
    });
  }
});

describe('TLS to a host', () => {
  const plain = { 'mx.example': { A: V4 } };
  const dane = { ...plain, [TLSA]: { TLSA: [tlsa(3)] } };

  it('is as good as it gets without policies', async () => {
    const found = host(await locate(plain));
    assert.deepEqual(found.tls, {
      mode: 'opportunistic',
      serverName: 'mx.example',
      pkixName: undefined,
      dane: undefined,
      plaintextRetry: true,
      requireTlsExtension: false,
      reasons: ['no-policy'],
    });
    assert.deepEqual(found.tlsa, []);
  });

  it('smtp 113: must match the TLSA records of a proven host', async () => {
    const found = host(await locate(dane));
    assert.deepEqual(found.tls, {
      mode: 'required',
      serverName: 'mx.example',
      pkixName: undefined,
      dane: { records: [tlsa(3)], names: ['mx.example', 'a.example'] },
      plaintextRetry: false,
      requireTlsExtension: false,
      reasons: ['dane'],
    });
    assert.deepEqual(found.tlsa, [tlsa(3)]);
  });

  it('smtp 113: is required but unverified when no record is usable', async () => {
    const { tls } = host(await locate({ ...plain, [TLSA]: { TLSA: [tlsa(0), tlsa(1)] } }));
    assert.deepEqual(
      [tls.mode, tls.dane, tls.plaintextRetry, tls.reasons],
      ['required', undefined, false, ['dane-unusable']],
    );
  });

  it('smtp 113: cannot be had when the TLSA records cannot', async () => {
    const failing = { ...plain, [TLSA]: { fails: ['TLSA'] } } as const;
    assert.equal(enhanced(await locate(failing)), '4.4.3');
    assert.deepEqual(tlsFailure(await locate(failing)), ['host', 'tlsa-invalid', 'dns-servfail']);
    const bogus = { ...plain, [TLSA]: { fails: ['TLSA'], why: 'bogus' } } as const;
    assert.deepEqual(tlsFailure(await locate(bogus)), ['host', 'dnssec-invalid', 'dns-bogus']);
    const cancelled = { ...plain, [TLSA]: { fails: ['TLSA'], why: 'cancelled' } } as const;
    assert.deepEqual(tlsFailure(await locate(cancelled)), []);
  });

  const unproven: readonly (readonly [string, Readonly<Record<string, Zone>>, Partial<Hosts>])[] = [
    ['the way to the host', dane, { authentic: false }],
    ['its addresses', { ...dane, 'mx.example': { A: V4, insecure: true } }, {}],
    ['the records', { ...dane, [TLSA]: { TLSA: [tlsa(3)], insecure: true } }, {}],
  ];
  for (const [name, names, destination] of unproven) {
    it(`asks for nothing when DNSSEC does not prove ${name}`, async () => {
      const resolver = fakeResolver(names);
      const { tls } = host(await locate(names, { destination, resolver }));
      assert.deepEqual(tls.reasons, ['no-policy']);
      assert.equal(resolver.asked.includes(`TLSA ${TLSA}`), name === 'the records');
    });
  }

  it('takes the records at the end of CNAMEs, else those at the beginning', async () => {
    const cname = { 'mx.example': { CNAME: ['b.example'] }, 'b.example': { A: V4 } };
    const end = { TLSA: [tlsa(2)] };
    const start = { TLSA: [tlsa(3)] };
    const expanded = { ...cname, [TLSA]: start, '_25._tcp.b.example': end };
    const first = host(
      await locate(expanded, { destination: { expandedDomain: 'c.example' } }),
    ).tls;
    assert.equal(first.serverName, 'b.example');
    assert.deepEqual(first.dane?.names, ['b.example', 'a.example', 'c.example']);
    const second = host(await locate({ ...cname, [TLSA]: start })).tls;
    assert.equal(second.serverName, 'mx.example');
    assert.deepEqual(second.dane?.names, ['mx.example', 'a.example']);
    const half = { ...expanded, 'b.example': { A: V4, insecure: true } };
    assert.deepEqual(host(await locate(half)).tls.dane?.records, [tlsa(3)]);
    const none = { ...half, 'mx.example': { CNAME: ['b.example'], insecure: true } };
    assert.equal(host(await locate(none)).tls.dane, undefined);
  });

  it('without MX knows one name only', async () => {
    const { tls } = host(await locate(dane, { destination: { hasMx: false } }));
    assert.deepEqual(tls.dane?.names, ['mx.example']);
  });

  it('smtp 112: must be valid for the name when an enforced policy says so', async () => {
    const { tls } = host(await locate(plain, { destination: policy('enforce', 'mx.example') }));
    assert.deepEqual(
      [tls.mode, tls.pkixName, tls.plaintextRetry, tls.reasons],
      ['required', 'mx.example', false, ['sts-enforce']],
    );
  });

  it('smtp 112: is not even tried with a host that an enforced policy does not name', async () => {
    const resolver = fakeResolver(plain);
    const destination = policy('enforce', '*.other.example');
    const found = await locate(plain, { destination, resolver });
    assert.equal(enhanced(found), '4.7.0');
    const reason = 'mtasts-policy-mx-mismatch';
    assert.deepEqual(tlsFailure(found), ['domain', 'validation-failure', reason]);
    assert.deepEqual(resolver.asked, []);
  });

  it('smtp 112: is not forced by a policy that only tests, or is none', async () => {
    for (const [mode, reasons] of [
      ['testing', ['sts-testing', 'sts-mx-mismatch']],
      ['none', ['no-policy']],
    ] as const) {
      const { tls } = host(await locate(plain, { destination: policy(mode, 'other.example') }));
      assert.deepEqual(
        [tls.mode, tls.pkixName, tls.reasons],
        ['opportunistic', undefined, reasons],
      );
    }
  });

  it('must be both when DANE and an enforced policy are there', async () => {
    const { tls } = host(await locate(dane, { destination: policy('enforce', 'mx.example') }));
    assert.equal(tls.pkixName, 'mx.example');
    assert.deepEqual(tls.dane?.records, [tlsa(3)]);
    assert.deepEqual(tls.reasons, ['sts-enforce', 'dane']);
  });

  it('smtp 114: is as good as it gets with TLS-Required: No, whatever is published', async () => {
    const zones: readonly (readonly [Zone, string])[] = [
      [{ TLSA: [tlsa(3)] }, 'dane-ignored'],
      [{ TLSA: [tlsa(0)] }, 'dane-ignored'],
      [{ fails: ['TLSA'] }, 'tlsa-lookup-failed-ignored'],
    ];
    for (const [zone, reason] of zones) {
      const destination = policy('enforce', 'other.example');
      const names = { ...plain, [TLSA]: zone };
      const { tls } = host(await locate(names, { destination, requireTls: false }));
      assert.deepEqual(
        [tls.mode, tls.dane, tls.pkixName, tls.plaintextRetry],
        ['opportunistic', undefined, undefined, true],
      );
      const ignored = ['sts-enforce-ignored', 'sts-mx-mismatch-ignored', reason];
      assert.deepEqual(tls.reasons, ['tls-required-no', ...ignored]);
    }
  });

  it('smtp 115: with REQUIRETLS needs proof of the host, and the extension', async () => {
    const requireTls = true;
    assert.equal(enhanced(await locate(plain, { requireTls })), '5.7.30');
    const unusable = { ...plain, [TLSA]: { TLSA: [tlsa(0)] } };
    assert.equal(enhanced(await locate(unusable, { requireTls })), '5.7.30');
    const tests = policy('testing', 'mx.example');
    assert.equal(enhanced(await locate(plain, { requireTls, destination: tests })), '5.7.30');
    const enforced = policy('enforce', 'mx.example');
    const found = [
      host(await locate(dane, { requireTls })),
      host(await locate(plain, { requireTls, destination: enforced })),
    ];
    for (const { tls } of found) {
      assert.ok(tls.requireTlsExtension);
      assert.deepEqual([tls.mode, tls.plaintextRetry], ['required', false]);
    }
  });

  it('to an address literal cannot be demanded', async () => {
    const address = { type: 'address', ip: '192.0.2.1' } as const;
    const resolver = fakeResolver({});
    const found = host(await first(remoteHosts(address, { dialed: [] }, resolver)));
    assert.deepEqual(found.addresses, ['192.0.2.1']);
    assert.deepEqual([found.tls.serverName, found.tls.mode], [undefined, 'opportunistic']);
    const demands = { dialed: [], requireTls: true };
    assert.equal(enhanced(await first(remoteHosts(address, demands, resolver))), '5.7.30');
  });
});

describe('the hosts of a destination', () => {
  const hosts = ['a.example', 'b.example', 'c.example'];
  const names = { 'a.example': { A: V4 }, 'c.example': { A: V4 } };

  it('are looked up when it is their turn', async () => {
    const resolver = fakeResolver(names);
    const found: unknown[] = [];
    for await (const one of remoteHosts({ ...DESTINATION, hosts }, { dialed: [] }, resolver)) {
      found.push(one.type === 'host' ? one.name : one.enhanced);
      assert.ok(!resolver.asked.some((asked) => asked.endsWith(hosts[found.length] ?? 'none')));
    }
    assert.deepEqual(found, ['a.example', '5.4.4', 'c.example']);
  });

  it('are no more when somebody has called it off', async () => {
    const stop = new AbortController();
    const options = { dialed: [], signal: stop.signal };
    let count = 0;
    for await (const _one of remoteHosts({ ...DESTINATION, hosts }, options, fakeResolver(names))) {
      count++;
      stop.abort();
    }
    assert.equal(count, 1);
  });
});
