/**
 * A mail server of another make (npm's smtp-server) that fails on purpose, over real sockets: what
 * is tried again, what is not, and what is on the record.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newCertificate } from '../support/chains.ts';
import { startZone } from '../support/dns-zone.ts';
import { openRealQueue, type RealQueue } from '../support/real-queue.ts';
import { saying, startSink, type Sink, type SinkOptions } from '../support/sink.ts';

const WAITS = [200, 200, 200] as const;

interface Scene extends AsyncDisposable {
  readonly sink: Sink;
  readonly queue: RealQueue;
}

/** One host of far.example, at the sink. */
async function scene(options: SinkOptions = {}): Promise<Scene> {
  const sink = await startSink(options);
  const zone = await startZone({
    hosts: { 'mx.far.example': '127.0.0.1' },
    domains: { 'far.example': ['mx.far.example'] },
  });
  const queue = await openRealQueue({ port: sink.port, dnsPort: zone.port, waits: WAITS });
  return {
    sink,
    queue,
    async [Symbol.asyncDispose]() {
      await queue[Symbol.asyncDispose]();
      await zone[Symbol.asyncDispose]();
      await sink[Symbol.asyncDispose]();
    },
  };
}

describe('a server that fails on purpose', () => {
  it('by greylisting gets the message when it is asked again', async () => {
    const seen = new Set<string>();
    await using at = await scene({
      onRcptTo({ address }, _, callback) {
        const isKnown = seen.has(address);
        seen.add(address);
        callback(isKnown ? null : saying(451, '4.7.1 greylisted'));
      },
    });
    await at.queue.queue(['bob@far.example']);
    const [first, second] = await at.queue.ends(2);
    assert.partialDeepStrictEqual(first, { code: 451, enhancedCode: '4.7.1', permanent: false });
    assert.equal(second?.type, 'AttemptSucceeded');
    assert.equal(at.sink.mail.length, 1);
  });

  it('with 4xx behind the message gets it again, once', async () => {
    let tries = 0;
    await using at = await scene({
      verdict: () => (tries++ === 0 ? saying(452, '4.3.1 no room now') : undefined),
    });
    await at.queue.queue(['bob@far.example', 'carol@far.example']);
    const ends = await at.queue.ends(4);
    const codes = ends.map(({ code }) => code);
    assert.deepEqual(codes, [452, 452, 250, 250]);
    assert.equal(at.sink.mail.length, 1);
  });

  it('smtp 130: by closing behind the dot may have the message, as recorded', async () => {
    let tries = 0;
    const taken: string[] = [];
    await using at = await scene({
      verdict(mail, session) {
        taken.push(mail.text);
        if (tries++ > 0) return undefined;
        for (const connection of at.sink.server.connections) {
          if (connection.session.id === session.id) connection._socket.destroy();
        }
        return saying(451, 'nobody hears that');
      },
    });
    await at.queue.queue(['bob@far.example']);
    const [first, second] = await at.queue.ends(2);
    const uncertain = { type: 'AttemptFailed', code: 0, permanent: false, mayBeTaken: true };
    assert.partialDeepStrictEqual(first, uncertain);
    assert.equal(second?.type, 'AttemptSucceeded');
    assert.equal(taken.length, 2, 'SMTP cannot tell');
  });

  it('by being slow is waited for', async () => {
    await using at = await scene({
      onMailFrom: (_, __, callback) => void setTimeout(callback, 600),
      onRcptTo: (_, __, callback) => void setTimeout(callback, 600),
    });
    await at.queue.queue(['bob@far.example']);
    assert.partialDeepStrictEqual(await at.queue.ends(1), [{ type: 'AttemptSucceeded' }]);
  });

  it('smtp 111: by a certificate for nobody gets mail under TLS all the same', async () => {
    const { key, cert } = await newCertificate({ name: 'CN=nobody', expired: true });
    await using at = await scene({ key, cert });
    await at.queue.queue(['bob@far.example']);
    assert.partialDeepStrictEqual(await at.queue.ends(1), [{ type: 'AttemptSucceeded' }]);
    assert.equal(at.sink.mail[0]?.isSecure, true);
  });

  it('smtp 111, 116: by a handshake that breaks gets mail without, but no report', async () => {
    const { key, cert } = await newCertificate({ name: 'CN=old', hosts: ['mx.far.example'] });
    // Nothing that we speak.
    await using at = await scene({ key, cert, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' });
    await at.queue.queue(['bob@far.example']);
    assert.partialDeepStrictEqual(await at.queue.ends(1), [{ type: 'AttemptSucceeded' }]);
    assert.equal(at.sink.mail[0]?.isSecure, false);
    await at.queue.queue(['bob@far.example'], { options: { report: 'dmarc' } });
    assert.partialDeepStrictEqual(await at.queue.ends(1), [{ type: 'AttemptFailed', code: 0 }]);
    assert.equal(at.sink.mail.length, 1);
  });
});
