/**
 * The queue at work with the hosts of the world: when it tries, by which way, how many at once, and
 * what senders hear.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HostScript } from '../../../support/fake-hosts.ts';
import { answering, openRemoteWorld, type RemoteOptions } from '../../../support/remote-world.ts';
import { ALICE, settled } from '../../../support/smtp.ts';
import { QueueWorld } from '../../../support/queue-world.ts';
import type { AttemptFailed } from '#domain/queue/events';
import { transportByRoute, type Route } from '#domain/queue/route';
import { failingFirst, type RemotePorts } from '#protocols/smtp/attempt';
import { localAttempts } from '#protocols/smtp/local-attempt';
import { DIRECT, type Transport } from '#protocols/smtp/transport';

const MINUTE = 60_000;

function failures(world: QueueWorld): readonly AttemptFailed[] {
  return world.accounts.events(ALICE).filter((event) => event.type === 'AttemptFailed');
}

function retired(world: QueueWorld): readonly string[] {
  return world.accounts
    .events(ALICE)
    .flatMap((event) => (event.type === 'MessageRetired' ? [event.outcome] : []));
}

function notices(world: QueueWorld): readonly string[] {
  return world.accounts
    .events(ALICE)
    .filter((event) => event.type === 'MessageDelivered')
    .map((event) => world.text(event));
}

/** Lets time pass until the item has left the queue. */
async function untilRetired(world: QueueWorld): Promise<void> {
  for (let i = 0; i < 2000 && world.items(ALICE).length > 0; i++) await world.pass(MINUTE);
}

const REFUSING: RemoteOptions = { hosts: { '192.0.2.1': answering({ RCPT: '450 4.0.0 later' }) } };

describe('a recipient that is refused for now', () => {
  it('queue 1, queue 2, smtp 102: is tried eight times, its sender hears of it twice', async () => {
    const { world, hosts } = await openRemoteWorld(REFUSING);
    const startedAt = world.clock.now();
    await world.submit(ALICE, 'bob@there.example');
    const times = [world.clock.now() - startedAt];
    for (let i = 0; i < 1000 && world.items(ALICE).length > 0; i++) {
      const made = failures(world).length;
      await world.pass(MINUTE);
      if (failures(world).length > made) times.push(world.clock.now() - startedAt);
    }
    const expected = [0, 7.5, 22.5, 52.5, 112.5, 232.5, 472.5, 952.5];
    assert.equal(times.length, 8);
    for (const [i, minutes] of expected.entries()) {
      // The base is 445 to 454 seconds, and the test looks once a minute.
      assert.ok(Math.abs((times[i] ?? 0) - minutes * MINUTE) <= minutes * 700 + MINUTE, `${i}`);
    }
    assert.deepEqual(retired(world), ['failed']);
    const [delayed = '', failed = '', ...more] = notices(world);
    assert.equal(more.length, 0);
    assert.match(delayed, /Action: delayed\r\nStatus: 4\.0\.0 /);
    const told = [...delayed.matchAll(/^ {2}(\w{3}, .*)\r$/gm)].map(([, at = '']) =>
      Date.parse(at),
    );
    assert.equal(told.length, 3);
    for (const [i, at] of told.entries()) {
      assert.ok(Math.abs(at - startedAt - (times[5 + i] ?? 0)) < 10 * MINUTE, `told ${i}`);
    }
    const until = Date.parse(/Will-Retry-Until: (.*)\r\n/.exec(delayed)?.[1] ?? '');
    const eighth = startedAt + (times[7] ?? 0);
    assert.ok(Math.abs(until - eighth) < 10 * MINUTE, 'the time of the eighth attempt');
    assert.match(failed, /Action: failed\r\nStatus: 5\.0\.0 /);
    assert.match(failed, /Diagnostic-Code: smtp; 450 4\.0\.0 later/);
    await world.pass(3 * 24 * 60 * MINUTE);
    assert.equal(hosts.heard.length, 8, 'no ninth');
  });

  it('queue 3: is tried as often as the message says', async () => {
    const { world } = await openRemoteWorld(REFUSING);
    const recipients = [{ recipient: 'bob@there.example' }];
    await world.queueMail(ALICE, { recipients, options: { attemptsMax: 5 } });
    await untilRetired(world);
    assert.equal(failures(world).length, 5);
    const [failed = '', ...more] = notices(world);
    assert.match(failed, /\r\nAction: failed\r\n/);
    assert.equal(more.length, 0, 'nothing of a delay');
  });
});

