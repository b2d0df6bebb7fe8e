/**
 * DNS messages: questions as they go out, answers as they come in.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decode, encode, type Answer, type Packet } from 'dns-packet';
import { decodeAnswer, encodeQuestion, isQueryName } from '#infra/dns-wire';
import type { DnsType } from '#protocols/ports-remote';

const ID = 4711;

function answer(type: DnsType, answers: readonly Answer[], more: Packet = {}): Buffer {
  return encode({
    type: 'response',
    id: ID,
    flags: 0x0180,
    questions: [{ type, name: 'a.example', class: 'IN' }],
    answers: [...answers],
    ...more,
  });
}

function read(type: DnsType, octets: Buffer): ReturnType<typeof decodeAnswer> {
  return decodeAnswer(octets, { id: ID, type, name: 'a.example' });
}

const at = { name: 'a.example', class: 'IN', ttl: 300 } as const;

describe('dns wire', () => {
  it('asks with recursion, AD and EDNS', () => {
    const packet = decode(encodeQuestion({ id: ID, type: 'MX', name: 'a.example' }));
    assert.equal(packet.id, ID);
    assert.equal(packet.flags, 0x0120);
    assert.deepEqual(
      packet.questions?.map(({ name, type }) => [name, type]),
      [['a.example', 'MX']],
    );
    assert.equal(packet.additionals?.[0]?.type, 'OPT');
  });

  it('knows what can be asked for', () => {
    const good = [
      'a.example',
      '_25._tcp.mx.example',
      '1.0.0.127.in-addr.arpa',
      `${'a'.repeat(63)}.b`,
    ];
    const bad = ['', '.', 'a..b', 'a.', 'ä.example', 'a b', 'a\\.b', `${'a'.repeat(64)}.b`];
    for (const name of good) assert.ok(isQueryName(name), name);
    for (const name of [...bad, 'a.'.repeat(127) + 'b'.repeat(2)]) {
      assert.ok(!isQueryName(name), name);
    }
  });

  const data = Buffer.from('00ff', 'hex');
  const cases: readonly (readonly [DnsType, Answer, unknown])[] = [
    ['A', { ...at, type: 'A', data: '192.0.2.1' }, '192.0.2.1'],
    ['AAAA', { ...at, type: 'AAAA', data: '2001:db8::1' }, '2001:db8::1'],
    ['CNAME', { ...at, type: 'CNAME', data: 'B.Example' }, 'b.example'],
    ['PTR', { ...at, type: 'PTR', data: 'b.example' }, 'b.example'],
    [
      'MX',
      { ...at, type: 'MX', data: { preference: 10, exchange: 'MX.example' } },
      { preference: 10, exchange: 'mx.example' },
    ],
    [
      'MX',
      { ...at, type: 'MX', data: { preference: 0, exchange: '.' } },
      { preference: 0, exchange: '.' },
    ],
    ['TXT', { ...at, type: 'TXT', data: ['v=spf1 ', '-all'] }, 'v=spf1 -all'],
    [
      'TLSA',
      { ...at, type: 'TLSA', data: { usage: 3, selector: 1, matchingType: 1, certificate: data } },
      { usage: 3, selector: 1, matchingType: 1, data },
    ],
  ];
  for (const [type, record, expected] of cases) {
    it(`reads ${type} ${JSON.stringify(expected)}`, () => {
      const read1 = read(type, answer(type, [record]));
      assert.deepEqual(read1?.records, [expected]);
      assert.equal(read1.ttlSeconds, 300);
      assert.equal(read1.authentic, false);
    });
  }

  it('follows CNAMEs inside an answer, and takes the shortest time', () => {
    const octets = answer('A', [
      { ...at, type: 'CNAME', data: 'B.example' },
      { ...at, name: 'b.example', type: 'CNAME', data: 'c.example', ttl: 5 },
      { ...at, name: 'C.example', type: 'A', data: '192.0.2.1' },
      { ...at, name: 'd.example', type: 'A', data: '192.0.2.9' },
    ]);
    const found = read('A', octets);
    assert.deepEqual([found?.records, found?.ttlSeconds], [['192.0.2.1'], 5]);
  });

  it('gives nothing for CNAMEs without end', () => {
    const circle = answer('A', [
      { ...at, type: 'CNAME', data: 'b.example' },
      { ...at, name: 'b.example', type: 'CNAME', data: 'a.example' },
    ]);
    assert.equal(read('A', circle), undefined);
  });

  it('keeps nothing as long as the zone says', () => {
    const soa: Answer = {
      ...at,
      type: 'SOA',
      data: { mname: 'ns.example', rname: 'root.example', minimum: 30 },
    };
    const none = read('A', answer('A', [], { authorities: [soa] }));
    assert.deepEqual([none?.records, none?.ttlSeconds], [[], 30]);
    assert.equal(read('A', answer('A', []))?.ttlSeconds, 60);
  });

  it('takes a time beyond all times for none', () => {
    const octets = answer('A', [{ ...at, ttl: 0xffffffff, type: 'A', data: '192.0.2.1' }]);
    assert.equal(read('A', octets)?.ttlSeconds, 0);
  });

  it('reads flags, codes and extended errors', () => {
    // RFC 8914 §2: option 15, code 6, "bad".
    const ede = Buffer.from('0000290200000000000009000f000500066261640a', 'hex');
    const octets = Buffer.concat([answer('A', [], { flags: 0x01a0 | 0x200 | 2 }), ede]);
    octets.writeUInt16BE(1, 10);
    const found = read('A', octets);
    assert.deepEqual(
      [found?.rcode, found?.authentic, found?.truncated, found?.extendedError],
      [2, true, true, { code: 6, text: 'bad' }],
    );
  });

  it('takes nothing that does not belong to the question', () => {
    const a: Answer = { ...at, type: 'A', data: '192.0.2.1' };
    const question = { type: 'A', name: 'a.example', class: 'IN' } as const;
    const others: readonly Packet[] = [
      { id: ID + 1 },
      { type: 'query' },
      { questions: [] },
      { questions: [question, question] },
      { questions: [{ ...question, name: 'b.example' }] },
      { questions: [{ ...question, type: 'AAAA' }] },
      { questions: [{ ...question, class: 'CH' }] },
      { flags: 0x2980 },
    ];
    assert.deepEqual(read('A', answer('A', [a]))?.records, ['192.0.2.1']);
    for (const other of others) assert.equal(read('A', answer('A', [a], other)), undefined);
  });

  it('takes nothing with more records than anybody needs', () => {
    const octets = answer('A', []);
    octets.writeUInt16BE(65535, 6);
    assert.equal(read('A', octets), undefined);
  });
});
