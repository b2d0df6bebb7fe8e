/**
 * The body journal: bodies of many messages go to the disk with one sync, into one of two files
 * that are there already; their own files are made at the same time, and synced much later.
 *
 * A body is kept when its record is on the disk and its file can be read. After a power cut files
 * may be missing or torn: body-recovery.ts makes them again from the records. A segment that is
 * full, or a while old, is settled: its files are synced, then it is free for other records. At
 * rest both segments are empty.
 *
 * Invariants: one group is written at a time, so what was acknowledged stands before everything
 * that was not; a segment is used again only when everything in it is on the disk elsewhere.
 * Diagnostics: without room for records or files the Fault DiskFull; a sync that fails is fatal,
 * nobody knows what the disk holds then.
 */

import { randomBytes } from 'node:crypto';
import { closeSync, constants, fdatasync, ftruncateSync, openSync, writevSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Fault } from '#domain/values/fault';
import type { AccountId, BodyHash } from '#domain/values/ids';
import type { Filing, FilingFailure } from './body-filer.ts';
import type { Filer, StartFiler } from './body-filer-thread.ts';
import { MARK_BYTES, recordHeader, RECORD_HEADER_BYTES, SEGMENT_NAMES } from './body-records.ts';
import { codeOf, diskFault, isDiskFull, syncDirectory } from './files.ts';

/** A content, for however many accounts. */
export interface JournalledBody {
  readonly hash: BodyHash;
  readonly octets: Buffer;
  /** Where the octets stand already. */
  place?: { readonly mark: Buffer; readonly at: number };
}

/** The name that a body gets. */
export interface BodyName {
  readonly accountId: AccountId;
  readonly file: string;
  /** A file with this content that is there, or will be before. */
  readonly source: string | undefined;
}

export interface BodyJournalOptions {
  readonly dir: string;
  readonly startFiler: StartFiler;
  /** Nobody can carry on; the next start repairs. */
  readonly fatal: (error: unknown) => void;
  /** How large a segment gets, when it is not as large as usual. */
  readonly segmentBytes?: number;
}

interface Entry {
  readonly body: JournalledBody;
  readonly name: BodyName;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Segment {
  readonly file: string;
  descriptor: number | undefined;
  /** Of its records; another for each use. */
  mark: Buffer;
  /** Where the next record goes. */
  end: number;
  records: number;
  /** How far the file goes. */
  allocated: number;
  settling: Promise<void> | undefined;
}

const fdatasyncAsync = promisify(fdatasync);

const SEGMENT_BYTES: number = 64 * 1024 * 1024;
/** A file grows by so much: to sync what does not grow takes half the time. */
const GROWTH_BYTES: number = 1024 * 1024;
const ZEROS: Buffer = Buffer.alloc(GROWTH_BYTES);
/** What a start after a power cut may have to look at, twice: a second or two. */
const SEGMENT_RECORDS = 5000;
const GROUP_BYTES_MAX: number = 4 * 1024 * 1024;
const GROUP_RECORDS_MAX = 1000;
/** By then most systems have written the files without being asked. */
const SETTLE_AFTER_MS = 35_000;
/** A segment with less is emptied on the disk too when it is settled. */
const BUSY_BYTES: number = 16 * 1024 * 1024;

export class BodyJournal {
  readonly #options: BodyJournalOptions;
  readonly #segments: readonly Segment[];
  readonly #segmentBytes: number;
  #current: Segment;
  #queue: Entry[] = [];
  #running: Promise<void> | undefined;
  #filer: Filer | undefined;
  #settleTimer: NodeJS.Timeout | undefined;
  /** Why nothing can be kept any more. */
  #broken: unknown;

