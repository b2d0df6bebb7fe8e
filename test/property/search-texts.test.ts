/**
 * A search finds the same with a full-text index as without one, however far the index has come.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LineClient } from '../support/line-client.ts';
import { openTestServer, type TestServer } from '../support/server.ts';
import { ALICE, PASSWORD } from '../support/world.ts';
import type { TextCondition } from '#projections/texts';

const MESSAGES = 60;
/** Messages that are in the index; the others have still to be looked into. */
const INDEXED = 45;
const RUNS = { seed: 20260303, numRuns: 150 };

const WORDS = (
  'the quarterly report Straße STRASSE strasse café cafe\u0301 ΟΔΟΣ οδος 漢字 漢字かな "quoted" ' +
  "it's (a) b* OR AND NOT NEAR(x) fields: words^ -minus +plus {brace} 100% back\\slash " +
  'under_score a <b>bold</b> &amp; naïve \u{1f600}\u{1f601}\u{1f602} end.'
).split(' ');

const words = fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 12 });
const phrase = words.map((list) => list.join(' '));

interface Sample {
  readonly subject: string;
  readonly text: string;
  readonly kind: 'plain' | 'html' | 'base64' | 'nested';
  readonly tag: string | undefined;
}

const sample: fc.Arbitrary<Sample> = fc.record({
  subject: phrase,
  text: fc.array(phrase, { minLength: 1, maxLength: 4 }).map((lines) => lines.join('\r\n')),
  kind: fc.constantFrom('plain', 'html', 'base64', 'nested'),
  tag: fc.option(fc.constantFrom('', 'one', 'two'), { nil: undefined }),
});

function octetsOf({ subject, text, kind, tag }: Sample): Buffer {
  const head =
    `Subject: ${subject}\r\nFrom: =?utf-8?q?J=C3=B6rg?= <j@example.org>\r\n` +
    (tag === undefined ? '' : `X-Tag: ${tag}\r\n`);
  const utf8 = 'Content-Type: text/plain; charset=utf-8\r\n';
  switch (kind) {
    case 'plain':
      return Buffer.from(`${head}${utf8}\r\n${text}`);
    case 'html':
      return Buffer.from(`${head}Content-Type: text/html; charset=utf-8\r\n\r\n<p>${text}</p>`);
    case 'base64': {
      const encoded = Buffer.from(text).toString('base64');
      return Buffer.from(`${head}${utf8}Content-Transfer-Encoding: base64\r\n\r\n${encoded}`);
    }
    case 'nested':
      return Buffer.from(
        `${head}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${utf8}\r\n${text}\r\n` +
          `--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner ${subject}\r\n\r\nx\r\n--b--`,
      );
  }
}

/** Something that is sought: a piece of what there is, or anything. */
const sought: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(phrase, fc.nat(8), fc.integer({ min: 1, max: 12 })).map(cut) },
  { weight: 2, arbitrary: fc.string({ unit: fc.constantFrom(...'ab"*():^-{}%\\ äß漢') }) },
  { weight: 1, arbitrary: fc.constantFrom('', 'x', 'zzzz', 'bold', '<b>', 'inner') },
);

function cut([text, from, length]: readonly [string, number, number]): string {
  return Array.from(text)
    .slice(from, from + length)
    .join('');
}

const { key } = fc.letrec<{ key: string }>((tie) => ({
  key: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.tuple(fc.constantFrom('TEXT', 'BODY', 'SUBJECT'), sought).map(([k, t]) => `${k} ${lit(t)}`),
    fc
      .tuple(fc.constantFrom('Subject', 'x-tag', 'X-None', 'From', ''), sought)
      .map(([field, text]) => `HEADER ${lit(field)} ${lit(text)}`),
    fc.constantFrom('SEEN', 'UID 1:30', 'ALL'),
    tie('key').map((inner) => `NOT ${inner}`),
    fc.tuple(tie('key'), tie('key')).map(([a, b]) => `OR ${a} ${b}`),
    fc.tuple(tie('key'), tie('key')).map(([a, b]) => `(${a} ${b})`),
  ),
}));

/** RFC 7888: a literal, for texts of any kind. */
function lit(text: string): string {
  return `{${Buffer.byteLength(text)}+}\r\n${text}`;
}

async function filled(server: TestServer, samples: readonly Sample[]): Promise<LineClient> {
  const { world } = server;
  const index = world.openTexts();
  for (const [i, one] of samples.entries()) {
    if (i === INDEXED) await index.rebuild(ALICE);
    const flags = i % 3 === 0 ? ['\\Seen'] : [];
    await world.append(ALICE, 'Inbox', { octets: octetsOf(one), flags });
  }
  const client = new LineClient(server.connect());
  await client.line();
  await client.command(`a LOGIN alice@example.org ${PASSWORD}`);
  await client.command('b SELECT inbox');
  await client.command('c UID COPY 1:10,50:55 inbox');
  await client.command('d UID STORE 5:6,51 +FLAGS.SILENT (\\Deleted)');
  await client.command('e EXPUNGE');
  return client;
}

describe('searches', () => {
  it('find with an index what they find without', async () => {
    await using server = await openTestServer();
    const samples = fc.sample(sample, { seed: RUNS.seed, numRuns: MESSAGES });
    const client = await filled(server, samples);
    const index = server.world.openTexts();
    const asked: (TextCondition & { readonly isKnown: boolean })[] = [];
    const texts = {
      find: async (accountId: number, condition: TextCondition) => {
        const found = await index.find(accountId, condition);
        asked.push({ ...condition, isKnown: found !== undefined });
        return found;
      },
    };
    const found = async (keys: string): Promise<readonly string[]> =>
      await client.command(`s UID SEARCH CHARSET UTF-8 ${keys}`);
    await fc.assert(
      fc.asyncProperty(key, async (keys) => {
        server.world.texts = undefined;
        const without = await found(keys);
        server.world.texts = texts;
        assert.deepEqual(await found(keys), without);
      }),
      RUNS,
    );
    assert.ok(asked.filter(({ isKnown }) => isKnown).length > 50, 'the index was asked');
  });
});
