/**
 * A conversation that is compressed half-way.
 */

import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { constants, createDeflateRaw, createInflateRaw, deflateRawSync } from 'node:zlib';
import { LineClient } from '../../../support/line-client.ts';
import { openTestServer, type TestServer } from '../../../support/server.ts';
import { ALICE, PASSWORD } from '../../../support/world.ts';
import { IMAP_INFLATED_BYTES_FREE } from '#protocols/limits';

/** The client's end of a compressed stream. */
function compressedEnd(stream: Duplex): Duplex {
  const inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH });
  const deflate = createDeflateRaw({ flush: constants.Z_SYNC_FLUSH });
  deflate.pipe(stream);
  stream.removeAllListeners('data');
  stream.pipe(inflate);
  const end = new Duplex({
    read: () => undefined,
    write: (octets: Buffer, _encoding, done) => void deflate.write(octets, done),
  });
  inflate.on('data', (octets: Buffer) => end.push(octets));
  inflate.on('end', () => end.push(null));
  return end;
}

async function loggedIn(server: TestServer): Promise<{ client: LineClient; stream: Duplex }> {
  const stream = server.connect();
  const client = new LineClient(stream);
  await client.line();
  await client.command(`l LOGIN alice@example.org ${PASSWORD}`);
  return { client, stream };
}

async function compressedClient(
  server: TestServer,
): Promise<{ client: LineClient; stream: Duplex }> {
  const { client, stream } = await loggedIn(server);
  assert.match((await client.command('z COMPRESS DEFLATE')).at(-1) ?? '', /^z OK/);
  client.attach(compressedEnd(stream));
  return { client, stream };
}

describe('COMPRESS', () => {
  it('compresses both ways, once (item 63)', async () => {
    await using server = await openTestServer({ compress: true });
    const { client } = await compressedClient(server);
    assert.match((await client.command('a COMPRESS DEFLATE')).at(-1) ?? '', /COMPRESSIONACTIVE/);
    const capability = await client.command('b CAPABILITY');
    assert.equal(capability[0]?.includes('COMPRESS'), false);
    client.send('c APPEND Inbox {500000+}\r\n');
    client.send(Buffer.alloc(500_000, 'some text\r\n'));
    client.send('\r\n');
    assert.match((await client.until('c '))[0] ?? '', /^c OK/);
    await client.command('d SELECT Inbox');
    const lines = await client.command('e FETCH 1 BODY.PEEK[]');
    assert.equal(lines.length, 45_457);
  });

  it('lets every answer through at once, news too', async () => {
    await using server = await openTestServer({ compress: true });
    const { client, stream } = await compressedClient(server);
    await client.command('a SELECT Inbox');
    client.send('b IDLE\r\n');
    assert.match((await client.line()) ?? '', /^\+ /);
    await server.world.append(ALICE, 'Inbox', { octets: Buffer.from('\r\nx') });
    assert.equal(await client.line(), '* 1 EXISTS');
    client.send('DONE\r\nc LOGOUT\r\n');
    assert.match((await client.until('c '))[0] ?? '', /^b OK/);
    assert.equal(await client.line(), undefined);
    stream.destroy();
  });

  it('is neither offered nor done where the listener does not allow it', async () => {
    await using server = await openTestServer();
    const { client } = await loggedIn(server);
    assert.equal((await client.command('a CAPABILITY'))[0]?.includes('COMPRESS'), false);
    assert.match((await client.command('b COMPRESS DEFLATE'))[0] ?? '', /^b NO/);
  });

  it('knows one algorithm', async () => {
    await using server = await openTestServer({ compress: true });
    const { client } = await loggedIn(server);
    assert.match((await client.command('a CAPABILITY'))[0] ?? '', / COMPRESS=DEFLATE /);
    assert.match((await client.command('b COMPRESS LZ4'))[0] ?? '', /^b NO/);
  });

  it('ends with what is no deflate', async () => {
    await using server = await openTestServer({ compress: true });
    const { client, stream } = await loggedIn(server);
    await client.command('a COMPRESS DEFLATE');
    stream.write('b NOOP\r\n');
    assert.equal(await client.line(), undefined);
  });

  it('ends with what inflates beyond measure', async () => {
    await using server = await openTestServer({ compress: true, messageBytesMax: 2 ** 30 });
    const { client, stream } = await loggedIn(server);
    await client.command('a COMPRESS DEFLATE');
    const size = 3 * IMAP_INFLATED_BYTES_FREE;
    const bomb = Buffer.concat([
      Buffer.from(`b APPEND Inbox {${size}+}\r\n`),
      Buffer.alloc(size),
      Buffer.from('\r\n'),
    ]);
    stream.write(deflateRawSync(bomb));
    assert.equal(await client.line(), undefined);
  });
});
