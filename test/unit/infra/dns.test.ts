/**
 * The resolver: what it believes, keeps, asks again, and gives up.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Answer, Packet } from 'dns-packet';
import { fakeClock, fakeRandom, type FakeClock } from '../../support/clock.ts';
import {
  ANSWER,
  answerTo,
  AUTHENTIC,
  startDnsServer,
  TRUNCATED,
  type Asked,
  type DnsTestServer,
  type Reply,
} from '../../support/dns-server.ts';
import { silentLog } from '../../support/silent-log.ts';
import { openResolver, type OpenResolver } from '#infra/dns';

const A: Answer = { type: 'A', name: 'a.example', class: 'IN', ttl: 300, data: '192.0.2.1' };
const ADDRESS = ['192.0.2.1'];

const FORMERR: Packet = { flags: ANSWER | 1 };
const SERVFAIL: Packet = { flags: ANSWER | 2 };

const gives =
  (more: Packet): Reply =>
  (asked) => [answerTo(asked, more)];

/** RFC 8914 §2, which the library cannot write. */
function bogus(asked: Asked): readonly Buffer[] {
  const name = Buffer.from('\u0001a\u0007example\u0000\u0000\u0001\u0000\u0001', 'latin1');
  const header = Buffer.from('000081820001000000000001', 'hex');
  header.writeUInt16BE(asked.packet.id ?? 0, 0);
  const option = Buffer.from('0000290200000000000009000f0005000662616420', 'hex');
  option.writeUInt16BE(9, 9);
  return [Buffer.concat([header, name, option])];
}

function resolverOf(
  servers: readonly (readonly [DnsTestServer | { readonly port: number }, boolean])[],
  clock: FakeClock = fakeClock(),
): OpenResolver {
  return openResolver({
    servers: servers.map(([{ port }, trusted]) => ({ ip: '127.0.0.1', port, trusted })),
    clock,
    random: fakeRandom(),
    log: silentLog,
  });
}

/** Until so many questions have come. */
async function askedOf(server: DnsTestServer, count: number): Promise<void> {
  while (server.asked.length < count) await turn();
}

