/**
 * Looking a message through and cutting it into pieces, whatever it holds and however it comes.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bodyOf } from '../../../support/smtp-client.ts';
import { dotted, surveyed, type Guard, type OutgoingMessage } from '#protocols/smtp/client-message';
import { DataDecoder } from '#protocols/smtp/data-stream';

const SEED = 20261122;
const guard: Guard = (work) => work;

async function wired(message: OutgoingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const survey = await surveyed(message, guard);
  for await (const { octets } of dotted(message, survey, guard)) pieces.push(octets);
  return Buffer.concat(pieces);
}

/** Texts of the octets that matter, cut into chunks anywhere. */
const chunks = fc.array(
  fc
    .array(fc.constantFrom('\r\n', '\r\n.', '.', 'a', '\r', '\n', '\u00fc', '.\r\n'), {
      maxLength: 12,
    })
    .map((parts) => parts.join('')),
  { maxLength: 5 },
);

describe('a survey', () => {
  it('finds every bare line end, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, async (texts) => {
        const whole = texts.join('');
        const survey = await surveyed({ body: bodyOf(...texts) }, guard);
        assert.deepEqual(survey, {
          sizeBytes: Buffer.byteLength(whole),
          has8bit: whole.includes('\u00fc'),
          hasBareLineEnd: /\r(?!\n)|(?<!\r)\n/.test(whole),
        });
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('looks at the prefix too', async () => {
    const prefix = Buffer.from('a\r');
    assert.equal((await surveyed({ prefix, body: bodyOf('\nb') }, guard)).hasBareLineEnd, false);
    assert.equal((await surveyed({ prefix, body: bodyOf('b') }, guard)).hasBareLineEnd, true);
  });
});

describe('a message on the wire', () => {
  it('is read by our server as it was, with an end to its last line', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, async (texts) => {
        const good = texts.map((text) => text.replace(/\r\n|\r|\n/g, '\r\n'));
        const whole = good.join('');
        const decoder = new DataDecoder(1_000_000);
        const decoded = decoder.push(await wired({ body: bodyOf(...good) }));
        assert.equal(decoder.rest?.length, 0);
        assert.equal(decoder.flaw, undefined);
        const end = whole === '' || whole.endsWith('\r\n') ? '' : '\r\n';
        assert.equal(decoded.toString(), whole + end);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('comes in pieces of a bounded size', async () => {
    const message = { body: bodyOf(Buffer.alloc(1_000_000, '.\r\n')) };
    const survey = await surveyed(message, guard);
    let last = false;
    for await (const { octets, isLast } of dotted(message, survey, guard)) {
      assert.ok(octets.length <= 2 * 64 * 1024 && !last);
      last = isLast;
    }
    assert.ok(last);
  });

  it('that is another one than was looked through is not sent to its end', async () => {
    const good = Buffer.alloc(300_000, 'a\r\n');
    const smuggled = Buffer.from(good);
    smuggled.write('\nMAIL FROM:<>\r\n', 100_000);
    for (const other of [smuggled, Buffer.alloc(600_000, 'b\r\n'), 'b\r\n']) {
      let reads = 0;
      const body = (): AsyncIterable<Uint8Array> => bodyOf(reads++ === 0 ? good : other)();
      const survey = await surveyed({ body }, guard);
      const sent: string[] = [];
      const send = async (): Promise<void> => {
        for await (const { octets } of dotted({ body }, survey, guard))
          sent.push(octets.toString());
      };
      await assert.rejects(send(), /has changed/);
      assert.ok(!sent.some((octets) => octets.includes('MAIL') || octets.endsWith('\r\n.\r\n')));
    }
  });
});
