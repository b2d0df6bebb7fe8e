/**
 * Where mail for a domain goes, as DNS says it.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fakeRandom } from '../../../support/clock.ts';
import { fakeResolver, type Zone } from '../../../support/dns.ts';
import {
  findDestination,
  type Aim,
  type Destination,
  type Unreachable,
} from '#protocols/smtp/destinations';
import type { StsOutcome } from '#protocols/trust/sts-policies';

const NO_POLICY: StsOutcome = { type: 'none' };

function mx(...hosts: readonly (readonly [number, string])[]): Zone {
  return { MX: hosts.map(([preference, exchange]) => ({ preference, exchange })) };
}

function find(
  names: Readonly<Record<string, Zone>>,
  { sts = NO_POLICY, seed = 'a', ...aim }: Partial<Aim> & { sts?: StsOutcome; seed?: string } = {},
): Promise<Destination | Unreachable> {
  return findDestination(
    { domain: 'a.example', ...aim },
    {
      resolver: fakeResolver(names),
      random: fakeRandom(seed),
      stsPolicyFor: () => Promise.resolve(sts),
    },
  );
}

function hostsOf(destination: Destination | Unreachable): readonly string[] {
  return destination.type === 'hosts' ? destination.hosts : [];
}

describe('a destination', () => {
  it('is the hosts of its MX records by preference', async () => {
    const found = await find({ 'a.example': mx([20, 'b.example'], [10, 'c.example']) });
    assert.deepEqual(found, {
      type: 'hosts',
      domain: 'a.example',
      expandedDomain: 'a.example',
      hosts: ['c.example', 'b.example'],
      hasMx: true,
      authentic: true,
      sts: NO_POLICY,
    });
  });

  it('mixes the hosts of one preference, and those only', async () => {
    const zone = mx([10, 'b.example'], [10, 'c.example'], [10, 'd.example'], [5, 'e.example']);
    const firsts = new Set<string | undefined>();
    for (let seed = 0; seed < 40; seed++) {
      const hosts = hostsOf(await find({ 'a.example': zone }, { seed: `${seed}` }));
      assert.equal(hosts[0], 'e.example');
      assert.deepEqual(hosts.toSorted(), ['b.example', 'c.example', 'd.example', 'e.example']);
      firsts.add(hosts[1]);
    }
    assert.equal(firsts.size, 3);
  });

  it('names each host once, and 50 at most', async () => {
    const twice = mx([20, 'b.example'], [10, 'b.example']);
    assert.deepEqual(hostsOf(await find({ 'a.example': twice })), ['b.example']);
    const many = Array.from({ length: 60 }, (_, i) => [10, `mx${i}.example`] as const);
    assert.equal(hostsOf(await find({ 'a.example': mx(...many) })).length, 50);
  });

  it('is the domain itself without MX', async () => {
    const found = await find({ 'a.example': { A: ['192.0.2.1'] } });
    assert.ok(found.type === 'hosts');
    assert.deepEqual([found.hosts, found.hasMx, found.authentic], [['a.example'], false, true]);
  });

  it('leaves out names that no host can have', async () => {
    const zone = mx([1, '192.0.2.1'], [2, '.'], [3, 'b b.example'], [4, 'my_host.example']);
    assert.deepEqual(hostsOf(await find({ 'a.example': zone })), ['my_host.example']);
    const none = await find({ 'a.example': mx([1, '192.0.2.1']) });
    assert.equal(none.type === 'unreachable' && none.enhanced, '5.4.4');
  });

  const ways: readonly (readonly [string, Readonly<Record<string, Zone>>, string])[] = [
    ['queue 19, smtp 107: null MX', { 'a.example': mx([0, '.']) }, '5.1.10'],
    ['smtp 107: no such domain', {}, '5.1.2'],
    ['smtp 107: no answer about MX', { 'a.example': { fails: ['MX'] } }, '4.4.3'],
    ['queue 19: no answer in time', { 'a.example': { fails: ['MX'], why: 'timeout' } }, '4.4.3'],
    ['forged MX', { 'a.example': { fails: ['MX'], why: 'bogus' } }, '4.4.3'],
    ['no answer about CNAME', { 'a.example': { fails: ['CNAME'] } }, '4.4.3'],
    [
      'smtp 107: CNAMEs in a circle',
      { 'a.example': { CNAME: ['b.example'] }, 'b.example': { CNAME: ['a.example'] } },
      '4.4.6',
    ],
    ['a CNAME to nothing', { 'a.example': { CNAME: ['b.example'] } }, '5.1.2'],
  ];
  for (const [name, names, enhanced] of ways) {
    it(`is unreachable with ${enhanced}: ${name}`, async () => {
      const found = await find(names);
      assert.ok(found.type === 'unreachable');
      assert.equal(found.enhanced, enhanced);
      assert.equal(found.permanent, enhanced.startsWith('5'));
    });
  }

  /** CNAMEs, one after the other. */
  function cnames(count: number): Readonly<Record<string, Zone>> {
    const steps = Array.from({ length: count }, (_, i): [string, Zone] => [
      i === 0 ? 'a.example' : `n${i}.example`,
      { CNAME: [`n${i + 1}.example`] },
    ]);
    return { ...Object.fromEntries(steps), [`n${count}.example`]: mx([1, 'b.example']) };
  }

  it('follows sixteen CNAMEs, not seventeen', async () => {
    const found = await find(cnames(16));
    assert.equal(found.type === 'hosts' && found.expandedDomain, 'n16.example');
    const lost = await find(cnames(17));
    assert.equal(lost.type === 'unreachable' && lost.enhanced, '4.4.6');
  });

  it('is proven only when every step is', async () => {
    const b = mx([1, 'c.example']);
    const cases: readonly (readonly [Zone, Zone, boolean])[] = [
      [{ CNAME: ['b.example'] }, b, true],
      [{ CNAME: ['b.example'], insecure: true }, b, false],
      [{ CNAME: ['b.example'] }, { ...b, insecure: true }, false],
    ];
    for (const [first, second, authentic] of cases) {
      const found = await find({ 'a.example': first, 'b.example': second });
      assert.equal(found.type === 'hosts' && found.authentic, authentic);
    }
  });

  it('of an address literal is that address', async () => {
    const address = { type: 'address', ip: '192.0.2.1' };
    assert.deepEqual(await find({}, { domain: '[192.0.2.1]' }), address);
    const six = { type: 'address', ip: '2001:db8::1' };
    assert.deepEqual(await find({}, { domain: '[IPv6:2001:db8::1]' }), six);
  });

  it('waits when nobody can say whether there is a policy, unless that is all one', async () => {
    const failure = { resultType: 'sts-policy-fetch-error', reason: 'dns-lookup' } as const;
    const sts: StsOutcome = { type: 'unknown', failure };
    const names = { 'a.example': mx([1, 'b.example']) };
    const waits = await find(names, { sts });
    assert.partialDeepStrictEqual(waits, {
      type: 'unreachable',
      enhanced: '4.4.3',
      stsFailure: failure,
    });
    assert.equal((await find(names, { sts, requireTls: false })).type, 'hosts');
    assert.equal((await find(names, { sts: { type: 'none', failure } })).type, 'hosts');
  });

  it('gives up when it is told to', async () => {
    const found = await find({ 'a.example': {} }, { signal: AbortSignal.abort() });
    assert.equal(found.type === 'unreachable' && found.permanent, false);
  });
});