describe('a recipient that is refused for good', () => {
  it('queue 4, smtp 103: fails at once, and its sender hears who said so', async () => {
    const hosts = { '192.0.2.1': answering({ RCPT: '550 no' }) };
    const { world } = await openRemoteWorld({ hosts });
    await world.submit(ALICE, 'bob@there.example');
    const [only, ...more] = failures(world);
    assert.equal(more.length, 0);
    assert.partialDeepStrictEqual(only, { code: 550, enhancedCode: '', permanent: true });
    assert.deepEqual(retired(world), ['failed']);
    const [notice = ''] = notices(world);
    assert.match(notice, /Remote-MTA: dns;mx\.there\.example \(\[192\.0\.2\.1\]\)\r\n/);
    assert.match(notice, /Diagnostic-Code: smtp; 550 no\r\n/);
    assert.match(notice, /References: <1@localhost>\r\n/);
  });

  it('queue 19: by DNS is not taken for a bad address', async () => {
    const zones = { 'there.example': { MX: [{ preference: 0, exchange: '.' }] } };
    const { world } = await openRemoteWorld({ zones });
    await world.submit(ALICE, 'bob@there.example');
    assert.deepEqual(retired(world), ['failed']);
    assert.ok(!world.types(ALICE).includes('AddressSuppressed'));
  });
});

describe('recipients of one domain', () => {
  const three = ['a@there.example', 'b@there.example', 'c@there.example'] as const;

  it('queue 11, smtp 104: go together, or alone where each has its own sender', async () => {
    const { world, hosts } = await openRemoteWorld();
    await world.submit(ALICE, ...three);
    assert.deepEqual(
      hosts.mail.map(({ to }) => to),
      [three],
    );
    assert.deepEqual(retired(world), ['delivered', 'delivered', 'delivered']);
    const recipients = three.map((recipient, i) => ({
      recipient,
      fromId: { id: `id${i}`, mailFrom: `alice+id${i}@localhost` },
    }));
    await world.queueMail(ALICE, { recipients });
    assert.equal(hosts.mail.length, 4);
  });

  it('queue 12: end each for itself, and the sender hears of the one that failed', async () => {
    const hosts = { '192.0.2.1': answering({ 'RCPT TO:<b@there.example>': '550 5.1.1 who?' }) };
    const { world } = await openRemoteWorld({ hosts });
    await world.submit(ALICE, ...three);
    const [failure, ...more] = failures(world);
    assert.equal(more.length, 0);
    assert.partialDeepStrictEqual(failure, { code: 550, enhancedCode: '5.1.1', permanent: true });
    assert.deepEqual(retired(world).toSorted(), ['delivered', 'delivered', 'failed']);
    assert.equal(notices(world).length, 1);
    assert.match(notices(world)[0] ?? '', /Final-Recipient: rfc822;b@there\.example\r\n/);
    assert.equal(world.last('AddressSuppressed').address, 'b@there.example');
  });

  it('queue 13: that are suppressed are left out', async () => {
    const { world, hosts } = await openRemoteWorld();
    const address = 'b@there.example';
    await world.commands.execute(
      ALICE,
      { type: 'SuppressAddress', address, reason: 'x' },
      { actor: 'test' },
    );
    await world.submit(ALICE, ...three);
    assert.deepEqual(hosts.mail[0]?.to, ['a@there.example', 'c@there.example']);
    assert.deepEqual(retired(world).toSorted(), ['delivered', 'delivered', 'suppressed']);
  });

  it('queue 14: go apart when what they require differs', async () => {
    const { world, hosts } = await openRemoteWorld({
      transports: { also: DIRECT },
      hosts: { '192.0.2.1': { words: ['STARTTLS'] } },
    });
    const recipients = three.map((recipient) => ({ recipient }));
    const releaseAt = world.clock.now() + 1000;
    await world.queueMail(ALICE, { recipients, releaseAt });
    const [first, second] = world.items(ALICE).map(({ queueId }) => queueId);
    const cause = { actor: 'test' };
    const queueIds = [first ?? 0];
    const free = { type: 'SetTlsRequirement', queueIds, requireTls: false } as const;
    await world.commands.execute(ALICE, free, cause);
    const forced = { type: 'ForceTransport', queueIds: [second ?? 0], transport: 'also' } as const;
    await world.commands.execute(ALICE, forced, cause);
    await world.pass(1000);
    assert.deepEqual(
      hosts.mail.map(({ to }) => to.length),
      [1, 1, 1],
    );
  });

  it('queue 10, smtp 106: are served one after the other, and others meanwhile', async () => {
    const zones = Object.fromEntries(
      Array.from({ length: 12 }, (_, i) => [`d${i}.example`, { A: ['192.0.2.1'] }]),
    );
    let silences = 0;
    const slow: HostScript = {
      answer: (command) => {
        if (!command.startsWith('EHLO')) return undefined;
        silences++;
        return 'silence';
      },
    };
    const { world, hosts } = await openRemoteWorld({ zones, hosts: { '192.0.2.1': slow } });
    await world.submit(ALICE, 'a@d0.example');
    await world.submit(ALICE, 'b@d0.example');
    assert.equal(silences, 1, 'one connection to a domain');
    for (let i = 1; i < 12; i++) await world.submit(ALICE, `a@d${i}.example`);
    assert.equal(silences, 10, 'ten in all');
    hosts.set('192.0.2.1', {});
    await world.pass(31_000);
    assert.equal(hosts.openMax, 10);
    assert.equal(hosts.mail.length, 3, 'who waited for a place');
  });
});