  constructor(options: BodyJournalOptions) {
    this.#options = options;
    this.#segments = SEGMENT_NAMES.map((name) => ({
      file: path.join(options.dir, name),
      descriptor: undefined,
      mark: Buffer.alloc(0),
      end: 0,
      records: 0,
      allocated: 0,
      settling: undefined,
    }));
    this.#current = this.#segments[0] as Segment;
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
  }

  /** Resolves when the body has the name, and will have it after a power cut. */
  keep(body: JournalledBody, name: BodyName): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#queue.push({ body, name, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Everything kept so far is in its own file on the disk when it resolves, and nowhere else. */
  async settle(): Promise<void> {
    for (const segment of this.#segments) {
      if (segment.end > 0 || segment.settling !== undefined) await this.#settle(segment);
      if (segment.end === 0 && segment.settling === undefined) empty(segment);
    }
    // A cut must not bring back what stood there: whoever waits may be about to remove its files.
    for (const { descriptor } of this.#segments) {
      if (descriptor !== undefined) await this.#sync(descriptor);
    }
  }

  /** What cannot be settled is left for the next start. Nothing may be kept any more. */
  async close(): Promise<void> {
    const wasBroken = this.#broken !== undefined;
    this.#broken ??= new Fault('Closing', 'The server is stopping.');
    clearTimeout(this.#settleTimer);
    await this.#running;
    try {
      if (!wasBroken) await this.settle();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
    } finally {
      await this.#filer?.close();
      for (const segment of this.#segments) {
        if (segment.descriptor !== undefined) closeSync(segment.descriptor);
        segment.descriptor = undefined;
      }
    }
  }

  async #run(): Promise<void> {
    // What is kept at the same time shares the first sync.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const group = takeGroup(this.#queue, Math.min(GROUP_BYTES_MAX, this.#segmentBytes));
      try {
        await this.#write(group);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#running = undefined;
  }

  /** Resolves when the records are on the disk, and the files there. */
  async #write(group: readonly Entry[]): Promise<void> {
    const bytes = group.reduce((sum, entry) => sum + bytesOf(entry), 0);
    while (!this.#hasRoom(bytes, group.length)) await this.#makeRoom(bytes, group.length);
    const segment = this.#current;
    const descriptor = descriptorOf(segment);
    const filings = this.#writeRecords(segment, descriptor, group);
    this.#settleLater();
    this.#filer ??= this.#options.startFiler((error) => this.#break(error));
    const failures = await this.#filer.file(segment.file, filings);
    for (const [i, { resolve, reject }] of group.entries()) {
      const failure = failures[i];
      if (failure === undefined) resolve();
      else reject(diskFault(errorOf(failure)));
    }
  }

  #writeRecords(segment: Segment, descriptor: number, group: readonly Entry[]): Filing[] {
    const chunks: Buffer[] = [];
    let { end } = segment;
    if (end === 0) segment.mark = randomBytes(MARK_BYTES);
    const placed: { body: JournalledBody; place: { mark: Buffer; at: number } }[] = [];
    const filings = group.map(({ body, name }) => {
      const known = placed.find((one) => one.body === body)?.place ?? body.place;
      const isThere = known?.mark === segment.mark;
      const length = body.octets.length;
      chunks.push(
        recordHeader(segment.mark, name.accountId, body.hash, isThere ? undefined : length),
      );
      end += RECORD_HEADER_BYTES;
      const at = isThere ? known.at : end;
      if (!isThere) {
        chunks.push(body.octets);
        placed.push({ body, place: { mark: segment.mark, at } });
        end += length;
      }
      return { file: name.file, at, lengthBytes: length, source: name.source };
    });
    this.#writeAt(segment, descriptor, chunks, end);
    for (const { body, place } of placed) body.place = place;
    segment.end = end;
    segment.records += group.length;
    return filings;
  }

  #writeAt(segment: Segment, descriptor: number, chunks: readonly Buffer[], end: number): void {
    const grown = Math.min(Math.ceil(end / GROWTH_BYTES) * GROWTH_BYTES, this.#segmentBytes);
    try {
      if (grown > segment.allocated) {
        try {
          writeAll(descriptor, [...chunks, ZEROS.subarray(0, grown - end)], segment.end);
          segment.allocated = grown;
          return;
        } catch (error) {
          if (codeOf(error) !== 'ENOSPC') throw error;
          // Files need the room that is left.
          ftruncateSync(descriptor, segment.end);
          segment.allocated = end;
        }
      }
      writeAll(descriptor, chunks, segment.end);
    } catch (error) {
      throw diskFault(error);
    }
  }

  #hasRoom(bytes: number, records: number): boolean {
    return this.#current.descriptor !== undefined && this.#fits(bytes, records);
  }

  /** Into the present segment. */
  #fits(bytes: number, more: number): boolean {
    const { settling, end, records } = this.#current;
    const hasBytes = end + bytes <= this.#segmentBytes;
    return settling === undefined && hasBytes && records + more <= SEGMENT_RECORDS;
  }

  async #makeRoom(bytes: number, records: number): Promise<void> {
    if (this.#fits(bytes, records)) return this.#open(this.#current);
    const full = this.#current;
    const free = this.#segments.find(({ end, settling }) => end === 0 && settling === undefined);
    if (free === undefined) {
      await Promise.race(this.#segments.map((segment) => this.#settle(segment)));
      return;
    }
    this.#current = free;
    this.#settleSoon(full);
  }

  async #open(segment: Segment): Promise<void> {
    try {
      const flags = constants.O_RDWR | constants.O_CREAT;
      segment.descriptor = openSync(segment.file, flags, 0o600);
      // The name of a new file has to be on the disk too.
      await syncDirectory(this.#options.dir);
    } catch (error) {
      throw diskFault(error);
    }
  }

  /** The segment is free when it resolves. */
  #settle(segment: Segment): Promise<void> {
    segment.settling ??= this.#settleOrBreak(segment).finally(() => (segment.settling = undefined));
    return segment.settling;
  }

  /** Without room it may be tried again. */
  async #settleOrBreak(segment: Segment): Promise<void> {
    try {
      await this.#settleNow(segment);
    } catch (error) {
      if (!isDiskFull(error)) this.#break(error);
      throw error;
    }
  }

  async #settleNow(segment: Segment): Promise<void> {
    const failure = await this.#filer?.settle(segment.file);
    if (failure !== undefined) throw diskFault(errorOf(failure));
    const wasBusy = segment.end >= BUSY_BYTES;
    segment.end = 0;
    segment.records = 0;
    if (!wasBusy) empty(segment);
  }

  #settleSoon(segment: Segment): void {
    this.#settle(segment).catch((error: unknown) => {
      // Without room it is tried again when the segment is needed; anything else was told.
      if (!isDiskFull(error)) this.#broken ??= error;
    });
  }

  #settleLater(): void {
    this.#settleTimer ??= setTimeout(() => this.#settleOld(), SETTLE_AFTER_MS).unref();
  }

  #settleOld(): void {
    this.#settleTimer = undefined;
    for (const segment of this.#segments) {
      if (segment.settling !== undefined) continue;
      if (segment.end > 0) this.#settleSoon(segment);
      else empty(segment);
    }
    // What had much in it, or could not be settled, is looked at once more.
    if (this.#segments.some(({ allocated }) => allocated > 0)) this.#settleLater();
  }

  async #sync(descriptor: number): Promise<void> {
    try {
      await fdatasyncAsync(descriptor);
    } catch (error) {
      this.#break(error);
      throw error;
    }
  }

  #break(error: unknown): void {
    this.#broken ??= error;
    this.#options.fatal(error);
  }
}

