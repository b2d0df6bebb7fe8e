/**
 * Bytes of one connection → the lines and literals of its commands, with ceilings.
 *
 * It reads from the stream only what is asked for, so that a slow server slows the client down, and
 * keeps nothing between commands but octets that came early. Costs grow with the octets, however
 * they are cut into packets.
 *
 * Diagnostics: LineTooLong and LiteralTooBig are what the client did; StreamEnded is that it left.
 *
 * RFC 9051 §4.3, RFC 7888 (literals that are not waited for), RFC 3516 §4.1 (literal8)
 */

import {
  IMAP_LINE_BYTES_MAX,
  IMAP_LITERAL_BYTES_MAX,
  IMAP_LITERALS_BYTES_MAX,
  IMAP_LITERALS_MAX,
} from '../limits.ts';
import type { Readable } from 'node:stream';

/** `{5}`, `{5+}`, `~{5}` at the end of a line: so many octets follow it. */
export interface LiteralMark {
  readonly bytes: number;
  /** The client waits for our `+` before it sends them. */
  readonly synchronizing: boolean;
  /** A literal8: NUL may occur. */
  readonly binary: boolean;
}

export interface Literal {
  readonly octets: Buffer;
  readonly binary: boolean;
}

/**
 * A command as far as it is read: lines[0], literals[0], lines[1] and so on. Lines hold a character
 * per octet and neither CRLF nor the literal mark; a line that lacks its CR keeps its LF, which no
 * grammar accepts. `open` tells that the last line ended in the mark of a literal not yet read.
 */
export interface Command {
  readonly lines: string[];
  readonly literals: Literal[];
  open: LiteralMark | undefined;
}

/** How much is read of one command. */
export interface ReaderLimits {
  /** Of all its lines together. */
  readonly lineBytes: number;
  /** Of each literal, of all together, and how many. */
  readonly literalBytes: number;
  readonly literalsBytes: number;
  readonly literals: number;
}

const COMMAND_LIMITS: ReaderLimits = {
  lineBytes: IMAP_LINE_BYTES_MAX,
  literalBytes: IMAP_LITERAL_BYTES_MAX,
  literalsBytes: IMAP_LITERALS_BYTES_MAX,
  literals: IMAP_LITERALS_MAX,
};

/** A line is longer than we read; where the next one begins is unknown. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong';

  constructor() {
    super('The line is too long.');
  }
}

/** A literal is too large, or there are too many. If it is synchronizing, none of it was sent. */
export class LiteralTooBig extends Error {
  override readonly name = 'LiteralTooBig';
  readonly synchronizing: boolean;

  constructor(synchronizing: boolean) {
    super('The literals are too large or too many.');
    this.synchronizing = synchronizing;
  }
}

/** The peer ended the stream inside a command. */
export class StreamEnded extends Error {
  override readonly name = 'StreamEnded';

  constructor() {
    super('The stream ended inside a command.');
  }
}

const LF = 10;

/** Sends the continuation that a synchronizing literal waits for. */
type Proceed = () => void | Promise<void>;

export class CommandReader {
  readonly #stream: Readable;
  readonly #heard: () => void;
  readonly #limits: ReaderLimits;
  /** Octets read from the stream and not yet used. */
  #rest: Buffer | undefined;
  /** Octets still to come of a streamed literal; undefined once the line behind it is read. */
  #streaming: number | undefined;
  #ended = false;
  #wake: (() => void) | undefined;

