/**
 * One attempt at the hosts of a domain: which of them are asked, how they are protected, and what
 * their answers mean.
 */

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import type { Zone } from '../../../support/dns.ts';
import type { HostScript } from '../../../support/fake-hosts.ts';
import {
  answering,
  attemptAt,
  attemptWorld,
  openRemoteWorld,
  outcomesAt,
  sentAlone,
  THERE,
  TWO,
  twoHosts,
} from '../../../support/remote-world.ts';
import { ALICE } from '../../../support/smtp.ts';
import type { StsOutcome } from '#protocols/trust/sts-policies';
import { attemptDirectly } from '#protocols/smtp/direct-attempt';

describe('a message', () => {
  it('goes to the host of the domain, and who answered is recorded', async () => {
    const { outcome, world } = await sentAlone();
    const remote = { host: 'mx.there.example', ip: '192.0.2.1' };
    const reply = { code: 250, enhancedCode: '2.1.5', text: 'taken' };
    assert.deepEqual(outcome, { type: 'delivered', reply, remote, dialed: [remote] });
    const text = 'Subject: hi\r\n\r\nhello\r\n';
    const mail = { from: 'alice@example.org', to: ['bob@there.example'], text, isSecure: false };
    assert.deepEqual(world.hosts.mail, [mail]);
    assert.equal(world.hosts.heard[0]?.commands.at(-1), 'QUIT');
  });

  it('goes to an address literal without asking DNS', async () => {
    const world = attemptWorld({ zones: {} });
    const [outcome] = await outcomesAt(world, attemptAt(['bob@[192.0.2.1]']));
    assert.equal(outcome?.type, 'delivered');
  });

  it('queue 12, smtp 104: has an answer for each recipient', async () => {
    const refuse = answering({ 'RCPT TO:<no@there.example>': '550 5.1.1 who?' });
    const world = attemptWorld({ hosts: { '192.0.2.1': refuse } });
    const all = ['a@there.example', 'no@there.example', 'b@there.example'] as const;
    const outcomes = await outcomesAt(world, attemptAt([...all]));
    assert.deepEqual(
      outcomes.map(({ type }) => type),
      ['delivered', 'failed', 'delivered'],
    );
    const reply = { code: 550, enhancedCode: '5.1.1', text: 'who?' };
    assert.partialDeepStrictEqual(outcomes[1], { reply, permanent: true });
    assert.equal(world.hosts.heard.length, 1);
    assert.deepEqual(world.hosts.mail[0]?.to, [all[0], all[2]]);
  });

  it('smtp 105, queue 11: goes in as many transactions as the host wants', async () => {
    const all = ['a@there.example', 'b@there.example', 'c@there.example'] as const;
    const limited = { words: ['PIPELINING', 'LIMITS RCPTMAX=2'] };
    const tooMany = answering({ 'RCPT TO:<c@there.example>': '452 4.5.3 too many' });
    let asked = 0;
    const once: HostScript = {
      answer: (command, heard) =>
        command.includes('<c@') && asked++ > 0 ? undefined : tooMany.answer?.(command, heard),
    };
    for (const script of [limited, once]) {
      const world = attemptWorld({ hosts: { '192.0.2.1': script } });
      const outcomes = await outcomesAt(world, attemptAt([...all]));
      assert.deepEqual(new Set(outcomes.map(({ type }) => type)), new Set(['delivered']));
      assert.deepEqual(
        world.hosts.mail.map(({ to }) => to),
        [[all[0], all[1]], [all[2]]],
      );
      assert.equal(world.hosts.heard.length, 1);
    }
  });

  it('goes over as many connections as the host wants', async () => {
    const all = ['a@there.example', 'b@there.example', 'c@there.example'] as const;
    const words = ['PIPELINING', 'LIMITS MAILMAX=1 RCPTMAX=2'];
    const world = attemptWorld({ hosts: { '192.0.2.1': { words } } });
    const outcomes = await outcomesAt(world, attemptAt([...all]));
    assert.deepEqual(
      outcomes.map(({ type }) => type),
      ['delivered', 'delivered', 'delivered'],
    );
    const mails = world.hosts.heard.map(({ commands }) => commands.join('\n').match(/MAIL/g));
    assert.deepEqual(mails, [['MAIL'], ['MAIL']]);
    assert.deepEqual(
      world.hosts.mail.map(({ to }) => to),
      [[all[0], all[1]], [all[2]]],
    );
  });

  it('that could not go over the next connection is left for those behind it alone', async () => {
    const words = ['PIPELINING', 'LIMITS MAILMAX=1 RCPTMAX=1'];
    const world = attemptWorld({ hosts: { '192.0.2.1': { words } } });
    world.hosts.set('192.0.2.1', {
      words,
      answer: (command) => {
        if (command === 'QUIT') world.hosts.set('192.0.2.1', { isDown: true });
        return undefined;
      },
    });
    const outcomes = await outcomesAt(world, attemptAt(['a@there.example', 'b@there.example']));
    assert.deepEqual(
      outcomes.map((one) => [one.type, 'permanent' in one && one.permanent]),
      [
        ['delivered', false],
        ['failed', false],
      ],
    );
  });

  it('is sent over when the host breaks off behind its answer', async () => {
    const { outcome } = await sentAlone({ hosts: { '192.0.2.1': answering({ QUIT: 'drop' }) } });
    assert.equal(outcome.type, 'delivered', 'smtp 130');
  });

  it('smtp 130: may have been taken when the host falls silent behind its end', async () => {
    const { outcome, world } = await sentAlone(twoHosts(answering({ '.': 'drop' })));
    assert.partialDeepStrictEqual(outcome, {
      type: 'failed',
      permanent: false,
      mayBeTaken: true,
      reply: { code: 0 },
    });
    assert.match(outcome.type === 'failed' ? outcome.reply.text : '', /may have taken it/);
    assert.ok(!('remote' in outcome), 'who has said nothing has given no answer');
    assert.deepEqual(world.hosts.dialed, ['192.0.2.1'], 'no other host gets it');
  });

  it('smtp 131: is never sent with line ends that are none', async () => {
    const world = attemptWorld();
    const octets = Buffer.from('Subject: hi\r\n\r\nbare\nend\r\n');
    const bodies = { ...world.ports.bodies, read: () => octets };
    const ports = { ...world.ports, bodies };
    const [outcome] = await outcomesAt({ ...world, ports }, attemptAt(['bob@there.example']));
    assert.partialDeepStrictEqual(outcome, { permanent: true, reply: { enhancedCode: '5.6.0' } });
    assert.ok(!world.hosts.heard[0]?.commands.some((line) => /^(MAIL|DATA)/.test(line)));
  });

  it('that is long is read in pieces', async () => {
    const world = attemptWorld();
    const pieces = ['Subject: hi\r\n\r\n', ...Array.from({ length: 5 }, () => 'a\r\n')];
    const stream = (): Readable => Readable.from(pieces.map((piece) => Buffer.from(piece)));
    const ports = { ...world.ports, bodies: { ...world.ports.bodies, stream } };
    const one = attemptAt(['bob@there.example'], { sizeBytes: 1_000_000 });
    const [outcome] = await outcomesAt({ ...world, ports }, one);
    assert.equal(outcome?.type, 'delivered');
    assert.equal(world.hosts.mail[0]?.text, pieces.join(''));
  });

  it('smtp 118: that is larger than the host takes has failed at once', async () => {
    const small = { words: ['SIZE 10'] };
    const { outcome } = await sentAlone({ hosts: { '192.0.2.1': small } });
    const reply = { code: 0, enhancedCode: '5.3.4' };
    assert.partialDeepStrictEqual(outcome, { type: 'failed', permanent: true, reply });
  });
});