describe('the way', () => {
  const route = (transport: string, more: Partial<Route> = {}): Route => ({
    fromDomain: [],
    toDomain: [],
    minimumAttempts: 0,
    transport,
    ...more,
  });

  function routing(...lists: readonly (readonly Route[])[]): Pick<RemotePorts, 'routeFor'> {
    return { routeFor: (_, routed) => transportByRoute(lists, routed) };
  }

  const FAILS: Record<string, Transport> = {
    later: { type: 'fail', code: 452, text: 'x' },
    never: { type: 'fail', code: 554, text: 'no more mail' },
  };

  it('queue 17, smtp 121: may be none: an answer of our own', async () => {
    const { world, hosts } = await openRemoteWorld({
      transports: FAILS,
      ports: routing([route('later', { toDomain: ['later.example'] }), route('never')]),
    });
    await world.submit(ALICE, 'bob@later.example', 'bob@there.example');
    const [later, never] = failures(world);
    assert.partialDeepStrictEqual(later, { code: 452, text: 'x', enhancedCode: '4.7.0' });
    assert.partialDeepStrictEqual(never, { code: 554, enhancedCode: '5.7.0', permanent: true });
    assert.deepEqual(retired(world), ['failed']);
    assert.ok(!world.types(ALICE).includes('AddressSuppressed'));
    assert.match(notices(world)[0] ?? '', /no more mail/);
    assert.equal(hosts.heard.length, 0);
  });

  it('queue 17: comes before local delivery when it is one that fails', async () => {
    const world = new QueueWorld();
    const { bodies, clock } = world;
    const directory = { separatorsOf: () => '' };
    const local = localAttempts('localhost', { bodies, directory, clock });
    const routes = [route('never', { toDomain: ['there.example'] })];
    const transports = new Map(Object.entries(FAILS));
    await world.start(failingFirst(local, transports, routing(routes)));
    await world.submit(ALICE, 'bob@there.example');
    assert.partialDeepStrictEqual(failures(world), [{ code: 554, text: 'no more mail' }]);
    await world.submit(ALICE, 'bob@other.example');
    assert.deepEqual(retired(world), ['failed', 'delivered']);
  });

  it('queue 15, smtp 122: is found anew for every attempt', async () => {
    const { world, hosts } = await openRemoteWorld({
      ...REFUSING,
      transports: { smart: relayTo('relay.example') },
      ports: routing([route('smart', { minimumAttempts: 3, toDomain: ['.example'] })]),
    });
    hosts.set('relay.example', {});
    await world.submit(ALICE, 'bob@there.example');
    await untilRetired(world);
    assert.deepEqual(hosts.dialed, ['192.0.2.1', '192.0.2.1', '192.0.2.1', 'relay.example']);
    assert.deepEqual(retired(world), ['delivered']);
    const ways = world.accounts
      .events(ALICE)
      .flatMap((event) => (event.type === 'AttemptStarted' ? [event.transport] : []));
    assert.deepEqual(ways, ['', '', '', 'smart']);
  });

  it('queue 15: of an address has no domain, as a route may say', async () => {
    const ports = routing([route('never', { toDomain: ['.'] })]);
    const { world } = await openRemoteWorld({ transports: FAILS, ports });
    await world.submit(ALICE, 'bob@[192.0.2.1]');
    await world.submit(ALICE, 'bob@there.example');
    assert.deepEqual(retired(world), ['failed', 'delivered']);
  });

  it('queue 16: that is not configured any more is named, and the message waits', async () => {
    const { world } = await openRemoteWorld();
    const recipients = [{ recipient: 'bob@there.example' }];
    await world.queueMail(ALICE, { recipients, options: { transport: 'gone' } });
    const [failure] = failures(world);
    assert.partialDeepStrictEqual(failure, { code: 0, permanent: false });
    assert.match(failure?.text ?? '', /gone/);
    assert.equal(world.items(ALICE).length, 1);
  });

  it('smtp 123: through a proxy leads to the same hosts under another name', async () => {
    const proxy = { host: 'proxy.example', port: 1080, hostName: 'out.example.org' };
    const through: string[] = [];
    const { world, hosts } = await openRemoteWorld({
      transports: { socks: { ...DIRECT, proxy } },
      ports: {
        ...routing([route('socks')]),
        socksDialer: ({ host }) => ({
          dial: (target) => {
            through.push(`${host} ${target.host}`);
            return hosts.dialer.dial(target);
          },
        }),
      },
    });
    await world.submit(ALICE, 'bob@there.example');
    assert.deepEqual(through, ['proxy.example 192.0.2.1']);
    assert.equal(hosts.heard[0]?.commands[0], 'EHLO out.example.org');
    assert.deepEqual(retired(world), ['delivered']);
  });

  it('queue 22: is closed while the domain of the sender is disabled', async () => {
    let isDisabled = true;
    const { world, hosts } = await openRemoteWorld({
      ports: { isDisabled: (domain) => domain === 'localhost' && isDisabled },
    });
    await world.submit(ALICE, 'bob@there.example');
    assert.match(failures(world)[0]?.text ?? '', /temporarily disabled/);
    assert.equal(hosts.heard.length, 0);
    isDisabled = false;
    await untilRetired(world);
    assert.deepEqual(retired(world), ['delivered']);
  });
});

