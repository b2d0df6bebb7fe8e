/**
 * Who reads messages whole: small ones here, large ones where nobody waits for it.
 */

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fakeClock, type FakeClock } from '../../support/clock.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../../support/temporary.ts';
import type { BodyHash } from '#domain/values/ids';
import { ThreadedReader } from '#infra/reading-thread';
import {
  findBinary,
  openSections,
  readExtents,
  type FoundBinary,
} from '#protocols/message/section';
import type { WholeMessage } from '#protocols/ports-reading';
import { readMessage } from '#protocols/readings';

const MODULE = import.meta.resolve('#protocols/readings');
const ACCOUNT = 1;
const PREFIX = 'Return-Path: <a@example.org>\r\n';
const WANTED = {
  type: 'payload',
  mail: {
    messageId: 1,
    mailFrom: 'a@example.org',
    mailFromValidated: false,
    msgFromValidated: false,
    rcptTo: 'b@example.org',
    dkimDomains: [],
    ip: '192.0.2.1',
    receivedAt: 0,
    mailbox: 'Inbox',
  },
} as const;

/** A message with an attachment, which makes it so large. */
function mailOf(attachedBytes: number): Buffer {
  const before = [
    'Subject: picture',
    'Content-Type: multipart/mixed; boundary=x',
    '',
    '--x',
    '',
    'see there',
    '--x',
    'Content-Type: image/png; name=a.png',
    'Content-Transfer-Encoding: base64',
    '',
    '',
  ];
  return Buffer.from(`${before.join('\r\n')}${'QUJD'.repeat(attachedBytes / 3)}\r\n--x--\r\n`);
}

function octetsOf(answer: FoundBinary | undefined): Uint8Array | undefined {
  return answer?.found?.type === 'octets' ? new Uint8Array(answer.found.octets) : undefined;
}

class Folder implements AsyncDisposable {
  readonly clock: FakeClock = fakeClock();
  readonly reader: ThreadedReader;
  readonly #dir: TemporaryDirectory;
  readonly #read = new Map<BodyHash, Buffer>();

  constructor(dir: TemporaryDirectory, module: string) {
    this.#dir = dir;
    this.reader = new ThreadedReader({
      bodies: { read: (_, body) => this.#read.get(body) },
      bodyFileOf: (_, body) => dir.file(body),
      clock: this.clock,
      readMessage,
      module,
    });
  }

  fileOf(body: BodyHash): string {
    return this.#dir.file(body);
  }

  /** Large ones have a file, small ones are given by what holds bodies. */
  put(body: BodyHash, octets: Buffer, isLarge: boolean): WholeMessage {
    if (isLarge) writeFileSync(this.fileOf(body), octets);
    else this.#read.set(body, octets);
    return { body, prefix: PREFIX, sizeBytes: PREFIX.length + octets.length };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.reader.close();
    await this.#dir[Symbol.asyncDispose]();
  }
}

async function openFolder(module: string = MODULE): Promise<Folder> {
  return new Folder(await temporaryDirectory(), module);
}

describe('a reader of messages', () => {
  it('finds the same in small and in large ones', async () => {
    await using folder = await openFolder();
    for (const attachedBytes of [3_000, 3_000_000]) {
      const octets = mailOf(attachedBytes);
      const message = folder.put('a', octets, attachedBytes > 3_000);
      const payload = await folder.reader.read(ACCOUNT, message, WANTED);
      assert.equal(payload, readMessage(Buffer.concat([Buffer.from(PREFIX), octets]), WANTED));
      assert.match(payload ?? '', /"Text":"see there"/);
    }
  });

  it('gives octets whole, and tells where parts stand and what is said', async () => {
    await using folder = await openFolder();
    const octets = mailOf(3_000_000);
    const message = folder.put('a', octets, true);
    const whole = Buffer.concat([Buffer.from(PREFIX), octets]);
    const { reader } = folder;
    for (const range of [undefined, { start: 1, end: 5 }]) {
      for (const part of [[1], [2], [3]]) {
        const wanted = { type: 'binary', part, range } as const;
        const found = await reader.read(ACCOUNT, message, wanted);
        const expected = findBinary(openSections(whole), part, range);
        assert.equal(found?.sizeBytes, expected.sizeBytes);
        assert.deepEqual(octetsOf(found), octetsOf(expected));
      }
    }
    const extents = await reader.read(ACCOUNT, message, { type: 'extents' });
    assert.deepEqual(extents, readExtents(whole));
    const texts = [
      { type: 'body-text', text: 'see there' },
      { type: 'body-text', text: 'picture' },
      { type: 'any-text', text: 'picture' },
    ] as const;
    const answers = await reader.read(ACCOUNT, message, { type: 'texts', wanted: texts });
    assert.deepEqual(answers, [true, false, true]);
  });

  it('lets others go on while it reads 50 MB', async () => {
    await using folder = await openFolder();
    const message = folder.put('a', mailOf(36_000_000), true);
    let turns = 0;
    let next: NodeJS.Immediate | undefined;
    const turn = (): void => {
      turns++;
      next = setImmediate(turn);
    };
    turn();
    const payload = await folder.reader.read(ACCOUNT, message, WANTED);
    clearImmediate(next);
    assert.match(payload ?? '', /"DecodedSize":36000000/);
    assert.ok(turns > 100, `the loop turned ${turns} times`);
  });

  it('says that a body is gone, and goes on after what failed', async () => {
    await using folder = await openFolder();
    const gone = { body: 'gone', prefix: '', sizeBytes: 1_000_000 };
    assert.equal(await folder.reader.read(ACCOUNT, gone, WANTED), undefined);
    assert.equal(await folder.reader.read(ACCOUNT, { ...gone, sizeBytes: 1 }, WANTED), undefined);
    const message = folder.put('a', mailOf(300_000), true);
    mkdirSync(folder.fileOf('folder'));
    const failing = folder.reader.read(ACCOUNT, { ...message, body: 'folder' }, WANTED);
    const whole = folder.reader.read(ACCOUNT, message, WANTED);
    await assert.rejects(failing, /EISDIR/);
    assert.match((await whole) ?? '', /see there/);
  });

  it('gets a new thread when the old one has ended, or has died', async () => {
    await using folder = await openFolder();
    const message = folder.put('a', mailOf(300_000), true);
    for (let round = 0; round < 2; round++) {
      assert.match((await folder.reader.read(ACCOUNT, message, WANTED)) ?? '', /see there/);
      folder.clock.advance(60_000);
    }
    await using lame = await openFolder('data:text/javascript,throw new Error("dead")');
    for (let round = 0; round < 2; round++) {
      const reading = lame.reader.read(ACCOUNT, message, WANTED);
      await assert.rejects(reading, { code: 'ViewsUnavailable' });
    }
  });

  it('gives up when it is closed', async () => {
    await using folder = await openFolder();
    const message = folder.put('a', mailOf(300_000), true);
    const reading = folder.reader.read(ACCOUNT, message, WANTED);
    await Promise.all([assert.rejects(reading, { code: 'Closing' }), folder.reader.close()]);
    await assert.rejects(folder.reader.read(ACCOUNT, message, WANTED), { code: 'Closing' });
  });
});
