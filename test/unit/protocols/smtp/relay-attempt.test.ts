/**
 * Attempts by way of a smarthost or a submission server: who it must be, how we log in there, and
 * what it must know.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HostScript } from '../../../support/fake-hosts.ts';
import { attemptAt, attemptWorld } from '../../../support/remote-world.ts';
import { settled } from '../../../support/smtp.ts';
import type { AttemptOutcome } from '#domain/queue/attempts';
import { attemptByRelay } from '#protocols/smtp/relay-attempt';
import type { RelayTransport } from '#protocols/smtp/transport';

const RELAY: RelayTransport = {
  type: 'relay',
  host: 'relay.example',
  port: 587,
  tls: 'starttls',
  anyCertificate: false,
};

const WORDS = ['PIPELINING', 'STARTTLS', 'SMTPUTF8', '8BITMIME', 'REQUIRETLS'];

async function relayed(
  script: HostScript,
  transport: Partial<RelayTransport> = {},
  more: Parameters<typeof attemptAt>[1] = {},
): Promise<{
  readonly outcome: AttemptOutcome | undefined;
  readonly world: ReturnType<typeof attemptWorld>;
}> {
  const world = attemptWorld({
    zones: {},
    hosts: { 'relay.example': { words: WORDS, ...script } },
  });
  const { signal } = new AbortController();
  const one = attemptAt(['bob@there.example'], more, 'relay');
  const { outcomes, goodbye } = await attemptByRelay(
    { ...RELAY, ...transport },
    one,
    world.ports,
    signal,
  );
  await goodbye;
  return { outcome: outcomes.get(1), world };
}

function saying(answers: Readonly<Record<string, string>>): NonNullable<HostScript['answer']> {
  return (command) => answers[command] ?? answers[command.slice(0, 4)];
}

describe('a relay', () => {
  it('that limits the messages of a connection gets the rest over another', async () => {
    const words = ['PIPELINING', 'AUTH CRAM-MD5 PLAIN', 'LIMITS MAILMAX=1 RCPTMAX=1'];
    const world = attemptWorld({ zones: {}, hosts: { 'relay.example': { words } } });
    const one = attemptAt(['a@there.example', 'b@other.example'], {}, 'relay');
    const auth = { login: 'me', password: 'secret', mechanisms: ['PLAIN'] } as const;
    const transport = { ...RELAY, tls: 'implicit', auth } as const;
    const { signal } = new AbortController();
    const { outcomes, goodbye } = await attemptByRelay(transport, one, world.ports, signal);
    await goodbye;
    assert.deepEqual([outcomes.get(1)?.type, outcomes.get(2)?.type], ['delivered', 'delivered']);
    const verbs = world.hosts.heard.map(({ commands }) => commands.map((line) => line.slice(0, 4)));
    const each = ['EHLO', 'AUTH', 'MAIL', 'RCPT', 'DATA', 'QUIT'];
    assert.deepEqual(verbs, [each, each]);
  });

  it('gets mail under TLS without anybody asking DNS', async () => {
    const { outcome, world } = await relayed({});
    assert.equal(outcome?.type, 'delivered');
    assert.deepEqual(outcome?.remote, { host: 'relay.example', ip: 'relay.example' });
    assert.equal(world.hosts.mail[0]?.isSecure, true);
    const labels = { transport: 'relay', tlsmode: 'requiredstarttls', result: 'ok' };
    assert.partialDeepStrictEqual(world.metrics.observed, [labels]);
  });

  it('has a minute for a message, and a second more for each MiB of it', async () => {
    const script: HostScript = { words: WORDS, answer: saying({ '.': 'silence' }) };
    const world = attemptWorld({ zones: {}, hosts: { 'relay.example': script } });
    const one = attemptAt(['bob@there.example'], { sizeBytes: 10 * 1024 * 1024 }, 'relay');
    let isOver = false;
    const { signal } = new AbortController();
    const attempting = attemptByRelay(RELAY, one, world.ports, signal).finally(() => {
      isOver = true;
    });
    await settled();
    world.clock.advance(69_999);
    await settled();
    assert.equal(isOver, false);
    world.clock.advance(1);
    const { outcomes } = await attempting;
    assert.partialDeepStrictEqual(outcomes.get(1), { permanent: false, mayBeTaken: true });
  });

  it('queue 18: waits for TLS that is not offered, or goes without where told', async () => {
    const { outcome } = await relayed({ words: [] });
    assert.partialDeepStrictEqual(outcome, { type: 'failed', permanent: false });
    const plain = await relayed({ words: [] }, { tls: 'none' });
    assert.equal(plain.outcome?.type, 'delivered');
    assert.equal(plain.world.hosts.mail[0]?.isSecure, false);
  });

  it('smtp 120: must prove who it is, unless the administrator does not mind', async () => {
    const shown = { chain: [], problem: 'SELF_SIGNED_CERT_IN_CHAIN' };
    const { outcome, world } = await relayed({ shown });
    assert.partialDeepStrictEqual(outcome, { type: 'failed', permanent: false });
    assert.deepEqual(world.hosts.mail, []);
    const any = await relayed({ shown }, { anyCertificate: true });
    assert.equal(any.outcome?.type, 'delivered');
  });

  it('queue 18: gets mail that requires TLS only when verified, and knowing of it', async () => {
    for (const transport of [{ anyCertificate: true }, { tls: 'none' }] as const) {
      const { outcome, world } = await relayed({}, transport, { requireTls: true });
      const reply = { code: 554, enhancedCode: '5.7.30' };
      assert.partialDeepStrictEqual(outcome, { type: 'failed', permanent: true, reply });
      assert.equal(world.hosts.heard.length, 0);
    }
    const { outcome } = await relayed({}, {}, { requireTls: true });
    assert.equal(outcome?.type, 'delivered');
    const unable = await relayed({ words: ['STARTTLS'] }, {}, { requireTls: true });
    assert.partialDeepStrictEqual(unable.outcome, { permanent: true, reply: { code: 554 } });
  });

  it('queue 18: is asked for SMTPUTF8', async () => {
    const { world } = await relayed({}, {}, { smtpUtf8: true });
    const mail = world.hosts.heard[0]?.commands.find((line) => line.startsWith('MAIL'));
    assert.equal(mail, 'MAIL FROM:<alice@example.org> SMTPUTF8');
    const unable = await relayed({ words: ['STARTTLS'] }, {}, { smtpUtf8: true });
    const reply = { enhancedCode: '5.6.7' };
    assert.partialDeepStrictEqual(unable.outcome, { permanent: true, reply });
  });

  it('smtp 117: gets no octets above 127 that it does not announce', async () => {
    const world = attemptWorld({ zones: {}, hosts: { 'relay.example': { words: ['STARTTLS'] } } });
    const bodies = { ...world.ports.bodies, read: () => Buffer.from('Subject: ü\r\n\r\n') };
    const one = attemptAt(['bob@there.example'], {}, 'relay');
    const { signal } = new AbortController();
    const made = await attemptByRelay(RELAY, one, { ...world.ports, bodies }, signal);
    const reply = { enhancedCode: '5.6.3' };
    assert.partialDeepStrictEqual(made.outcomes.get(1), { permanent: true, reply });
    await made.goodbye;
  });

  it('that is not there, or breaks off behind the message, is asked again later', async () => {
    const { outcome } = await relayed({ isDown: true });
    assert.partialDeepStrictEqual(outcome, { permanent: false, reply: { code: 0 } });
    const lost = await relayed({ answer: saying({ '.': 'drop' }) });
    assert.partialDeepStrictEqual(lost.outcome, { permanent: false, mayBeTaken: true });
  });

  it('has the last word about the message and the recipient', async () => {
    const refused = await relayed({ answer: saying({ RCPT: '550 5.1.1 who?' }) });
    assert.partialDeepStrictEqual(refused.outcome, { permanent: true, reply: { code: 550 } });
    const later = await relayed({ answer: saying({ '.': '451 4.3.0 later' }) });
    assert.partialDeepStrictEqual(later.outcome, { permanent: false, reply: { code: 451 } });
    assert.equal(later.outcome?.type === 'failed' && later.outcome.mayBeTaken, undefined);
  });
});

describe('logging in', () => {
  const auth = { login: 'us', password: 'pencil', mechanisms: ['CRAM-MD5', 'PLAIN'] };

  it('goes by the mechanisms of the configuration, the first that the relay has', async () => {
    const plain = `AUTH PLAIN ${Buffer.from('\0us\0pencil').toString('base64')}`;
    const answer = saying({ [plain]: '235 2.7.0 welcome' });
    const { outcome, world } = await relayed({ words: [...WORDS, 'AUTH PLAIN'], answer }, { auth });
    assert.equal(outcome?.type, 'delivered');
    assert.ok(world.hosts.heard[0]?.commands.includes(plain));
  });

  it('smtp 120: fails for good when there is no way in common', async () => {
    const { mechanisms: _, ...strong } = auth;
    const script = { words: [...WORDS, 'AUTH PLAIN'] };
    const { outcome, world } = await relayed(script, { auth: strong });
    assert.partialDeepStrictEqual(outcome, { type: 'failed', permanent: true });
    assert.ok(!world.hosts.heard[0]?.commands.some((line) => line.startsWith('AUTH')));
  });

  it('with a wrong password fails for now: it says nothing about the message', async () => {
    const answer = saying({ AUTH: '535 5.7.8 wrong' });
    const { outcome } = await relayed({ words: [...WORDS, 'AUTH PLAIN'], answer }, { auth });
    assert.partialDeepStrictEqual(outcome, { permanent: false, reply: { code: 535 } });
  });
});