  /** `heard` is called whenever octets arrive. */
  constructor(
    stream: Readable,
    heard: () => void = () => undefined,
    limits: ReaderLimits = COMMAND_LIMITS,
  ) {
    this.#stream = stream;
    this.#heard = heard;
    this.#limits = limits;
    stream.on('readable', this.#onReadable);
    stream.on('end', this.#onEnd);
    stream.on('close', this.#onEnd);
    stream.on('error', this.#onEnd);
  }

  /** The first line of the next command; undefined when the stream has ended. */
  async readCommand(): Promise<Command | undefined> {
    const line = await this.readLine();
    return line === undefined ? undefined : begun(line);
  }

  /** Reads the literals and lines that are still to come of a command. */
  async complete(command: Command, proceed: Proceed): Promise<void> {
    while (command.open !== undefined) await this.readLiteral(command, proceed);
  }

  /** Reads the open literal and the line behind it. */
  async readLiteral(command: Command, proceed: Proceed): Promise<void> {
    const mark = command.open;
    if (mark === undefined) return;
    let together = mark.bytes;
    for (const { octets } of command.literals) together += octets.length;
    if (
      mark.bytes > this.#limits.literalBytes ||
      together > this.#limits.literalsBytes ||
      command.literals.length >= this.#limits.literals
    ) {
      throw new LiteralTooBig(mark.synchronizing);
    }
    if (mark.synchronizing) await proceed();
    const pile = new Pile();
    for (let left = mark.bytes; left > 0;) {
      const octets = await this.#take(left);
      pile.add(octets);
      left -= octets.length;
    }
    command.literals.push({ octets: pile.all(), binary: mark.binary });
    let lineBytes = 0;
    for (const line of command.lines) lineBytes += line.length;
    const line = await this.readLine(Math.max(this.#limits.lineBytes - lineBytes, 0));
    if (line === undefined) throw new StreamEnded();
    const next = begun(line);
    command.lines.push(...next.lines);
    command.open = next.open;
  }

  /** The octets of the open literal as they come; whoever breaks off calls `discardRest`. */
  async *streamLiteral(command: Command): AsyncGenerator<Buffer, void, undefined> {
    this.#streaming = command.open?.bytes ?? 0;
    command.open = undefined;
    while (this.#streaming !== undefined && this.#streaming > 0) {
      const octets = await this.#take(this.#streaming);
      this.#streaming -= octets.length;
      yield octets;
    }
  }

  /** The line behind a streamed literal. */
  async nextLine(): Promise<Command> {
    this.#streaming = undefined;
    const line = await this.readLine();
    if (line === undefined) throw new StreamEnded();
    return begun(line);
  }

  /** Skips what a client still sends of a command that was refused before its end. */
  async discardRest(command: Command): Promise<void> {
    let skipped = 0;
    let open = command.open;
    if (this.#streaming !== undefined) {
      open = { bytes: this.#streaming, synchronizing: false, binary: false };
    }
    // A client that waits for a continuation sends nothing more when it gets an answer instead.
    while (open !== undefined && !open.synchronizing) {
      skipped += open.bytes;
      if (skipped > this.#limits.literalsBytes) throw new LiteralTooBig(false);
      for (let left = open.bytes; left > 0;) left -= (await this.#take(left)).length;
      const line = await this.nextLine();
      skipped += line.lines[0]?.length ?? 0;
      open = line.open;
    }
    command.open = undefined;
  }

  /** A line without its CRLF, one character per octet; undefined when the stream has ended. */
  async readLine(limitBytes: number = this.#limits.lineBytes): Promise<string | undefined> {
    let pile: Pile | undefined;
    for (;;) {
      const chunk = this.#rest ?? (await this.#arrival());
      if (chunk === undefined) return undefined;
      const end = chunk.indexOf(LF);
      const length = end < 0 ? chunk.length : end + 1;
      if ((pile?.length ?? 0) + length > limitBytes + 2) throw new LineTooLong();
      if (end >= 0 && pile === undefined) {
        this.#rest = length < chunk.length ? chunk.subarray(length) : undefined;
        return withoutCrlf(chunk.toString('latin1', 0, length));
      }
      pile ??= new Pile();
      pile.add(chunk.subarray(0, length));
      this.#rest = length < chunk.length ? chunk.subarray(length) : undefined;
      if (end >= 0) return withoutCrlf(pile.all().toString('latin1'));
    }
  }

  /** True while nothing can be done before the client says more. */
  get isWaiting(): boolean {
    return this.#wake !== undefined;
  }

  /** Lets go of the stream; gives back the octets that were read and not used. */
  release(): Buffer {
    this.#stream.off('readable', this.#onReadable);
    this.#stream.off('end', this.#onEnd);
    this.#stream.off('close', this.#onEnd);
    this.#stream.off('error', this.#onEnd);
    const rest = [this.#rest ?? Buffer.alloc(0)];
    for (let chunk = this.#read(); chunk !== undefined; chunk = this.#read()) rest.push(chunk);
    this.#rest = undefined;
    this.#onEnd();
    return Buffer.concat(rest);
  }

  /** At least one and at most `count` octets. */
  async #take(count: number): Promise<Buffer> {
    const chunk = this.#rest ?? (await this.#arrival());
    if (chunk === undefined) throw new StreamEnded();
    this.#rest = chunk.length > count ? chunk.subarray(count) : undefined;
    return chunk.length > count ? chunk.subarray(0, count) : chunk;
  }

  /** The next octets from the stream; undefined at its end. */
  async #arrival(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = this.#read();
      if (chunk !== undefined) {
        this.#heard();
        return chunk;
      }
      if (this.#ended || this.#stream.readableEnded || this.#stream.destroyed) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #read(): Buffer | undefined {
    const chunk: unknown = this.#stream.read();
    return Buffer.isBuffer(chunk) && chunk.length > 0 ? chunk : undefined;
  }

  readonly #onReadable = (): void => {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#onReadable();
  };
}

/** Octets that arrive piecemeal, in a buffer that doubles: no announcement reserves memory. */
class Pile {
  #buffer: Buffer = Buffer.alloc(0);
  length = 0;

  add(octets: Buffer): void {
    const length = this.length + octets.length;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, this.#buffer.length * 2, 64));
      this.#buffer.copy(larger, 0, 0, this.length);
      this.#buffer = larger;
    }
    octets.copy(this.#buffer, this.length);
    this.length = length;
  }

  all(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }
}

function withoutCrlf(line: string): string {
  return line.endsWith('\r\n') ? line.slice(0, -2) : line;
}

/** RFC 9051 §9 literal, literal8; RFC 7888 §3: the `+`. */
const MARK = /(~?)\{([0-9]{1,20})(\+?)\}$/;

/** The command that begins with a line. */
export function begun(line: string): Command {
  const mark = line.endsWith('}') ? MARK.exec(line) : null;
  if (mark === null) return { lines: [line], literals: [], open: undefined };
  return {
    lines: [line.slice(0, mark.index)],
    literals: [],
    open: {
      // Number is exact enough: what it rounds is far above every limit.
      bytes: Number(mark[2]),
      synchronizing: mark[3] !== '+',
      binary: mark[1] === '~',
    },
  };
}
