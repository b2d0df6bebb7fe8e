/**
 * Which certificates fit which TLSA records.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { newCertificate, newChain, type Certificate, type Chain } from '../../../support/chains.ts';
import { tlsa } from '../../../support/dns.ts';
import type { TlsaRecord } from '#protocols/ports-remote';
import { daneObjection, usableRecords } from '#protocols/trust/dane';

/** The record that somebody publishes for a certificate. */
function recordFor(
  usage: number,
  { der, spki }: Certificate,
  { selector = 1, matchingType = 1 } = {},
): TlsaRecord {
  const whole = selector === 0 ? der : spki;
  const digest = [undefined, 'sha256', 'sha512'][matchingType];
  const data = digest === undefined ? whole : createHash(digest).update(whole).digest();
  return { usage, selector, matchingType, data };
}

function objection(
  records: readonly TlsaRecord[],
  chain: readonly Certificate[],
  names: readonly string[] = ['mx.example'],
  now = Date.now(),
): string | undefined {
  return daneObjection(
    { records, names },
    chain.map(({ der }) => der),
    now,
  );
}

describe('dane', () => {
  let chain: Chain;
  let all: readonly Certificate[];
  let stranger: Certificate;
  before(async () => {
    chain = await newChain();
    all = [chain.host, chain.between, chain.root];
    stranger = await newCertificate({ name: 'CN=Root', authority: true });
  });

  for (const selector of [0, 1]) {
    for (const matchingType of [0, 1, 2]) {
      const form = { selector, matchingType };
      it(`smtp 113: matches 3 ${selector} ${matchingType} by the host alone`, () => {
        assert.equal(objection([recordFor(3, chain.host, form)], [chain.host]), undefined);
        assert.equal(objection([recordFor(3, stranger, form)], all), 'dane-no-match');
        // RFC 7671 §5.1: an authority is not the host.
        assert.equal(objection([recordFor(3, chain.root, form)], all), 'dane-no-match');
      });

      it(`matches 2 ${selector} ${matchingType} by any authority of the chain`, () => {
        for (const authority of [chain.between, chain.root]) {
          assert.equal(objection([recordFor(2, authority, form)], all), undefined);
        }
        assert.equal(objection([recordFor(2, stranger, form)], all), 'dane-no-match');
      });
    }
  }

  it('needs no name and no date for the certificate of the host', async () => {
    const old = await newCertificate({ name: 'CN=Old', expired: true });
    assert.equal(objection([recordFor(3, old)], [old], ['other.example']), undefined);
  });

  it('needs a name where an authority vouches', () => {
    const records = [recordFor(2, chain.root)];
    assert.equal(objection(records, all, ['other.example']), 'dane-name-mismatch');
    assert.equal(objection(records, all, ['other.example', 'mx.example']), undefined);
    assert.equal(objection(records, all, ['a.wild.example']), undefined);
    assert.equal(objection(records, all, ['a.b.wild.example']), 'dane-name-mismatch');
    assert.equal(objection(records, all, []), 'dane-name-mismatch');
  });

  it('needs an authority that was sent, unless it stands in the record as a whole', () => {
    const sent = [chain.host, chain.between];
    assert.equal(objection([recordFor(2, chain.root)], sent), 'dane-no-match');
    for (const selector of [0, 1]) {
      const record = recordFor(2, chain.root, { selector, matchingType: 0 });
      assert.equal(objection([record], sent), undefined);
    }
    const other = recordFor(2, stranger, { selector: 1, matchingType: 0 });
    assert.equal(objection([other], sent), 'dane-no-match');
  });

  it('needs signatures that lead to the authority', () => {
    const records = [recordFor(2, chain.root)];
    assert.equal(objection(records, [chain.host, chain.root]), 'dane-no-match');
    assert.equal(objection(records, [stranger, chain.root]), 'dane-no-match');
    assert.equal(objection(records, [chain.host, chain.root, chain.between]), undefined);
  });

  it('needs dates that fit, except that of the authority', async () => {
    const cases = [
      [await newChain({ host: { expired: true } }), 'dane-no-match'],
      [await newChain({ between: { expired: true } }), 'dane-no-match'],
      [await newChain({ root: { expired: true } }), undefined],
    ] as const;
    for (const [{ host, between, root }, expected] of cases) {
      assert.equal(objection([recordFor(2, root)], [host, between, root]), expected);
    }
  });

  it('needs an authority that is one, and a certificate for servers', async () => {
    const cases = [
      await newChain({ between: { authority: false } }),
      await newChain({ host: { forClients: true } }),
      await newChain({ between: { nameConstraints: true } }),
    ];
    for (const { host, between, root } of cases) {
      assert.equal(objection([recordFor(2, root)], [host, between, root]), 'dane-no-match');
    }
  });

  it('matches when one of several records does', () => {
    const records = [tlsa(3), recordFor(2, stranger), recordFor(3, chain.host)];
    assert.equal(objection(records, all), undefined);
    assert.equal(objection([], all), 'dane-no-match');
    assert.equal(objection(records, []), 'dane-no-certificate');
  });

  it('leaves out what says nothing about a mail host', () => {
    const bytes = (length: number): Buffer => Buffer.alloc(length, 1);
    const wrong: readonly TlsaRecord[] = [
      tlsa(0),
      tlsa(1),
      tlsa(4),
      tlsa(3, 2),
      tlsa(3, 1, 3),
      { usage: 3, selector: 1, matchingType: 1, data: bytes(31) },
      { usage: 3, selector: 1, matchingType: 2, data: bytes(32) },
      { usage: 3, selector: 1, matchingType: 0, data: bytes(0) },
    ];
    assert.deepEqual(usableRecords(wrong), []);
    assert.deepEqual(usableRecords([...wrong, tlsa(2), tlsa(3)]), [tlsa(2), tlsa(3)]);
  });

  it('of two digests of one thing takes the stronger', () => {
    const strong = { usage: 3, selector: 1, matchingType: 2, data: Buffer.alloc(64) };
    const exact = { usage: 3, selector: 1, matchingType: 0, data: Buffer.alloc(64) };
    const records = [tlsa(3), strong, tlsa(2), tlsa(3, 0), exact];
    assert.deepEqual(usableRecords(records), [strong, tlsa(2), tlsa(3, 0), exact]);
  });

  it('matches nothing of octets that are no certificates, and breaks on none', () => {
    const octets = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
    const records = fc.array(
      fc.record({
        usage: fc.constantFrom(2, 3),
        selector: fc.constantFrom(0, 1),
        matchingType: fc.constant(0),
        data: octets,
      }),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(records, fc.array(octets, { maxLength: 3 }), (tlsas, ders) => {
        const sent = [chain.host.der, ...ders];
        const requirement = { records: tlsas, names: ['mx.example'] };
        assert.equal(daneObjection(requirement, sent, Date.now()), 'dane-no-match');
        assert.notEqual(daneObjection(requirement, ders, Date.now()), undefined);
      }),
      { numRuns: 200 },
    );
  });
});
