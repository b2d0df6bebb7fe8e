/**
 * When the policy of a domain is fetched, kept, used and forgotten.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { fakeClock, type FakeClock } from '../../../support/clock.ts';
import { fakeResolver, type Zone } from '../../../support/dns.ts';
import { silentLog } from '../../../support/silent-log.ts';
import type { Fetched, FetchRequest, KeptSts, StsCache } from '#protocols/ports-remote';
import {
  refreshStsPolicies,
  stsPolicyFor,
  type StsOutcome,
  type StsPorts,
} from '#protocols/trust/sts-policies';

const DAY_MS = 24 * 3_600_000;
const TEXT = 'version: STSv1\nmode: enforce\nmx: mx.a.example\nmax_age: 864000\n';
const NONE = 'version: STSv1\nmode: none\nmax_age: 864000\n';

interface Remote {
  readonly ports: StsPorts;
  readonly clock: FakeClock;
  readonly kept: Map<string, KeptSts>;
  readonly requests: FetchRequest[];
  zone: Zone | undefined;
  answer: Fetched;
  get(): Promise<StsOutcome>;
}

function served(text: string, more: { status?: number; mediaType?: string } = {}): Fetched {
  const { status = 200, mediaType = 'text/plain' } = more;
  return { type: 'answer', status, mediaType, body: Buffer.from(text) };
}

function record(id: string): Zone {
  return { TXT: [`v=STSv1; id=${id};`], insecure: true };
}

/** The domain a.example with a record and a policy. */
function remote(): Remote {
  const clock = fakeClock();
  const kept = new Map<string, KeptSts>();
  const requests: FetchRequest[] = [];
  const cache: StsCache = {
    get: (domain) => Promise.resolve(kept.get(domain)),
    put: (domain, one) => Promise.resolve(void kept.set(domain, one)),
    delete: (domain) => Promise.resolve(void kept.delete(domain)),
    domains: () => Promise.resolve([...kept.keys()]),
  };
  const it: Remote = {
    clock,
    kept,
    requests,
    zone: record('1'),
    answer: served(TEXT),
    get: () => stsPolicyFor('a.example', it.ports),
    ports: {
      clock,
      cache,
      log: silentLog,
      resolver: {
        lookup: (type, name, signal) =>
          fakeResolver(it.zone === undefined ? {} : { '_mta-sts.a.example': it.zone }).lookup(
            type,
            name,
            signal,
          ),
      },
      fetch: {
        get(request) {
          requests.push(request);
          return Promise.resolve(it.answer);
        },
      },
    },
  };
  return it;
}

function told(outcome: StsOutcome): readonly (string | undefined)[] {
  const mode = outcome.type === 'policy' ? outcome.policy.mode : outcome.type;
  return [mode, outcome.failure?.resultType, outcome.failure?.reason];
}

const ENFORCED = ['enforce', undefined, undefined];
const FETCH_ERROR = 'sts-policy-fetch-error';

