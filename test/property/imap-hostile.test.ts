/**
 * Hostile bytes: whatever a client sends, reading and parsing end in words or in one of the errors
 * that are made for it; and what we write, we read back as the same.
 *
 * `FUZZ_RUNS` is how often each is tried (`npm run test:fuzz`: 100,000 times), `SEED` with which.
 */

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { brokenBytes } from '../support/broken-bytes.ts';
import { commandOf } from '../support/imap-words.ts';
import { flagSetOf } from '#domain/values/flags';
import { formatUidSet, uidSetOf } from '#domain/values/uid-set';
import { formatDateTime } from '#protocols/imap/calendar';
import { fetch, formatFetchItem } from '#protocols/imap/fetch-items';
import {
  authenticate,
  compress,
  create,
  enable,
  id,
  list,
  login,
  lsub,
  noArguments,
  oneMailbox,
  rename,
  select,
  status,
} from '#protocols/imap/grammar';
import {
  appendMailbox,
  appendMessage,
  copy,
  replacedNumber,
  store,
  uidExpunge,
} from '#protocols/imap/grammar-messages';
import { notify } from '#protocols/imap/grammar-notify';
import { BadSyntax, Parser } from '#protocols/imap/parser';
import {
  CommandReader,
  LineTooLong,
  LiteralTooBig,
  StreamEnded,
  type Command,
} from '#protocols/imap/reader';
import { BadCharset, search } from '#protocols/imap/search-keys';
import { astring, flagSetText, mailboxName, quotedOrLiteral } from '#protocols/imap/writer';
import type { FetchItem, Section } from '#protocols/imap/words';

/** How often each property is tried when that is not left to it. */
const FUZZ_RUNS = process.env['FUZZ_RUNS'];
/** Another seed finds other bytes; whoever looks for long looks elsewhere each time. */
const SEED = Number(
  process.env['SEED'] ?? (FUZZ_RUNS === undefined ? 20260105 : Date.now() % 2 ** 31),
);

function runs(usual: number): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: Number(FUZZ_RUNS ?? usual), seed: SEED };
}

const GRAMMARS: readonly ((p: Parser) => unknown)[] = [
  noArguments,
  login,
  authenticate,
  id,
  enable,
  select,
  create,
  oneMailbox,
  rename,
  list,
  lsub,
  status,
  store,
  copy,
  uidExpunge,
  compress,
  notify,
  fetch,
  search,
  (p) => {
    appendMailbox(p);
    return appendMessage(p);
  },
  (p) => {
    replacedNumber(p);
    appendMailbox(p);
    return appendMessage(p);
  },
];

/** Commands that are right, as a start for breaking them. */
const SEEDS = [
  'a LOGIN "alice\\\\" {4+}\r\npass\r\n',
  'a AUTHENTICATE PLAIN AGFsaWNlAHBhc3M=\r\n',
  'a ID ("name" "x" "version" NIL)\r\n',
  'a ENABLE IMAP4rev2 UTF8=ACCEPT\r\n',
  'a SELECT "&Jjo-" (QRESYNC (7 90 1:3,9 (1,3:4 1,5:6)) CONDSTORE)\r\n',
  'a CREATE Old (USE (\\Archive))\r\n',
  'a RENAME {3}\r\na/b "c d"\r\n',
  'a LIST (SUBSCRIBED) "" (a* "%") RETURN (CHILDREN STATUS (MESSAGES))\r\n',
  'a APPEND x (\\Seen) " 1-Jan-2022 10:10:00 +0100" UTF8 (~{3+}\r\nabc)\r\n',
  'a STORE 1:*,5 (UNCHANGEDSINCE 12) +FLAGS.SILENT (\\Deleted $Junk)\r\n',
  'a UID FETCH $ (BODY.PEEK[1.2.HEADER.FIELDS (From {2+}\r\nTo)]<0.10> UID) (CHANGEDSINCE 5)\r\n',
  'a UID SEARCH RETURN (MIN) CHARSET UTF-8 OR NOT SEEN (FROM bob SINCE 1-Feb-2022) MODSEQ 5\r\n',
  'a UID EXPUNGE 1:5,*\r\n',
  'a NOTIFY SET STATUS (selected (MessageNew (UID PREVIEW) MessageExpunge)) ' +
    '(subtree (a {1+}\r\nb) NONE)\r\n',
  'a REPLACE 3 x (\\Draft) {3+}\r\nabc\r\n',
];

