/**
 * Bytes → lines and literals: what is read, what is waited for, and where reading ends.
 */

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import {
  CommandReader,
  LineTooLong,
  LiteralTooBig,
  StreamEnded,
  type Command,
} from '#protocols/imap/reader';

function given(...chunks: readonly (string | Buffer)[]): {
  reader: CommandReader;
  stream: PassThrough;
} {
  const stream = new PassThrough();
  for (const chunk of chunks) stream.write(chunk);
  return { reader: new CommandReader(stream), stream };
}

/** Reads a whole command; `proceeds` counts the continuations. */
async function whole(reader: CommandReader): Promise<{ command: Command; proceeds: number }> {
  const command = await reader.readCommand();
  assert.ok(command !== undefined);
  let proceeds = 0;
  await reader.complete(command, () => void proceeds++);
  return { command, proceeds };
}

async function collected(octets: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of octets) text += chunk.toString('latin1');
  return text;
}

describe('lines', () => {
  it('come one by one, however the octets are cut', async () => {
    const { reader, stream } = given('a NO', 'OP\r', '\nb NOOP\r\nc');
    stream.end(' LOGOUT\r\n');
    for (const line of ['a NOOP', 'b NOOP', 'c LOGOUT']) {
      assert.deepEqual((await reader.readCommand())?.lines, [line]);
    }
    assert.equal(await reader.readCommand(), undefined);
  });

  it('8: are read up to 16 KiB; a longer one, with or without an end, is too long', async () => {
    const long = `a UID FETCH ${'1,'.repeat(7990)}1 UID`;
    assert.deepEqual((await given(`${long}\r\n`).reader.readCommand())?.lines, [long]);
    await assert.rejects(given('x'.repeat(17_000)).reader.readCommand(), LineTooLong);
    await assert.rejects(given(`${'x'.repeat(17_000)}\r\n`).reader.readCommand(), LineTooLong);
  });

  it('are read in time that grows with their length when octets come one by one', async () => {
    const { reader, stream } = given();
    const line = 'x'.repeat(16_000);
    const read = reader.readCommand();
    for (const char of `${line}\r\n`) stream.write(char);
    assert.equal((await read)?.lines[0]?.length, 16_000);
  });

  it('without CR keep their LF, which no grammar accepts', async () => {
    assert.deepEqual((await given('a NOOP\n').reader.readCommand())?.lines, ['a NOOP\n']);
    assert.equal((await given('a LOGIN {3+}\nabc\r\n').reader.readCommand())?.open, undefined);
  });

  it('keep every octet as one character', async () => {
    const { reader } = given(Buffer.from([0x61, 0xe2, 0x98, 0xba, 0x0d, 0x0a]));
    assert.equal(await reader.readLine(), 'a\xe2\x98\xba');
  });

  it('of an exchange may have a limit of their own', async () => {
    assert.equal(await given('DONE\r\n').reader.readLine(4), 'DONE');
    await assert.rejects(given('DONE!\r\n').reader.readLine(4), LineTooLong);
  });

  it('end with the stream, also when it is destroyed while we wait', async () => {
    const { reader, stream } = given('a NOO');
    const read = reader.readCommand();
    stream.destroy();
    assert.equal(await read, undefined);
    assert.equal(await reader.readLine(), undefined);
  });
});