function errorOf({ code, message }: NonNullable<FilingFailure>): Error {
  return Object.assign(new Error(message), { code });
}

function bytesOf({ body }: Entry): number {
  return RECORD_HEADER_BYTES + body.octets.length;
}

/** One at least. */
function takeGroup(queue: Entry[], bytesMax: number): Entry[] {
  let bytes = 0;
  const count = queue.findIndex(
    (entry, i) => i === GROUP_RECORDS_MAX || (bytes += bytesOf(entry)) > bytesMax,
  );
  return queue.splice(0, count < 0 ? queue.length : Math.max(1, count));
}

function descriptorOf({ file, descriptor }: Segment): number {
  if (descriptor === undefined) throw new Error(`${file} is not open`);
  return descriptor;
}

/** Nothing of the messages stays in it. */
function empty(segment: Segment): void {
  if (segment.descriptor === undefined || segment.allocated === 0) return;
  ftruncateSync(segment.descriptor, 0);
  segment.allocated = 0;
}

function writeAll(descriptor: number, chunks: readonly Buffer[], position: number): void {
  const written = writevSync(descriptor, chunks, position);
  const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (written === total) return;
  const rest = Buffer.concat(chunks).subarray(written);
  if (written === 0) throw new Error('the body journal cannot be written');
  writeAll(descriptor, [rest], position + written);
}
