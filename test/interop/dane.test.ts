/**
 * A delivery for which DNSSEC has proven every step, behind Debian's unbound: the certificate is
 * the one that the domain has published, or there is no mail.
 */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { newCertificate, type Certificate } from '../support/chains.ts';
import { openRealQueue, type RealQueue } from '../support/real-queue.ts';
import { startSink, type Sink } from '../support/sink.ts';
import { startUnbound, unboundMissing, type TestZone, type Unbound } from '../support/unbound.ts';

async function digestOf({ spki }: Certificate): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', Uint8Array.from(spki));
  return Buffer.from(digest).toString('hex');
}

async function zoneOf(name: string, published: Certificate, signed: boolean): Promise<TestZone> {
  const record = `_25._tcp.mx IN TLSA 3 1 1 ${await digestOf(published)}`;
  return { name, signed, lines: ['@ IN MX 10 mx', 'mx IN A 127.0.0.1', record] };
}

describe('DANE', { skip: unboundMissing() }, () => {
  let sink: Sink;
  let unbound: Unbound;
  let queue: RealQueue;
  before(async () => {
    const shown = await newCertificate({ name: 'CN=self', expired: true });
    const other = await newCertificate({ name: 'CN=other' });
    sink = await startSink({ key: shown.key, cert: shown.cert });
    unbound = await startUnbound([
      await zoneOf('right.example', shown, true),
      await zoneOf('wrong.example', other, true),
      await zoneOf('unsigned.example', other, false),
    ]);
    queue = await openRealQueue({ port: sink.port, dnsPort: unbound.port });
  });
  after(async () => {
    await queue?.[Symbol.asyncDispose]();
    await unbound?.[Symbol.asyncDispose]();
    await sink?.[Symbol.asyncDispose]();
  });

  it('smtp 113: delivers to the host that shows what is published, whoever signed it', async () => {
    await queue.queue(['bob@right.example']);
    const remote = { host: 'mx.right.example', ip: '127.0.0.1' };
    const delivered = { type: 'AttemptSucceeded', code: 250, remote };
    assert.partialDeepStrictEqual(await queue.ends(1), [delivered]);
    assert.equal(sink.mail.at(-1)?.isSecure, true);
    assert.ok(queue.metrics.counted.includes('queue_destinations_authentic_total'));
    const tlsmode = 'requiredstarttls+dane';
    assert.partialDeepStrictEqual(queue.metrics.observed, [{ tlsmode, result: 'ok' }]);
  });

  it('smtp 113: gives nothing to a host that shows something else', async () => {
    const before = sink.mail.length;
    await queue.queue(['bob@wrong.example']);
    const [failed] = await queue.ends(1);
    assert.partialDeepStrictEqual(failed, { type: 'AttemptFailed', code: 0, permanent: false });
    assert.match(failed?.text ?? '', /TLS with 127\.0\.0\.1:\d+ failed/);
    assert.equal(sink.mail.length, before);
  });

  it('smtp 114: gives it all the same when the sender does not require TLS', async () => {
    await queue.queue(['bob@wrong.example'], { options: { requireTls: false } });
    assert.partialDeepStrictEqual(await queue.ends(1), [{ type: 'AttemptSucceeded' }]);
  });

  it('does not count what nobody has signed', async () => {
    await queue.queue(['bob@unsigned.example']);
    assert.partialDeepStrictEqual(await queue.ends(1), [{ type: 'AttemptSucceeded' }]);
  });
});