describe('a stop', () => {
  it('queue 40: waits for attempts that run, and begins no other', async () => {
    let held: (() => void) | undefined;
    const { world, hosts } = await openRemoteWorld();
    const { dialer } = hosts;
    const waiting = await openRemoteWorld({
      ports: {
        dialer: {
          dial: async (target) => {
            await new Promise<void>((resolve) => (held = resolve));
            return await dialer.dial(target);
          },
        },
      },
    });
    await waiting.world.submit(ALICE, 'bob@there.example');
    const stopping = waiting.world.runner?.stop();
    await waiting.world.submit(ALICE, 'carol@there.example');
    held?.();
    await stopping;
    assert.deepEqual(retired(waiting.world), ['delivered']);
    assert.equal(waiting.world.items(ALICE).length, 1);
    assert.equal(world.items(ALICE).length, 0);
  });

  it('that cuts a transaction short still records what was delivered before', async () => {
    let mails = 0;
    const one: HostScript = {
      words: ['LIMITS RCPTMAX=1'],
      answer: (command) => (command.startsWith('MAIL') && mails++ > 0 ? 'silence' : undefined),
    };
    const { world } = await openRemoteWorld({ hosts: { '192.0.2.1': one } });
    await world.submit(ALICE, 'a@there.example', 'b@there.example');
    const stopping = world.runner?.stop();
    await world.pass(10_000);
    await stopping;
    assert.deepEqual(retired(world), ['delivered']);
    assert.equal(world.last('AttemptFailed').permanent, false);
  });

  it('queue 6: that nobody can wait for leaves the outcome open', async () => {
    const never: HostScript = { answer: () => 'silence' };
    const { world } = await openRemoteWorld({ hosts: { '192.0.2.1': never } });
    await world.submit(ALICE, 'bob@there.example');
    const stopping = world.runner?.stop();
    await world.pass(9_999);
    assert.equal(world.types(ALICE).at(-1), 'AttemptStarted');
    await world.pass(1);
    await stopping;
    assert.equal(world.types(ALICE).at(-1), 'AttemptStarted');
    const nextAt = world.items(ALICE)[0]?.nextAttemptAt;
    await world.start();
    assert.equal(world.types(ALICE).at(-1), 'AttemptInterrupted');
    assert.equal(world.items(ALICE)[0]?.nextAttemptAt, nextAt);
  });
});

describe('what fails on our side', () => {
  it('is a failure for now, of which nobody knows how far it had come', async () => {
    const broken = new Error('a mistake of ours');
    const { world } = await openRemoteWorld({
      ports: { stsPolicyFor: () => Promise.reject(broken) },
    });
    await world.submit(ALICE, 'bob@there.example');
    await settled();
    assert.partialDeepStrictEqual(failures(world), [{ permanent: false, mayBeTaken: true }]);
    assert.equal(world.items(ALICE)[0]?.inAttempt, false);
  });
});

function relayTo(host: string): Transport {
  return { type: 'relay', host, port: 25, tls: 'none', anyCertificate: false };
}