describe('a domain of which nobody knows whether it has a policy', () => {
  const failure = { resultType: 'sts-policy-fetch-error', reason: 'dns-lookup' } as const;
  const stsPolicyFor = (): Promise<StsOutcome> => Promise.resolve({ type: 'unknown', failure });

  it('is not asked, and that counts as a failed session of its own policy', async () => {
    const { outcome, world } = await sentAlone({ ports: { stsPolicyFor } });
    assert.partialDeepStrictEqual(outcome, { type: 'failed', permanent: false });
    assert.deepEqual(world.hosts.dialed, []);
    const [result, ...more] = world.tlsResults.noted;
    assert.deepEqual(more, []);
    assert.partialDeepStrictEqual(result, {
      recipientDomain: 'there.example',
      policyDomain: 'there.example',
      isHost: false,
      policy: { type: 'no-policy-found' },
      successes: 0,
      failures: 1,
      details: [{ resultType: failure.resultType, reasonCode: failure.reason, sessions: 1 }],
    });
  });
});

describe('hosts', () => {
  it('smtp 108: are passed over that cannot be reached or cannot take mail now', async () => {
    for (const [what, a] of [
      ['down', { isDown: true }],
      ['greeting', answering({ connect: '450 4.3.2 later' })],
      ['greeting 421', answering({ connect: '421 4.3.2 later' })],
      ['EHLO', answering({ EHLO: '451 4.3.0 later' })],
      ['MAIL', answering({ MAIL: '451 4.3.0 later' })],
      ['DATA', answering({ DATA: '451 4.3.0 later' })],
      ['drop at RCPT', answering({ RCPT: 'drop' })],
      ['drop in DATA', answering({ data: 'drop' })],
    ] as const) {
      const { outcome, world } = await sentAlone(twoHosts(a));
      // All of so small a message is out before anybody could see the end of the connection.
      const isOut = what === 'drop in DATA';
      assert.equal(outcome.type, isOut ? 'failed' : 'delivered', what);
      if (isOut) continue;
      assert.deepEqual(world.hosts.dialed, ['192.0.2.1', '192.0.2.2'], what);
      assert.deepEqual(
        outcome.dialed?.map(({ host }) => host),
        ['a.there.example', 'b.there.example'],
      );
      assert.deepEqual(outcome.remote, { host: 'b.there.example', ip: '192.0.2.2' });
    }
  });

  it('smtp 108: end the attempt when they refuse for good', async () => {
    for (const a of [
      answering({ connect: '554 5.3.2 no' }),
      answering({ EHLO: '550 5.7.1 no' }),
      answering({ MAIL: '550 5.7.1 no' }),
      answering({ DATA: '554 5.7.1 no' }),
    ]) {
      const { outcome, world } = await sentAlone(twoHosts(a));
      assert.partialDeepStrictEqual(outcome, { type: 'failed', permanent: true });
      assert.deepEqual(world.hosts.dialed, ['192.0.2.1']);
    }
  });

  it('smtp 108: keep a recipient waiting alone, and no other host is asked', async () => {
    const a = answering({ 'RCPT TO:<wait@there.example>': '451 4.2.1 later' });
    const world = attemptWorld(twoHosts(a));
    const outcomes = await outcomesAt(world, attemptAt(['ok@there.example', 'wait@there.example']));
    assert.equal(outcomes[0]?.type, 'delivered');
    assert.partialDeepStrictEqual(outcomes[1], { permanent: false, reply: { code: 451 } });
    assert.equal(world.hosts.heard.length, 1);
    const [alone] = await outcomesAt(attemptWorld(twoHosts(a)), attemptAt(['wait@there.example']));
    assert.partialDeepStrictEqual(alone, { permanent: false, reply: { code: 451 } });
  });

  it('have failed for now while one of them gives hope', async () => {
    const zones = { ...TWO, 'b.there.example': { A: [], fails: ['A', 'AAAA'] as const } };
    const gone = { ...zones, 'a.there.example': {} };
    const { outcome } = await sentAlone({ zones: gone });
    assert.partialDeepStrictEqual(outcome, { permanent: false, reply: { enhancedCode: '4.4.3' } });
    const none = { ...gone, 'b.there.example': {} };
    const { outcome: never } = await sentAlone({ zones: none });
    assert.partialDeepStrictEqual(never, { permanent: true, reply: { enhancedCode: '5.4.4' } });
  });

  it('queue 19, smtp 107: are not there for domains that take no mail', async () => {
    const none = { 'there.example': { MX: [{ preference: 0, exchange: '.' }] } };
    const circle = { 'there.example': { CNAME: ['there.example'] } };
    for (const [zones, permanent, enhancedCode] of [
      [none, true, '5.1.10'],
      [{}, true, '5.1.2'],
      [{ 'there.example': { fails: ['MX'], why: 'timeout' } }, false, '4.4.3'],
      [circle, false, '4.4.6'],
    ] as const) {
      const { outcome, world } = await sentAlone({ zones });
      const reply = { code: 0, enhancedCode };
      assert.partialDeepStrictEqual(outcome, { type: 'failed', permanent, reply });
      assert.equal(world.hosts.heard.length, 0);
    }
  });

  it('that are many or talk a lot leave little on the record', async () => {
    const ips = Array.from({ length: 60 }, (_, i) => `192.0.2.${100 + i}`);
    const names = ['a', 'b', 'c', 'd'].map((name) => `${name}.there.example`);
    const zones: Record<string, Zone> = {
      'there.example': { MX: names.map((exchange, preference) => ({ preference, exchange })) },
    };
    for (const [i, name] of names.entries()) {
      zones[name] = { A: ips.slice(i * 15, i * 15 + 15), insecure: true };
    }
    const { outcome, world } = await sentAlone({ zones, hosts: {} });
    assert.equal(world.hosts.dialed.length, 60);
    assert.deepEqual(
      outcome.dialed?.map(({ ip }) => ip),
      ips.slice(40),
    );
    const long = Array.from({ length: 100 }, () => `550-${'x'.repeat(200)}`).join('\r\n');
    const host = answering({ RCPT: `${long}\r\n550 end` });
    const told = await sentAlone({ hosts: { '192.0.2.1': host } });
    assert.equal(told.outcome.type === 'failed' && told.outcome.reply.text.length, 1000);
  });

  it('smtp 119: that do not speak SMTP have failed for now', async () => {
    for (const said of ['250-a\r\n550 b', 'hello', '421 4.3.2 bye']) {
      const { outcome } = await sentAlone({ hosts: { '192.0.2.1': answering({ MAIL: said }) } });
      assert.partialDeepStrictEqual(outcome, { type: 'failed', permanent: false });
    }
  });

  it('are asked by one family only where the transport says so', async () => {
    const both = { A: ['192.0.2.1'], AAAA: ['2001:db8::1'], insecure: true };
    const zones = { ...THERE, 'mx.there.example': both };
    for (const [family, ip] of [
      ['ipv4', '192.0.2.1'],
      ['ipv6', '2001:db8::1'],
    ] as const) {
      const world = attemptWorld({ zones, hosts: { [ip]: {} } });
      const transport = { type: 'direct', families: [family] } as const;
      const { signal } = new AbortController();
      await attemptDirectly(transport, attemptAt(['b@there.example']), world.ports, signal);
      assert.deepEqual(world.hosts.dialed, [ip]);
    }
  });
});