describe('mta-sts policies of others', () => {
  it('reports 61: are fetched once, again with another id, and outlive their record', async () => {
    const domain = remote();
    assert.deepEqual(told(await domain.get()), ENFORCED);
    assert.deepEqual(told(await domain.get()), ENFORCED);
    assert.equal(domain.requests.length, 1);
    const [request] = domain.requests;
    assert.deepEqual(
      [request?.host, request?.path, request?.bytesMax, request?.timeoutMs],
      ['mta-sts.a.example', '/.well-known/mta-sts.txt', 65_536, 60_000],
    );
    domain.zone = record('2');
    domain.answer = served(TEXT.replace('enforce', 'testing'));
    assert.deepEqual(told(await domain.get()), ['testing', undefined, undefined]);
    domain.zone = undefined;
    const gone = ['testing', FETCH_ERROR, 'no-mta-sts-dns-txt-record+fallback-to-cached-policy'];
    assert.deepEqual(told(await domain.get()), gone);
    domain.zone = { fails: ['TXT'] };
    const silent = ['testing', FETCH_ERROR, 'dns-lookup+fallback-to-cached-policy'];
    assert.deepEqual(told(await domain.get()), silent);
    domain.clock.advance(10 * DAY_MS);
    assert.deepEqual(told(await domain.get()), ['unknown', FETCH_ERROR, 'dns-lookup']);
    domain.zone = undefined;
    assert.deepEqual(told(await domain.get()), ['none', undefined, undefined]);
    assert.equal(domain.kept.size, 0);
  });

  const failures: readonly (readonly [string, Fetched, string, string])[] = [
    ['404', served('', { status: 404 }), FETCH_ERROR, 'no-policy-served'],
    ['a redirect', served('', { status: 301 }), FETCH_ERROR, 'cannot-fetch-policy'],
    [
      'a page',
      served(TEXT, { mediaType: 'text/html' }),
      'sts-policy-invalid',
      'policy-not-text-plain',
    ],
    ['nonsense', served('nonsense'), 'sts-policy-invalid', 'policy-syntax-error'],
    [
      'a wrong certificate',
      { type: 'failed', why: 'certificate', text: '' },
      'sts-webpki-invalid',
      'certificate-of-policy-host',
    ],
    [
      'too much',
      { type: 'failed', why: 'too-large', text: '' },
      FETCH_ERROR,
      'cannot-fetch-policy',
    ],
  ];
  for (const [name, answer, resultType, reason] of failures) {
    it(`reports 41, 62: ${name} is no policy; nobody asks again for five minutes`, async () => {
      const domain = remote();
      domain.answer = answer;
      assert.deepEqual(told(await domain.get()), ['none', resultType, reason]);
      domain.answer = served(TEXT);
      domain.clock.advance(299_999);
      const early = ['none', FETCH_ERROR, 'back-off-after-recent-fetch-error'];
      assert.deepEqual(told(await domain.get()), early);
      assert.equal(domain.requests.length, 1);
      domain.clock.advance(1);
      assert.deepEqual(told(await domain.get()), ENFORCED);
      domain.zone = record('2');
      domain.answer = answer;
      const fallback = ['enforce', resultType, `${reason}+fallback-to-cached-policy`];
      assert.deepEqual(told(await domain.get()), fallback);
    });
  }

  it('are not missed when their record is none of one', async () => {
    const domain = remote();
    domain.zone = { TXT: ['v=STSv1; id=1;', 'v=STSv1; id=2;'] };
    assert.deepEqual(told(await domain.get()), ['none', FETCH_ERROR, 'multiple-mta-sts-records']);
    domain.zone = { TXT: ['v=STSv1; id=?;'] };
    assert.deepEqual(told(await domain.get()), ['none', FETCH_ERROR, 'record-syntax-error']);
  });

  it('of mode none are forgotten when their record is gone', async () => {
    const domain = remote();
    domain.answer = served(NONE);
    assert.deepEqual(told(await domain.get()), ['none', undefined, undefined]);
    assert.equal((await domain.get()).type, 'policy');
    domain.zone = undefined;
    assert.equal((await domain.get()).type, 'none');
    assert.equal(domain.kept.size, 0);
  });

  it('nobody waits five minutes because an attempt was called off', async () => {
    const domain = remote();
    domain.answer = { type: 'failed', why: 'cancelled', text: '' };
    await domain.get();
    domain.answer = served(TEXT);
    assert.deepEqual(told(await domain.get()), ENFORCED);
  });
});

describe('the daily turn through the policies of others', () => {
  async function refreshed(domain: Remote): Promise<void> {
    const done = refreshStsPolicies(domain.ports, new AbortController().signal);
    await turn();
    domain.clock.advance(3 * 3_600_000);
    await done;
  }

  it('reports 64: forgets what nobody has used for 180 days', async () => {
    const domain = remote();
    domain.answer = served(TEXT.replace('864000', '31557600'));
    await domain.get();
    domain.clock.advance(179 * DAY_MS);
    await refreshed(domain);
    assert.equal(domain.kept.size, 1);
    domain.clock.advance(2 * DAY_MS);
    await refreshed(domain);
    assert.equal(domain.kept.size, 0);
  });

  it('reports 64: fetches what is older than half a day, and keeps the new text', async () => {
    const domain = remote();
    await domain.get();
    await refreshed(domain);
    assert.equal(domain.requests.length, 1);
    domain.clock.advance(10 * 3_600_000);
    domain.answer = served(TEXT.replace('enforce', 'testing'));
    await refreshed(domain);
    assert.equal(domain.requests.length, 2);
    assert.match(domain.kept.get('a.example')?.policy?.text ?? '', /testing/);
  });

  it('reports 64: forgets mode none when its record is gone, and no other', async () => {
    for (const [text, left] of [
      [TEXT, 1],
      [NONE, 0],
    ] as const) {
      const domain = remote();
      domain.answer = served(text);
      await domain.get();
      domain.zone = undefined;
      domain.clock.advance(DAY_MS);
      await refreshed(domain);
      assert.equal(domain.kept.size, left, text);
    }
  });

  it('ends when it is told to', async () => {
    const domain = remote();
    await domain.get();
    const stop = new AbortController();
    const done = refreshStsPolicies(domain.ports, stop.signal);
    await turn();
    stop.abort();
    await done;
    assert.equal(domain.clock.waiting, 0);
  });
});
