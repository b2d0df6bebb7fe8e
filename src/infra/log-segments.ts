/**
 * Sealed pieces of a log as text: JSON lines, compressed with Zstandard. Every engine can write
 * them and read them; `zstdcat` shows them to people.
 *
 * Invariants: a segment begins and ends with a commit and is never written again; whoever reads one
 * has made every hash of it again. Diagnostics: a segment that does not say what it promises is a
 * BadBackup, with its name and the position.
 */

import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { BadBackup } from './backup-manifest.ts';
import { chainStart, commitHash, eventDigest } from './event-digest.ts';
import type { LogCommit, LogHead, LogPiece } from './event-log-sqlite-verify.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

const VERSION = 1;
/** A segment is sealed before it has more events than this, unless one commit has more. */
const SEGMENT_EVENTS_MAX = 10_000;
/** Or when it is this long already. */
const SEGMENT_BYTES: number = 16 * 1024 * 1024;
/** What the longest segment can have, commits being bounded too. */
const SEGMENT_BYTES_MAX: number = 64 * 1024 * 1024;

export interface Segment {
  readonly first: number;
  readonly last: LogHead;
  readonly events: number;
  /** Compressed. */
  readonly octets: Buffer;
  readonly commits: readonly LogCommit[];
}

/** The commits in segments, in order. */
export async function* segmentsOf(
  logId: string,
  from: LogHead,
  commits: Iterable<LogCommit>,
): AsyncGenerator<Segment> {
  let open = new OpenSegment(logId, from);
  for (const commit of commits) {
    if (open.isFull(commit)) {
      yield await open.seal();
      open = new OpenSegment(logId, open.head);
    }
    open.add(commit);
  }
  if (!open.isEmpty) yield await open.seal();
}

class OpenSegment {
  readonly #first: number;
  readonly #lines: string[];
  readonly #commits: LogCommit[] = [];
  #events = 0;
  #letters = 0;
  head: LogHead;

  constructor(logId: string, from: LogHead) {
    this.head = from;
    this.#first = from.position + 1;
    const previous = from.hash.toString('hex');
    const header = { daybook: 'log-segment', version: VERSION, log: logId, first: this.#first };
    this.#lines = [JSON.stringify({ ...header, previous })];
  }

  get isEmpty(): boolean {
    return this.#commits.length === 0;
  }

  isFull({ pieces }: LogCommit): boolean {
    if (this.isEmpty) return false;
    return this.#events + pieces.length > SEGMENT_EVENTS_MAX || this.#letters > SEGMENT_BYTES;
  }

  add(commit: LogCommit): void {
    const { head, pieces } = commit;
    this.#commits.push(commit);
    for (const piece of pieces) {
      const line = lineOf(piece);
      this.#lines.push(line);
      this.#letters += line.length;
    }
    this.#lines.push(JSON.stringify({ commit: head.position, hash: head.hash.toString('hex') }));
    this.#events += pieces.length;
    this.head = head;
  }

  async seal(): Promise<Segment> {
    const { position, hash } = this.head;
    const trailer = { events: this.#events, last: position, hash: hash.toString('hex') };
    const text = [...this.#lines, JSON.stringify(trailer), ''].join('\n');
    const octets = await compress(text);
    const commits = this.#commits;
    return { first: this.#first, last: this.head, events: this.#events, octets, commits };
  }
}

/** As `log tail --json` prints them; data and cause stand as they are stored. */
function lineOf(piece: LogPiece): string {
  const { position } = piece;
  if (piece.removed !== undefined) {
    return JSON.stringify({ position, removed: piece.removed.toString('hex') });
  }
  const { stream, revision, type, version, at, id, data, meta } = piece;
  const head = JSON.stringify({ position, stream, revision, type, version, at, id: uuidOf(id) });
  return `${head.slice(0, -1)},"data":${data},"cause":${meta}}`;
}

function uuidOf(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The commits of a segment of the log that goes on from a head. `name` is for complaints. */
export async function readSegment(
  octets: Buffer,
  logId: string,
  from: LogHead,
  name: string,
): Promise<readonly LogCommit[]> {
  let text: string;
  try {
    text = (await decompress(octets, { maxOutputLength: SEGMENT_BYTES_MAX })).toString('utf8');
  } catch (cause) {
    throw damaged(name, 'it cannot be decompressed', cause);
  }
  const [header, ...lines] = text
    .split('\n')
    .slice(0, -1)
    .map((line) => objectIn(line, name));
  const trailer = lines.pop();
  const isNext =
    header?.['daybook'] === 'log-segment' &&
    header['log'] === logId &&
    header['first'] === from.position + 1 &&
    header['previous'] === from.hash.toString('hex');
  if (!isNext) throw damaged(name, `it does not go on from position ${from.position}`);
  if (header['version'] !== VERSION) throw damaged(name, 'a newer release wrote it');
  const commits = commitsIn(lines, from, name);
  const last = commits.at(-1)?.head ?? from;
  const isWhole =
    trailer?.['last'] === last.position && trailer['hash'] === last.hash.toString('hex');
  if (!isWhole) throw damaged(name, 'its end is missing');
  return commits;
}

type Fields = Readonly<Record<string, unknown>>;

function commitsIn(lines: readonly Fields[], from: LogHead, name: string): readonly LogCommit[] {
  const commits: LogCommit[] = [];
  let pieces: LogPiece[] = [];
  let head = from;
  for (const line of lines) {
    if (line['commit'] === undefined) {
      pieces.push(pieceIn(line, name));
      continue;
    }
    const position = head.position + pieces.length;
    const isInOrder = pieces.every((piece, i) => piece.position === head.position + 1 + i);
    const hash = commitHash(
      head.hash,
      pieces.map((piece) => piece.removed ?? eventDigest(piece)),
    );
    const isRight = line['commit'] === position && line['hash'] === hash.toString('hex');
    if (!isInOrder || !isRight) {
      throw damaged(name, `the events from ${head.position + 1} on are not as they were written`);
    }
    head = { position, hash };
    commits.push({ head, pieces });
    pieces = [];
  }
  if (pieces.length > 0) throw damaged(name, 'its end is missing');
  return commits;
}

function pieceIn(line: Fields, name: string): LogPiece {
  const { position, removed, stream, revision, type, version, at, id, data, cause } = line;
  const number = (value: unknown): number => {
    if (typeof value === 'number') return value;
    throw damaged(name, `an event behind ${String(position)} is not whole`);
  };
  if (typeof removed === 'string') {
    return { position: number(position), removed: Buffer.from(removed, 'hex') };
  }
  return {
    position: number(position),
    stream: String(stream),
    revision: number(revision),
    type: String(type),
    version: number(version),
    at: number(at),
    id: String(id).replaceAll('-', ''),
    // What was written came out of the same function: the same text, or another hash.
    data: JSON.stringify(data) ?? '',
    meta: JSON.stringify(cause) ?? '',
  };
}

function objectIn(line: string, name: string): Fields {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Fields;
  } catch (cause) {
    throw damaged(name, 'a line of it is not JSON', cause);
  }
  throw damaged(name, 'a line of it is no object');
}

/** Where a log begins. */
export function logStart(logId: string): LogHead {
  return { position: 0, hash: chainStart(logId) };
}

function damaged(name: string, why: string, cause?: unknown): BadBackup {
  return new BadBackup(`${name} is damaged: ${why}.`, { cause });
}