describe('a host with addresses of both families', () => {
  const both = { A: ['192.0.2.1'], AAAA: ['2001:db8::1'], insecure: true };
  const zones = { ...THERE, 'mx.there.example': both };
  const refusing = answering({ MAIL: '554 5.7.1 not you' });
  const hosts = { '192.0.2.1': refusing, '2001:db8::1': refusing };

  it('queue 20, smtp 109: is asked again by the other one, then it is final', async () => {
    const { outcome, world } = await sentAlone({ zones, hosts });
    assert.partialDeepStrictEqual(outcome, { permanent: false, reply: { code: 554 } });
    const [first] = world.hosts.dialed;
    const dialed = outcome.dialed ?? [];
    const again = await sentAlone({ zones, hosts }, { attempts: 2, dialed });
    assert.partialDeepStrictEqual(again.outcome, { permanent: true, reply: { code: 554 } });
    assert.notEqual(again.world.hosts.dialed[0], first);
  });

  it('queue 20: has refused for good by then, and the recipient is suppressed', async () => {
    const { world, hosts: asked } = await openRemoteWorld({ zones, hosts });
    await world.submit(ALICE, 'bob@there.example');
    assert.ok(!world.types(ALICE).includes('MessageRetired'));
    await world.pass(455_000);
    assert.equal(new Set(asked.dialed).size, 2);
    assert.equal(asked.dialed.length, 2);
    assert.partialDeepStrictEqual(world.last('AttemptFailed'), { attempt: 2, permanent: true });
    assert.equal(world.last('MessageRetired').outcome, 'failed');
    assert.equal(world.last('AddressSuppressed').address, 'bob@there.example');
  });

  it('smtp 110: sees the same address after it asked to come again', async () => {
    const one = { A: ['192.0.2.1', '192.0.2.2', '192.0.2.3'], insecure: true };
    const grey = answering({ RCPT: '450 4.2.0 greylisted' });
    const last = { host: 'mx.there.example', ip: '192.0.2.2' };
    const options = {
      zones: { ...THERE, 'mx.there.example': one },
      hosts: { '192.0.2.1': grey, '192.0.2.2': grey, '192.0.2.3': grey },
    };
    const { world } = await sentAlone(options, { attempts: 2, dialed: [last] });
    assert.deepEqual(world.hosts.dialed, ['192.0.2.2']);
  });

  it('is dialled at each of them before it is given up', async () => {
    const down = { '192.0.2.1': { isDown: true }, '2001:db8::1': {} };
    const other = { '2001:db8::1': { isDown: true }, '192.0.2.1': {} };
    for (const there of [down, other]) {
      const { outcome, world } = await sentAlone({ zones, hosts: there });
      assert.equal(outcome.type, 'delivered');
      // Half a minute for all of them.
      for (const { target } of world.hosts.heard) assert.equal(target.timeoutMs, 15_000);
    }
  });

  it('is asked no more when it answers, but not yet', async () => {
    const busy = answering({ connect: '421 4.3.2 later' });
    const one = { '192.0.2.1': busy, '2001:db8::1': busy };
    const { outcome, world } = await sentAlone({ zones, hosts: one });
    assert.partialDeepStrictEqual(outcome, { permanent: false, reply: { code: 421 } });
    assert.equal(world.hosts.dialed.length, 1);
  });
});

describe('what a message needs', () => {
  it('smtp 117: is looked for at every host; without SMTPUTF8 it has failed for good', async () => {
    const without = { words: ['8BITMIME'] };
    const { outcome, world } = await sentAlone(twoHosts(without, without), { smtpUtf8: true });
    const reply = { code: 0, enhancedCode: '5.6.7' };
    assert.partialDeepStrictEqual(outcome, { type: 'failed', permanent: true, reply });
    assert.equal(world.hosts.heard.length, 2);
    const second = await sentAlone(twoHosts(without, { words: ['SMTPUTF8'] }), { smtpUtf8: true });
    assert.equal(second.outcome.type, 'delivered');
    const hope = await sentAlone(twoHosts(without, { isDown: true }), { smtpUtf8: true });
    assert.partialDeepStrictEqual(hope.outcome, { permanent: false });
    const before = await sentAlone(twoHosts({ isDown: true }, without), { smtpUtf8: true });
    assert.partialDeepStrictEqual(before.outcome, { permanent: false });
  });
});
