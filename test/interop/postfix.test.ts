/**
 * Debian's Postfix takes mail from our queue: as the host of a domain, and as a smarthost.
 */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { DnsTestServer } from '../support/dns-server.ts';
import { startZone } from '../support/dns-zone.ts';
import { postfixMissing, startPostfix, type Postfix } from '../support/postfix.ts';
import { openRealQueue, type RealQueue } from '../support/real-queue.ts';
import { startSink, type Sink } from '../support/sink.ts';

describe('Postfix', { skip: postfixMissing() }, () => {
  let sink: Sink;
  let postfix: Postfix;
  let zone: DnsTestServer;
  let direct: RealQueue;
  before(async () => {
    sink = await startSink();
    postfix = await startPostfix(sink.port);
    zone = await startZone({
      hosts: { 'mx.test.example': '127.0.0.1' },
      domains: { 'test.example': ['mx.test.example'] },
    });
    direct = await openRealQueue({ port: postfix.port, dnsPort: zone.port });
  });
  after(async () => {
    await direct?.[Symbol.asyncDispose]();
    await zone?.[Symbol.asyncDispose]();
    await postfix?.[Symbol.asyncDispose]();
    await sink?.[Symbol.asyncDispose]();
  });

  it('smtp 104, 111: answers for each of several recipients, under TLS', async () => {
    const all = ['bob', 'nobody', 'later'].map((name) => `${name}@test.example`);
    await direct.queue(all);
    const ends = await direct.ends(3);
    const [bob, later, nobody] = ends.toSorted((a, b) => a.code - b.code);
    const remote = { host: 'mx.test.example', ip: '127.0.0.1' };
    assert.partialDeepStrictEqual(bob, { type: 'AttemptSucceeded', code: 250, remote });
    assert.match(bob?.text ?? '', /queued as/);
    const unknown = { code: 550, enhancedCode: '5.1.1', permanent: true, remote };
    assert.partialDeepStrictEqual(nobody, unknown);
    const waiting = { code: 450, enhancedCode: '4.2.1', permanent: false };
    assert.partialDeepStrictEqual(later, waiting);
    const [mail = ''] = await postfix.mailOf('bob', 1);
    assert.match(mail, /\(Postfix\) with ESMTPS id/);
    assert.match(mail, /from out\.example\.org/);
    assert.match(mail, /\nReceived: by the test\nSubject: hello\n(.+\n)*\nhello\n$/);
  });

  it('takes addresses and headers in UTF-8', async () => {
    const octets = Buffer.from('Subject: Grüße\r\n\r\nschön\r\n');
    await direct.queue(['büro@test.example'], { octets, smtpUtf8: true });
    assert.partialDeepStrictEqual(await direct.ends(1), [{ type: 'AttemptSucceeded' }]);
    const [mail = ''] = await postfix.mailOf('büro', 1);
    assert.match(mail, /with UTF8SMTPS? /);
    assert.match(mail, /\nSubject: Grüße\n(.+\n)*\nschön\n$/);
  });

  it('takes a large message as it is, and not one that is too large', async () => {
    const line = `${'x'.repeat(76)}\r\n`;
    const large = (lines: number): Buffer =>
      Buffer.from(`Subject: large\r\n\r\n${`${line}.dots\r\n`.repeat(lines)}`);
    await direct.queue(['bob@test.example'], { octets: large(100_000) });
    assert.partialDeepStrictEqual(await direct.ends(1), [{ type: 'AttemptSucceeded' }]);
    const mails = await postfix.mailOf('bob', 2);
    const mail = mails.find((one) => one.includes('Subject: large')) ?? '';
    const body = mail.slice(mail.indexOf('\n\n') + 2);
    assert.equal(body, `${line}.dots\r\n`.replaceAll('\r', '').repeat(100_000));
    await direct.queue(['bob@test.example'], { octets: large(300_000) });
    const refused = { type: 'AttemptFailed', permanent: true, code: 0, enhancedCode: '5.3.4' };
    assert.partialDeepStrictEqual(await direct.ends(1), [refused]);
  });

  it('passes on as a smarthost what is for others', async () => {
    const transport = {
      type: 'relay',
      host: '127.0.0.1',
      port: postfix.port,
      tls: 'starttls',
      anyCertificate: true,
    } as const;
    await using queue = await openRealQueue({ port: 1, transport });
    await queue.queue(['carol@far.example', 'dave@far.example']);
    const delivered = { type: 'AttemptSucceeded', remote: { host: '127.0.0.1' } };
    assert.partialDeepStrictEqual(await queue.ends(2), [delivered, delivered]);
    for (let i = 0; i < 200 && sink.mail.length === 0; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.deepEqual(sink.mail[0]?.to.toSorted(), ['carol@far.example', 'dave@far.example']);
    assert.equal(sink.mail[0]?.from, 'daybook@localhost');
  });
});
