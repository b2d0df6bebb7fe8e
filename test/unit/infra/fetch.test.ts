/**
 * Small texts over HTTPS, from hosts that may be anybody.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { describe, it } from 'node:test';
import { newCertificate, type Certificate } from '../../support/chains.ts';
import { fakeClock, type FakeClock } from '../../support/clock.ts';
import { fakeResolver } from '../../support/dns.ts';
import { openFetch } from '#infra/fetch';
import type { Fetched, FetchRequest } from '#protocols/ports-remote';

const HOST = 'mta-sts.a.example';

interface Remote extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly requests: readonly IncomingMessage[];
  get(more?: Partial<FetchRequest>): Promise<Fetched>;
}

/** A host of the web, and somebody who trusts its certificate. */
async function startRemote(
  reply: (response: ServerResponse) => void,
  certificate: Partial<Certificate> & { readonly trusted?: boolean } = {},
): Promise<Remote> {
  const own = await newCertificate({ name: 'CN=Web', hosts: [HOST] });
  const { key, cert } = { ...own, ...certificate };
  const requests: IncomingMessage[] = [];
  const server = createServer({ key, cert }, (request, response) => {
    requests.push(request);
    reply(response);
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const clock = fakeClock();
  const fetch = openFetch({
    resolver: fakeResolver({ [HOST]: { A: ['127.0.0.1'] } }),
    clock,
    port,
    authorities: certificate.trusted === false ? [] : [cert],
  });
  return {
    clock,
    requests,
    get: (more = {}) =>
      fetch.get({ host: HOST, path: '/policy.txt', bytesMax: 100, timeoutMs: 5000, ...more }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function why(fetched: Fetched): string {
  return fetched.type === 'failed' ? fetched.why : fetched.type;
}

describe('fetch', () => {
  it('gives status, type and text', async () => {
    await using remote = await startRemote((response) => {
      response.setHeader('content-type', 'Text/Plain; charset=utf-8').end('version: STSv1\n');
    });
    assert.deepEqual(await remote.get(), {
      type: 'answer',
      status: 200,
      mediaType: 'text/plain',
      body: Buffer.from('version: STSv1\n'),
    });
    const [request] = remote.requests;
    assert.deepEqual(
      [request?.method, request?.url, request?.headers.host],
      ['GET', '/policy.txt', HOST],
    );
    assert.equal(remote.clock.waiting, 0);
  });

  it('reports 62: follows no redirect', async () => {
    await using remote = await startRemote((response) => {
      response.writeHead(302, { location: `https://${HOST}/other` }).end();
    });
    const fetched = await remote.get();
    assert.equal(fetched.type === 'answer' && fetched.status, 302);
    assert.equal(remote.requests.length, 1);
  });

  it('reports 62: takes no more than it may', async () => {
    await using remote = await startRemote((response) => void response.end('x'.repeat(101)));
    assert.equal(why(await remote.get()), 'too-large');
    assert.equal(why(await remote.get({ bytesMax: 101 })), 'answer');
  });

  it('reports 62: believes no certificate for another host, or of nobody', async () => {
    const other = await newCertificate({ name: 'CN=Web', hosts: ['other.example'] });
    const old = await newCertificate({ name: 'CN=Web', hosts: [HOST], expired: true });
    for (const certificate of [other, old, { trusted: false }]) {
      await using remote = await startRemote((response) => void response.end('x'), certificate);
      assert.equal(why(await remote.get()), 'certificate');
      assert.equal(remote.requests.length, 0);
    }
  });

  it('does not wait for ever, nor when it is told to end', async () => {
    let asked = (): void => {};
    await using remote = await startRemote(() => asked());
    let came = new Promise<void>((resolve) => (asked = resolve));
    const slow = remote.get();
    await came;
    remote.clock.advance(5000);
    assert.equal(why(await slow), 'timeout');
    came = new Promise<void>((resolve) => (asked = resolve));
    const stop = new AbortController();
    const stopped = remote.get({ signal: stop.signal });
    await came;
    stop.abort();
    assert.equal(why(await stopped), 'cancelled');
    assert.equal(why(await remote.get({ signal: stop.signal })), 'cancelled');
    assert.equal(remote.clock.waiting, 0);
  });

  it('tells when the other hangs up, or is not known', async () => {
    await using remote = await startRemote((response) => {
      response.writeHead(200, { 'content-length': '50' });
      response.write('x');
      setImmediate(() => response.destroy());
    });
    assert.equal(why(await remote.get()), 'unreachable');
    assert.equal(why(await remote.get({ host: 'nobody.example' })), 'unreachable');
  });
});