describe('dns', () => {
  it('believes AD only of a server that it trusts', async () => {
    await using server = await startDnsServer(gives({ flags: ANSWER | AUTHENTIC, answers: [A] }));
    for (const trusted of [true, false]) {
      const answer = await resolverOf([[server, trusted]]).lookup('A', 'A.example');
      assert.deepEqual(answer, {
        type: 'found',
        records: ADDRESS,
        authentic: trusted,
        ttlSeconds: 300,
      });
    }
  });

  it('tells no name from no record', async () => {
    await using none = await startDnsServer(gives({}));
    await using nothing = await startDnsServer(gives({ flags: ANSWER | AUTHENTIC | 3 }));
    assert.deepEqual(await resolverOf([[none, true]]).lookup('A', 'a.example'), {
      type: 'nodata',
      authentic: false,
      ttlSeconds: 60,
    });
    assert.deepEqual(await resolverOf([[nothing, true]]).lookup('A', 'a.example'), {
      type: 'nxdomain',
      authentic: true,
      ttlSeconds: 60,
    });
  });

  it('asks again over TCP when the answer does not fit', async () => {
    await using server = await startDnsServer((asked) => [
      asked.over === 'udp'
        ? answerTo(asked, { flags: ANSWER | TRUNCATED })
        : answerTo(asked, { answers: [A] }),
    ]);
    const answer = await resolverOf([[server, true]]).lookup('A', 'a.example');
    assert.deepEqual(answer.type === 'found' && answer.records, ADDRESS);
    assert.deepEqual(
      server.asked.map(({ over }) => over),
      ['udp', 'tcp'],
    );
  });

  it('asks servers again without EDNS that do not understand it', async () => {
    await using server = await startDnsServer((asked) => [
      answerTo(asked, asked.packet.additionals?.length === 0 ? { answers: [A] } : FORMERR),
    ]);
    const answer = await resolverOf([[server, true]]).lookup('A', 'a.example');
    assert.deepEqual(answer.type === 'found' && answer.records, ADDRESS);
    assert.equal(server.asked.length, 2);
  });

  it('waits for the answer behind what only looks like one', async () => {
    await using server = await startDnsServer((asked) => [
      Buffer.from('nonsense'),
      answerTo(asked, { id: ((asked.packet.id ?? 0) + 1) % 65536, answers: [A] }),
      answerTo(asked, { answers: [{ ...A, data: '192.0.2.7' }] }),
    ]);
    const answer = await resolverOf([[server, true]]).lookup('A', 'a.example');
    assert.deepEqual(answer.type === 'found' && answer.records, ['192.0.2.7']);
  });

  it('keeps answers for their time, and nothing too', async () => {
    await using server = await startDnsServer((asked) => [
      asked.type === 'A' ? answerTo(asked, { answers: [A] }) : answerTo(asked),
    ]);
    const clock = fakeClock();
    const resolver = resolverOf([[server, true]], clock);
    for (const type of ['A', 'AAAA', 'A', 'AAAA'] as const) {
      await resolver.lookup(type, 'a.example');
    }
    assert.equal(server.asked.length, 2);
    clock.advance(60_000);
    const kept = await resolver.lookup('A', 'a.example');
    assert.equal(kept.type === 'found' && kept.ttlSeconds, 240);
    await resolver.lookup('AAAA', 'a.example');
    assert.equal(server.asked.length, 3);
    clock.advance(240_000);
    await resolver.lookup('A', 'a.example');
    assert.equal(server.asked.length, 4);
  });

  it('keeps no more than fits: the oldest goes', async () => {
    const data = Array.from({ length: 240 }, () => Buffer.alloc(250, 'x'));
    await using server = await startDnsServer((asked) => {
      const { name } = asked;
      const long: Answer = { type: 'TXT', name, class: 'IN', ttl: 300, data: [...data] };
      return [
        asked.over === 'udp'
          ? answerTo(asked, { flags: ANSWER | TRUNCATED })
          : answerTo(asked, { answers: [long] }),
      ];
    });
    const resolver = resolverOf([[server, true]]);
    // Sixteen MiB and a bit, 60,000 octets each.
    for (let i = 0; i < 280; i++) await resolver.lookup('TXT', `n${i}.example`);
    const before = server.asked.length;
    await resolver.lookup('TXT', 'n279.example');
    assert.equal(server.asked.length, before);
    await resolver.lookup('TXT', 'n0.example');
    assert.equal(server.asked.length, before + 2);
  });

  it('asks once for all who ask at once', async () => {
    await using server = await startDnsServer(gives({ answers: [A] }));
    const resolver = resolverOf([[server, true]]);
    const asking = Array.from({ length: 5 }, () => resolver.lookup('A', 'a.example'));
    const answers = await Promise.all(asking);
    assert.ok(answers.every(({ type }) => type === 'found'));
    assert.equal(server.asked.length, 1);
  });

  it('asks the next server when one fails or is not there', async () => {
    await using failing = await startDnsServer(gives(SERVFAIL));
    await using good = await startDnsServer(gives({ answers: [A] }));
    const gone = await startDnsServer(() => []);
    await gone[Symbol.asyncDispose]();
    const resolver = resolverOf([
      [failing, false],
      [gone, false],
      [good, false],
    ]);
    assert.equal((await resolver.lookup('A', 'a.example')).type, 'found');
    assert.equal(failing.asked.length, 1);
  });

  it('asks nobody who verifies nothing after one who does has failed', async () => {
    await using failing = await startDnsServer(gives(SERVFAIL));
    await using careless = await startDnsServer(gives({ answers: [A] }));
    const answer = await resolverOf([
      [failing, true],
      [careless, false],
    ]).lookup('A', 'a.example');
    assert.equal(answer.type === 'failed' && answer.why, 'servfail');
    assert.equal(careless.asked.length, 0);
  });

  it('tells forged answers by the extended error, and asks nobody else', async () => {
    await using server = await startDnsServer(bogus);
    await using other = await startDnsServer(gives({ answers: [A] }));
    const answer = await resolverOf([
      [server, true],
      [other, true],
    ]).lookup('A', 'a.example');
    assert.equal(answer.type, 'failed');
    assert.equal(answer.type === 'failed' && answer.why, 'bogus');
    assert.deepEqual(answer.type === 'failed' && answer.extendedError, { code: 6, text: 'bad' });
    assert.equal(other.asked.length, 0);
  });

  it('gives up after two rounds', async () => {
    await using server = await startDnsServer(() => []);
    const clock = fakeClock();
    const asking = resolverOf([[server, true]], clock).lookup('A', 'a.example');
    await askedOf(server, 1);
    clock.advance(3_000);
    await askedOf(server, 2);
    clock.advance(6_000);
    const answer = await asking;
    assert.equal(answer.type === 'failed' && answer.why, 'timeout');
    assert.equal(clock.waiting, 0);
  });

  it('lets one give up and the others wait', async () => {
    let reply: (() => void) | undefined;
    await using server = await startDnsServer(() => {
      reply?.();
      return [];
    });
    const asked = new Promise<void>((resolve) => (reply = resolve));
    const clock = fakeClock();
    const resolver = resolverOf([[server, true]], clock);
    const patient = resolver.lookup('A', 'a.example');
    const cancel = new AbortController();
    const hasty = resolver.lookup('A', 'a.example', cancel.signal);
    await asked;
    cancel.abort();
    const given = await hasty;
    assert.equal(given.type === 'failed' && given.why, 'cancelled');
    const late = await resolver.lookup('A', 'a.example', cancel.signal);
    assert.equal(late.type === 'failed' && late.why, 'cancelled');
    resolver.close();
    const closed = await patient;
    assert.equal(closed.type === 'failed' && closed.why, 'cancelled');
    assert.equal(clock.waiting, 0);
  });

  it('does not ask for what cannot be a name', async () => {
    const answer = await resolverOf([]).lookup('A', 'a..example');
    assert.equal(answer.type === 'failed' && answer.why, 'name');
  });
});