const octets = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));

const NASTY = ['(', ')', '"', '\\', '{', '}', '{9}\r\n', '{2+}\r\n', '~', '*', '$', ' ', '\r\n']
  .concat(['\0', '\xff', '\n', '0', '99999999999999999999', '-1', '&', '[', '<', 'NIL'])
  .map((text) => Buffer.from(text, 'latin1'));

/** A seed with pieces cut out, doubled, or put in. */
const mutated = brokenBytes(SEEDS, NASTY, 1);

function isExpected(error: unknown): boolean {
  return (
    error instanceof BadSyntax ||
    error instanceof BadCharset ||
    error instanceof LineTooLong ||
    error instanceof LiteralTooBig ||
    error instanceof StreamEnded
  );
}

/** Commands whose literal is a message. */
const STREAMED = / (?:APPEND|REPLACE) /i;

/** Lets every grammar try the command; true if one of them took it. */
function parse(command: Command): boolean {
  let taken = false;
  for (const utf8 of [false, true]) {
    for (const grammar of GRAMMARS) {
      try {
        const p = new Parser(command, { utf8 });
        p.tag();
        p.space();
        p.verb();
        grammar(p);
        taken = true;
      } catch (error) {
        if (!isExpected(error)) throw error;
      }
    }
  }
  return taken;
}

/** Reads commands to the end of the stream, as a connection does. */
async function converse(chunks: readonly Buffer[]): Promise<void> {
  const stream = new PassThrough();
  const reader = new CommandReader(stream);
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  try {
    for (;;) {
      const command = await reader.readCommand();
      if (command === undefined) return;
      if (command.open !== undefined && STREAMED.test(command.lines[0] ?? '')) {
        parse(command);
        for await (const piece of reader.streamLiteral(command)) assert.ok(piece.length > 0);
        await reader.discardRest(command);
      } else {
        await reader.complete(command, () => undefined);
        parse(command);
      }
    }
  } catch (error) {
    if (!isExpected(error)) throw error;
  }
}

describe('bytes from the network', () => {
  it('of the seeds are commands', async () => {
    for (const seed of SEEDS) {
      const stream = new PassThrough();
      stream.end(Buffer.from(seed, 'latin1'));
      const reader = new CommandReader(stream);
      const command = (await reader.readCommand()) as Command;
      if (!STREAMED.test(seed)) await reader.complete(command, () => undefined);
      assert.ok(parse(command), seed);
    }
  });

  it('at random end in commands or in errors made for them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(octets, { maxLength: 5 }), (chunks) => converse(chunks)),
      runs(200),
    );
  });

  it('of broken commands end in commands or in errors made for them', async () => {
    await fc.assert(
      fc.asyncProperty(mutated, fc.array(mutated, { maxLength: 2 }), (first, more) =>
        converse([first, ...more]),
      ),
      runs(1000),
    );
  });

  it('mean the same however they are cut', async () => {
    const cuts = fc.array(fc.nat(200), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(mutated, cuts, async (text, places) => {
        const ends = [...places.map((at) => at % (text.length + 1)), text.length];
        ends.sort((a, b) => a - b);
        const chunks = ends.map((end, i) => text.subarray(ends[i - 1] ?? 0, end));
        assert.deepEqual(await outcome(chunks), await outcome([text]));
      }),
      runs(300),
    );
  });
});

/** All commands that can be read, and the name of the error that ended them. */
async function outcome(chunks: readonly Buffer[]): Promise<unknown> {
  const stream = new PassThrough();
  const reader = new CommandReader(stream);
  const commands: Command[] = [];
  const feeding = feed(stream, chunks);
  try {
    for (;;) {
      const command = await reader.readCommand();
      if (command === undefined) return { commands };
      await reader.complete(command, () => undefined);
      commands.push(command);
    }
  } catch (error) {
    if (!isExpected(error)) throw error;
    return { commands, error: (error as Error).name };
  } finally {
    await feeding;
  }
}

