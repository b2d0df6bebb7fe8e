/** Sealed pieces of a log: what is written is what is read, and nothing else passes. */

import assert from 'node:assert/strict';
import { promisify } from 'node:util';
import { describe, it } from 'node:test';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import fc from 'fast-check';
import { BadBackup } from '#infra/backup-manifest';
import { commitHash, eventDigest } from '#infra/event-digest';
import type { LogCommit, LogHead, LogPiece } from '#infra/event-log-sqlite-verify';
import { logStart, readSegment, segmentsOf, type Segment } from '#infra/log-segments';

const LOG = '0b2ad3ee-5d15-4dd5-9aef-7c3a4c9d1a77';
const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Commits of so many events each, with data of their own. */
function commitsOf(sizes: readonly number[], dataOf: (position: number) => object): LogCommit[] {
  let head: LogHead = logStart(LOG);
  return sizes.map((size) => {
    const pieces = Array.from({ length: size }, (_, i): LogPiece => {
      const position = head.position + 1 + i;
      const id = position.toString(16).padStart(32, '0');
      const data = JSON.stringify(dataOf(position));
      const place = { position, stream: 'account-1', revision: position - 1 };
      return { ...place, type: 'X', version: 1, at: 5, id, data, meta: '{"actor":"test"}' };
    });
    const hash = commitHash(
      head.hash,
      pieces.map((piece) => piece.removed ?? eventDigest(piece)),
    );
    head = { position: head.position + size, hash };
    return { head, pieces };
  });
}

async function sealed(commits: readonly LogCommit[]): Promise<readonly Segment[]> {
  const segments: Segment[] = [];
  for await (const segment of segmentsOf(LOG, logStart(LOG), commits)) segments.push(segment);
  return segments;
}

describe('segments', () => {
  it('are sealed before they have more than 10,000 events, behind a commit', async () => {
    const commits = commitsOf([6_000, 3_999, 2, 9_999, 1, 12_000, 1], () => ({}));
    const segments = await sealed(commits);
    const ranges = segments.map(({ first, last, events }) => [first, last.position, events]);
    assert.deepEqual(ranges, [
      [1, 9_999, 9_999],
      [10_000, 10_001, 2],
      [10_002, 20_001, 10_000],
      [20_002, 32_001, 12_000],
      [32_002, 32_002, 1],
    ]);
    let head = logStart(LOG);
    const read: LogCommit[] = [];
    for (const { octets } of segments) {
      read.push(...(await readSegment(octets, LOG, head, 'it')));
      head = read.at(-1)?.head ?? head;
    }
    assert.deepEqual(read, commits);
  });

  it('are sealed when they are long, however few events they have', async () => {
    const data = { text: 'x'.repeat(200_000) };
    const segments = await sealed(
      commitsOf(
        Array.from({ length: 90 }, () => 1),
        () => data,
      ),
    );
    assert.ok(segments.length === 2, String(segments.length));
  });

  it('say what was written, whatever it was', async () => {
    const someData = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true });
    await fc.assert(
      fc.asyncProperty(fc.array(someData, { minLength: 1, maxLength: 5 }), async (all) => {
        const commits = commitsOf([all.length], (position) => all[position - 1] ?? {});
        const [segment] = await sealed(commits);
        assert.ok(segment !== undefined);
        assert.deepEqual(await readSegment(segment.octets, LOG, logStart(LOG), 'it'), commits);
      }),
      { numRuns: 100 },
    );
  });

  it('keep the digest of what was removed', async () => {
    const [commit] = commitsOf([2], () => ({}));
    const [first, second] = commit?.pieces ?? [];
    assert.ok(commit !== undefined && first !== undefined);
    assert.ok(second !== undefined && second.removed === undefined);
    const removed = { position: 2, removed: eventDigest(second) };
    const changed = { head: commit.head, pieces: [first, removed] };
    const [segment] = await sealed([changed]);
    assert.ok(segment !== undefined);
    assert.deepEqual(await readSegment(segment.octets, LOG, logStart(LOG), 'it'), [changed]);
  });
});

describe('a segment that is not what was written', () => {
  const lines = async (change: (lines: string[]) => void): Promise<Buffer> => {
    const [segment] = await sealed(commitsOf([2, 1], (position) => ({ position })));
    assert.ok(segment !== undefined);
    const text = (await decompress(segment.octets)).toString('utf8').split('\n');
    change(text);
    return compress(text.join('\n'));
  };

  const CHANGES: readonly (readonly [string, (lines: string[]) => void, RegExp])[] = [
    [
      'changed data',
      (text) => void (text[1] = (text[1] ?? '').replace('"data":{"position":1', '"data":{"p":1')),
      /the events from 1 on are not as they were written/,
    ],
    ['a missing event', (text) => text.splice(2, 1), /the events from 1 on/],
    ['events that changed places', (text) => text.splice(1, 2, text[2] ?? ''), /the events from 1/],
    ['a missing commit', (text) => text.splice(4, 2), /its end is missing/],
    ['an event without its commit', (text) => text.splice(5, 1), /its end is missing/],
    ['a missing end', (text) => text.splice(-3), /its end is missing/],
    ['no JSON', (text) => text.splice(1, 1, '{'), /a line of it is not JSON/],
    ['no object', (text) => text.splice(1, 1, '7'), /a line of it is no object/],
    [
      'a position that is a text',
      (text) => void (text[1] = (text[1] ?? '').replace('"position":1', '"position":"1"')),
      /is not whole/,
    ],
    [
      'another log',
      (text) => void (text[0] = (text[0] ?? '').replace(LOG, 'another')),
      /it does not go on from position 0/,
    ],
    [
      'a newer format',
      (text) => void (text[0] = (text[0] ?? '').replace('"version":1', '"version":2')),
      /a newer release wrote it/,
    ],
  ];

  for (const [what, change, said] of CHANGES) {
    it(`is refused: ${what}`, async () => {
      const octets = await lines(change);
      const read = readSegment(octets, LOG, logStart(LOG), 'the/file');
      await assert.rejects(read, (error) => error instanceof BadBackup && said.test(error.message));
      await assert.rejects(read, /^BadBackup: the\/file is damaged: /);
    });
  }

  it('is refused when it is not compressed, or something else', async () => {
    const read = readSegment(Buffer.from('{}'), LOG, logStart(LOG), 'it');
    await assert.rejects(read, /it is damaged: it cannot be decompressed/);
    const empty = readSegment(await compress(''), LOG, logStart(LOG), 'it');
    await assert.rejects(empty, /it does not go on from position 0/);
  });
});
