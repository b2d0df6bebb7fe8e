/**
 * What is fetched and looked for in a large message is the same as in a small one.
 */

import assert from 'node:assert/strict';
import { Readable, type Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it, mock } from 'node:test';
import { openTestServer, type TestServer } from '../../../support/server.ts';
import { ALICE, PASSWORD } from '../../../support/world.ts';
import { Fault } from '#domain/values/fault';
import { openSections } from '#protocols/message/section';

const PREFIX = 'Return-Path: <a@example.org>\r\n';
const LARGE = 'line \0 of it\r\n'.repeat(100_000);
const ENCODED = Buffer.from(LARGE).toString('base64').replace(/.{76}/g, '$&\r\n');
const BODY = [
  'Subject: large',
  'Content-Type: multipart/mixed; boundary=x',
  '',
  '--x',
  '',
  LARGE,
  '--x',
  'Content-Type: message/rfc822',
  '',
  'Subject: inner',
  '',
  'needle',
  '--x',
  'Content-Type: application/octet-stream',
  'Content-Transfer-Encoding: base64',
  '',
  ENCODED,
  '--x',
  'Content-Transfer-Encoding: x-odd',
  '',
  'odd',
  '--x--',
  '',
].join('\r\n');
const MESSAGE = Buffer.from(PREFIX + BODY);

const SECTIONS = [
  '',
  'HEADER',
  'TEXT',
  'HEADER.FIELDS (SUBJECT)',
  '1',
  '1.MIME',
  '2',
  '2.HEADER',
  '2.TEXT',
  '3',
  '4',
  '5',
] as const;
const RANGES = ['', '<0.20>', '<10.1300000>', '<100.5>', '<9999999.5>'];

/** A server with the message, and a conversation in its mailbox. */
async function openLarge(): Promise<{
  readonly server: TestServer;
  readonly ask: (text: string) => Promise<string>;
}> {
  const server = await openTestServer();
  await server.world.append(ALICE, 'Inbox', { octets: Buffer.from(BODY), prefix: PREFIX });
  const ask = conversation(server.connect());
  await ask(`LOGIN alice@example.org "${PASSWORD}"`);
  await ask('SELECT Inbox');
  return { server, ask };
}

/** Gives all that comes up to the tagged line, and with it. */
function conversation(stream: Duplex): (text: string) => Promise<string> {
  let pieces: string[] = [];
  let wake: () => void = () => undefined;
  stream.on('data', (piece: Buffer) => {
    pieces.push(piece.toString('latin1'));
    wake();
  });
  return async (text) => {
    pieces = [];
    stream.write(`t ${text}\r\n`);
    while (!/(?:^|\n)t (?:OK|NO|BAD).*\r\n$/.test(pieces.slice(-2).join(''))) {
      await new Promise<void>((resolve) => (wake = resolve));
    }
    return pieces.join('');
  };
}

/** What stands in the answer for the item: the octets of a literal, '' or undefined for NIL. */
function valueIn(answer: string, name: string): string | undefined {
  const [, value = ''] = answer.split(`${name} `);
  const [head = '', bytes = '0'] = /^~?\{(\d+)\}\r\n/.exec(value) ?? [];
  if (head !== '') return value.slice(head.length, head.length + Number(bytes));
  return value.startsWith('NIL') ? undefined : '';
}

function cut(octets: Uint8Array | undefined, range: string): string | undefined {
  const [start = 0, length = Infinity] = (range.match(/\d+/g) ?? []).map(Number);
  return octets && Buffer.from(octets.subarray(start, start + length)).toString('latin1');
}