async function feed(stream: PassThrough, chunks: readonly Buffer[]): Promise<void> {
  for (const chunk of chunks) {
    stream.write(chunk);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  stream.end();
}

/** Reads wire text, which may hold one literal, as a connection would. */
async function commandOfWire(text: string): Promise<Command> {
  const stream = new PassThrough();
  stream.end(Buffer.from(`${text}\r\n`, 'latin1'));
  const reader = new CommandReader(stream);
  const command = (await reader.readCommand()) as Command;
  await reader.complete(command, () => undefined);
  return command;
}

describe('what we write', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((s) => s.isWellFormed());

  it('we read back: strings', async () => {
    const wild = fc.oneof(text, fc.string({ unit: fc.constantFrom(...'a"\\ {}\r\n*%]é☺') }));
    await fc.assert(
      fc.asyncProperty(
        wild.filter((s) => !s.includes('\0')),
        async (value) => {
          for (const wire of [astring(value), quotedOrLiteral(value)]) {
            const p = new Parser(await commandOfWire(wire));
            assert.equal(p.astring(), value);
            p.end();
          }
        },
      ),
      runs(300),
    );
  });

  it('we read back: mailbox names, in either spelling', async () => {
    await fc.assert(
      fc.asyncProperty(
        text.filter((s) => !s.includes('\0')),
        fc.boolean(),
        async (name, utf8) => {
          const p = new Parser(await commandOfWire(mailboxName(name, utf8)), { utf8 });
          assert.equal(p.mailbox(), name);
          p.end();
        },
      ),
      runs(300),
    );
  });

  it('we read back: sets, flags and dates', () => {
    const uids = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1 }).map(uidSetOf);
    const flags = fc
      .subarray(['\\Seen', '\\Draft', '$Junk', 'a', 'b', 'x-1'])
      .map((names) => flagSetOf(names));
    const moment = fc.tuple(fc.integer({ min: 0, max: 4e9 }), fc.integer({ min: -900, max: 900 }));
    fc.assert(
      fc.property(uids, flags, moment, (set, flagSet, [seconds, zoneMinutes]) => {
        const date = formatDateTime(seconds * 1000, zoneMinutes);
        const line = `${formatUidSet(set)} ${flagSetText(flagSet)} ${date}`;
        const p = new Parser(commandOf(line));
        assert.deepEqual(p.sequenceSet(), { type: 'numbers', ranges: set });
        p.space();
        assert.deepEqual(flagSetOf(p.flagList()), flagSet);
        p.space();
        assert.equal(p.dateTime().at, seconds * 1000);
        p.end();
      }),
      runs(200),
    );
  });

  it('we read back: items of FETCH', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fetchItem, { minLength: 1, selector: formatFetchItem }),
        (items) => {
          const p = new Parser(commandOf(` 1 (${items.map(formatFetchItem).join(' ')})`));
          assert.deepEqual(fetch(p).items, items);
        },
      ),
      runs(300),
    );
  });
});

/** Objects as the parser makes them. */
const PLAIN = { noNullPrototype: true } as const;

const part = fc.array(fc.integer({ min: 1, max: 4_294_967_295 }), { maxLength: 4 });
const fields = fc.array(fc.stringMatching(/^[!-9;-~]{1,10}$/), { minLength: 1, maxLength: 3 });
const section: fc.Arbitrary<Section> = fc.oneof(
  part.map((numbers) => ({ part: numbers })),
  fc.record({ part, text: fc.constantFrom('HEADER' as const, 'TEXT' as const) }, PLAIN),
  fc.record(
    {
      part,
      text: fc.constantFrom('HEADER.FIELDS' as const, 'HEADER.FIELDS.NOT' as const),
      fields,
    },
    PLAIN,
  ),
  part
    .filter((numbers) => numbers.length > 0)
    .map((numbers) => ({ part: numbers, text: 'MIME' as const })),
);
const partial = fc.record(
  {
    start: fc.nat({ max: 1_000_000 }),
    length: fc.integer({ min: 1, max: 1_000_000 }),
  },
  PLAIN,
);
const peek = fc.boolean();
const fetchItem: fc.Arbitrary<FetchItem> = fc.oneof(
  fc.constantFrom<FetchItem[]>({ type: 'UID' }, { type: 'BODY' }, { type: 'RFC822' }),
  fc.record({ type: fc.constant('PREVIEW' as const), lazy: peek }, PLAIN),
  fc.record(
    { type: fc.constant('SECTION' as const), peek, section, partial },
    { requiredKeys: ['type', 'peek', 'section'], ...PLAIN },
  ),
  fc.record(
    { type: fc.constant('BINARY' as const), peek, part, partial },
    { requiredKeys: ['type', 'peek', 'part'], ...PLAIN },
  ),
  fc.record({ type: fc.constant('BINARY.SIZE' as const), part }, PLAIN),
);
