/**
 * Records of the body journal: how bodies stand in a segment until their own files are on the
 * disk, and how they are found there after a power cut.
 *
 * Invariants: a record counts only when its header and its octets are whole, and every record
 * before it; so what a cut left of a group that nobody was told of ends the segment. Records of an
 * earlier use of the segment carry another mark and end it too.
 */

import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { AccountId, BodyHash } from '#domain/values/ids';

/** The files that records stand in. */
export const SEGMENT_NAMES: readonly string[] = ['bodies-1.journal', 'bodies-2.journal'];
/** Octets before those of the body. */
export const RECORD_HEADER_BYTES = 64;
/** Octets that all records of one use of a segment share. */
export const MARK_BYTES = 8;

const MAGIC = 0x44_42_4a_31;
/** The octets are those of an earlier record with the same hash. */
const REPEATED = 0xff_ff_ff_ff;
const AT = { crc: 4, mark: 8, account: 16, length: 24, hash: 32 } as const;

export interface BodyRecord {
  readonly accountId: AccountId;
  readonly hash: BodyHash;
  readonly octets: Buffer;
}

/** The header of a record; without `lengthBytes` the octets stand in an earlier one. */
export function recordHeader(
  mark: Buffer,
  accountId: AccountId,
  hashHex: BodyHash,
  lengthBytes: number | undefined,
): Buffer {
  const header = Buffer.alloc(RECORD_HEADER_BYTES);
  header.writeUInt32BE(MAGIC, 0);
  mark.copy(header, AT.mark);
  header.writeDoubleBE(accountId, AT.account);
  header.writeUInt32BE(lengthBytes ?? REPEATED, AT.length);
  header.write(hashHex, AT.hash, 'hex');
  header.writeUInt32BE(crc32(header.subarray(AT.mark)), AT.crc);
  return header;
}

/** The records of a segment, up to the first that is not whole. */
export function* recordsIn(segment: Buffer): Generator<BodyRecord> {
  const mark = segment.subarray(AT.mark, AT.mark + MARK_BYTES);
  const known = new Map<BodyHash, Buffer>();
  for (let at = 0; at + RECORD_HEADER_BYTES <= segment.length;) {
    const header = segment.subarray(at, at + RECORD_HEADER_BYTES);
    at += RECORD_HEADER_BYTES;
    if (!isWhole(header) || !header.subarray(AT.mark, AT.mark + MARK_BYTES).equals(mark)) return;
    const hashHex = header.toString('hex', AT.hash);
    const length = header.readUInt32BE(AT.length);
    const octets =
      length === REPEATED ? known.get(hashHex) : wholeOctets(segment, at, length, hashHex);
    if (octets === undefined) return;
    if (length !== REPEATED) at += length;
    known.set(hashHex, octets);
    yield { accountId: header.readDoubleBE(AT.account), hash: hashHex, octets };
  }
}

function isWhole(header: Buffer): boolean {
  return (
    header.readUInt32BE(0) === MAGIC && header.readUInt32BE(AT.crc) === crc32(header.subarray(8))
  );
}

function wholeOctets(
  segment: Buffer,
  at: number,
  length: number,
  expected: BodyHash,
): Buffer | undefined {
  if (at + length > segment.length) return undefined;
  const octets = segment.subarray(at, at + length);
  return hash('sha256', octets) === expected ? octets : undefined;
}