describe('a large message', () => {
  const sections = openSections(MESSAGE);

  it('is cut into the same sections as a small one', async () => {
    const { server, ask } = await openLarge();
    await using _ = server;
    const read = mock.method(server.world.bodies, 'read');
    for (const text of SECTIONS) {
      const part = (/^[\d.]*\d/.exec(text)?.[0] ?? '').split('.').filter(Boolean).map(Number);
      const spec = /[A-Z.]+$/.exec(text.replace(/ .*/, ''))?.[0].replace(/^\./, '');
      const section = {
        part,
        ...(spec === undefined ? {} : { text: spec as 'TEXT' }),
        ...(text.includes('(') ? { fields: ['SUBJECT'] } : {}),
      };
      for (const range of RANGES) {
        const answer = await ask(`FETCH 1 BODY.PEEK[${text}]${range}`);
        const name = `BODY[${text}]${range.replace(/\..*/, '>')}`;
        const expected = cut(sections.section(section), range);
        assert.ok(valueIn(answer, name) === expected, `${text} ${range}`);
      }
    }
    assert.equal(read.mock.callCount(), 1, 'for where its parts are');
  });

  it('gives parts without their encoding, and their sizes', async () => {
    const { server, ask } = await openLarge();
    await using _ = server;
    for (const path of ['', '1', '2', '3', '5']) {
      const found = sections.binary(path === '' ? [] : [Number(path)]);
      const octets = found?.type === 'octets' ? found.octets : undefined;
      for (const range of RANGES) {
        const answer = await ask(`FETCH 1 BINARY.PEEK[${path}]${range}`);
        const name = `BINARY[${path}]${range.replace(/\..*/, '>')}`;
        assert.ok(valueIn(answer, name) === cut(octets, range), `${path} ${range}`);
      }
      const size = await ask(`FETCH 1 BINARY.SIZE[${path}]`);
      assert.match(size, new RegExp(`BINARY.SIZE\\[${path}\\] ${octets?.length ?? 0}\\)`));
    }
    assert.match(await ask('FETCH 1 BINARY.PEEK[4]'), /t NO \[UNKNOWN-CTE\]/);
  });

  it('is looked into for texts', async () => {
    const { server, ask } = await openLarge();
    await using _ = server;
    for (const [keys, found] of [
      ['BODY needle', true],
      ['TEXT return-path', true],
      ['BODY return-path', false],
      ['BODY needle NOT TEXT haystack', true],
      ['OR BODY haystack HEADER SUBJECT larg', true],
      ['OR BODY haystack HEADER SUBJECT small', false],
    ] as const) {
      const [line = ''] = (await ask(`SEARCH ${keys}`)).split('\r\n');
      assert.equal(line, found ? '* SEARCH 1' : '* SEARCH', keys);
    }
  });

  it('that cannot be read now fails the command, in answers that can be understood', async () => {
    const { server, ask } = await openLarge();
    await using _ = server;
    mock.method(server.world.reader, 'read', async () => {
      throw new Fault('ViewsUnavailable', 'The thread died.');
    });
    for (const item of ['BODY.PEEK[1]', 'BINARY.PEEK[1]']) {
      const answer = await ask(`FETCH 1 (UID ${item})`);
      assert.match(answer, /FETCH \(UID 1 \w+\[1\] NIL\)\r\nt NO \[UNAVAILABLE\]/, item);
    }
    assert.match(await ask('SEARCH BODY needle'), /^t NO \[UNAVAILABLE\]/);
  });

  it('that is gone is told so', async () => {
    const { server, ask } = await openLarge();
    await using _ = server;
    const views = await server.world.views.account(ALICE);
    const [row] = views.rows(1, [[1, 1]]);
    assert.ok(row !== undefined);
    const { bodies } = server.world;
    await bodies.settle();
    await bodies.remove(ALICE, row.body, Infinity);
    for (const item of ['BODY.PEEK[]', 'BODY.PEEK[1]', 'BODY.PEEK[TEXT]', 'BINARY.PEEK[1]']) {
      const answer = await ask(`FETCH 1 ${item}`);
      assert.match(answer, /(?:BODY|BINARY)\[\w*\] NIL\)/, item);
      assert.match(answer, /t NO \[SERVERBUG\]/, item);
    }
    assert.equal((await ask('SEARCH TEXT return-path')).split('\r\n')[0], '* SEARCH 1');
  });

  it('that ends early ends the conversation, and nothing stands in place of the rest', async () => {
    const { server } = await openLarge();
    await using _ = server;
    const client = server.connect();
    mock.method(server.world.bodies, 'stream', () => Readable.from([Buffer.alloc(70_000, 'x')]));
    client.write(`a LOGIN alice@example.org "${PASSWORD}"\r\nb SELECT Inbox\r\n`);
    client.end('c FETCH 1 BODY.PEEK[]\r\nd NOOP\r\n');
    const answer = await text(client);
    assert.match(answer, /\* 1 FETCH \(BODY\[\] \{\d+\}\r\nReturn-Path: <a@example.org>\r\nx*$/);
    const failures = server.world.said.splice(0).filter(({ level }) => level === 'error');
    assert.equal(failures.length, 1);
  });

  it('is read no further when nobody waits for it any more', async () => {
    const { server } = await openLarge();
    await using _ = server;
    const client = server.connect();
    let given = 0;
    const ended = Promise.withResolvers<void>();
    const chunks = function* (): Generator<Buffer> {
      try {
        for (; given < 10_000_000; given += 65_536) yield Buffer.alloc(65_536);
      } finally {
        ended.resolve();
      }
    };
    mock.method(server.world.bodies, 'stream', () => Readable.from(chunks()));
    client.write(`a LOGIN alice@example.org "${PASSWORD}"\r\nb SELECT Inbox\r\n`);
    client.write('c FETCH 1 BODY.PEEK[]\r\n');
    const time = setInterval(() => server.world.clock.advance(60_000), 1);
    await ended.promise;
    clearInterval(time);
    assert.ok(given < 1_000_000, `${given} octets were read`);
  });
});