describe('literals', () => {
  it('9: that are synchronizing wait for the continuation, the others do not', async () => {
    const { reader } = given('a LOGIN {5}\r\nalice {4+}\r\npass\r\nb NOOP\r\n');
    const { command, proceeds } = await whole(reader);
    assert.equal(proceeds, 1);
    assert.deepEqual(command.lines, ['a LOGIN ', ' ', '']);
    assert.deepEqual(
      command.literals.map(({ octets }) => octets.toString()),
      ['alice', 'pass'],
    );
    assert.deepEqual((await reader.readCommand())?.lines, ['b NOOP']);
  });

  it('may hold line ends and marks, which then mean nothing', async () => {
    const { command } = await whole(given('a X {7+}\r\n{3+}\r\nA y\r\n').reader);
    assert.equal(command.literals[0]?.octets.toString(), '{3+}\r\nA');
    assert.deepEqual(command.lines, ['a X ', ' y']);
  });

  it('tell whether they are literal8', async () => {
    const command = await given('a APPEND x ~{3}\r\n').reader.readCommand();
    assert.deepEqual(command?.open, { bytes: 3, synchronizing: true, binary: true });
    assert.deepEqual(command.lines, ['a APPEND x ']);
  });

  it('10: too large and synchronizing are refused before a continuation', async () => {
    const { reader } = given('a SELECT {200000}\r\nb NOOP\r\n');
    const command = (await reader.readCommand()) as Command;
    const isRefused = (error: unknown): boolean =>
      error instanceof LiteralTooBig && error.synchronizing;
    await assert.rejects(
      reader.complete(command, () => assert.fail('continuation')),
      isRefused,
    );
    assert.deepEqual((await reader.readCommand())?.lines, ['b NOOP']);
  });

  it('11: too large and not synchronizing are refused as such', async () => {
    for (const size of ['200000', '99999999999999999999']) {
      const { reader } = given(`a SELECT {${size}+}\r\n`);
      const command = (await reader.readCommand()) as Command;
      const isRefused = (error: unknown): boolean =>
        error instanceof LiteralTooBig && !error.synchronizing;
      await assert.rejects(
        reader.complete(command, () => undefined),
        isRefused,
      );
    }
  });

  it('12: of a command that nobody knows stand open when its verb can be read', async () => {
    const command = await given('a XYZ {3+}\r\nabc\r\n').reader.readCommand();
    assert.deepEqual(command?.lines, ['a XYZ ']);
    assert.deepEqual(command.open, { bytes: 3, synchronizing: false, binary: false });
  });

  it('13: are a thousand at most in one command', async () => {
    const many = (count: number): string => `a SEARCH${' TEXT {1+}\r\nx'.repeat(count)}\r\n`;
    assert.equal((await whole(given(many(1000)).reader)).command.literals.length, 1000);
    await assert.rejects(whole(given(many(1001)).reader), LiteralTooBig);
  });

  it('together are 1 MiB at most in one command', async () => {
    const one = ` {100000+}\r\n${'x'.repeat(100_000)}`;
    assert.equal(
      (await whole(given(`a X${one.repeat(10)}\r\n`).reader)).command.literals.length,
      10,
    );
    await assert.rejects(whole(given(`a X${one.repeat(11)}\r\n`).reader), LiteralTooBig);
  });

  it('do not let the lines between them grow without bound', async () => {
    const piece = `${'y'.repeat(9000)} {1+}\r\nx`;
    await assert.rejects(whole(given(`a ${piece}${piece}\r\n`).reader), LineTooLong);
  });

  it('that end with the stream are an end inside a command', async () => {
    const { reader, stream } = given('a LOGIN {5+}\r\nal');
    stream.end();
    await assert.rejects(whole(reader), StreamEnded);
  });
});

describe('a streamed literal', () => {
  it('comes as it arrives, and the line behind it after that', async () => {
    const { reader, stream } = given('a APPEND x {10+}\r\nabc');
    const command = (await reader.readCommand()) as Command;
    const octets = collected(reader.streamLiteral(command));
    stream.write('defghij {2+}\r\nxy\r\nb NOOP\r\n');
    assert.equal(await octets, 'abcdefghij');
    const next = await reader.nextLine();
    assert.deepEqual(next.lines, [' ']);
    assert.equal(await collected(reader.streamLiteral(next)), 'xy');
    assert.deepEqual(await reader.nextLine(), { lines: [''], literals: [], open: undefined });
    assert.deepEqual((await reader.readCommand())?.lines, ['b NOOP']);
  });

  it('holds the peer up while nobody takes it', async () => {
    const { reader, stream } = given('a APPEND x {1000000+}\r\n');
    const command = (await reader.readCommand()) as Command;
    const octets = reader.streamLiteral(command)[Symbol.asyncIterator]();
    stream.write('x'.repeat(100));
    assert.equal((await octets.next()).value?.length, 100);
    for (let i = 0; i < 100; i++) stream.write('x'.repeat(10_000));
    assert.ok(stream.writableNeedDrain);
  });

  it('that its reader gave up is skipped with the rest of the command', async () => {
    const { reader } = given('a APPEND x {4+}\r\nabcd {5+}\r\nefghi\r\n', 'b NOOP\r\n');
    const command = (await reader.readCommand()) as Command;
    for await (const octets of reader.streamLiteral(command)) if (octets.length > 0) break;
    await reader.discardRest(command);
    assert.deepEqual((await reader.readCommand())?.lines, ['b NOOP']);
  });

  it('that nobody began is skipped; one that waits for a continuation is never sent', async () => {
    const { reader } = given('a APPEND x {4+}\r\nabcd {5}\r\nb APPEND x {6}\r\nc NOOP\r\n');
    await reader.discardRest((await reader.readCommand()) as Command);
    const second = (await reader.readCommand()) as Command;
    assert.equal(second.lines[0], 'b APPEND x ');
    await reader.discardRest(second);
    assert.deepEqual((await reader.readCommand())?.lines, ['c NOOP']);
  });

  it('that is too large to be skipped is refused', async () => {
    const { reader } = given('a APPEND x {2000000+}\r\n');
    const command = (await reader.readCommand()) as Command;
    await assert.rejects(reader.discardRest(command), LiteralTooBig);
  });
});

describe('the stream', () => {
  it('is given back with the octets that nobody used', async () => {
    const { reader, stream } = given('a STARTTLS\r\nhello');
    await reader.readCommand();
    stream.write(' world');
    assert.equal(reader.release().toString(), 'hello world');
    assert.equal(stream.listenerCount('readable'), 0);
    assert.equal(await reader.readCommand(), undefined);
  });

  it('tells when it is heard', async () => {
    const stream = new PassThrough();
    let heard = 0;
    const reader = new CommandReader(stream, () => void heard++);
    stream.write('a NOOP\r\n');
    await reader.readCommand();
    assert.equal(heard, 1);
  });
});
