/**
 * Messages of DNS as octets: one question out, what it found in.
 *
 * Invariants: an answer that does not belong to the question, or cannot be read, is undefined;
 * whatever the octets, nothing is thrown and the work is bounded. A CNAME is followed inside the
 * answer. RFC 1035 §4 (messages), RFC 6891 (EDNS), RFC 6840 §5.7 (AD), RFC 8914 (extended errors),
 * RFC 2308 §5 (how long nothing stays nothing).
 */

import { isIPv4, isIPv6 } from 'node:net';
import {
  AUTHENTIC_DATA,
  decode,
  encode,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
  type Answer,
  type Packet,
  type StringAnswer,
} from 'dns-packet';
import type { DnsRecords, DnsType } from '#protocols/ports-remote';

/** What arrives in one piece nearly everywhere. */
const UDP_PAYLOAD_BYTES = 1232;
/** Records of an answer, all sections together: each may cost a walk through the message. */
const RECORDS_MAX = 1000;
const CNAMES_MAX = 16;
const HEADER_BYTES = 12;
const RCODE_MASK = 0xf;
const OPCODE_MASK = 0x7800;
const EXTENDED_ERROR_OPTION = 15;
const EXTENDED_ERROR_CHARS_MAX = 200;
/** RFC 2181 §8: the highest bit means zero. */
const TTL_MAX = 0x7fffffff;
/** When the answer does not say for how long there is nothing. */
const NEGATIVE_TTL = 60;

export const NOERROR = 0;
export const FORMERR = 1;
export const NXDOMAIN = 3;

export interface Question<T extends DnsType = DnsType> {
  readonly id: number;
  readonly type: T;
  /** In lower case. */
  readonly name: string;
}

export interface WireAnswer<T extends DnsType = DnsType> {
  readonly rcode: number;
  /** To be asked for again over TCP. */
  readonly truncated: boolean;
  /** The AD bit, for whoever trusts the server. */
  readonly authentic: boolean;
  readonly records: readonly DnsRecords[T][];
  readonly ttlSeconds: number;
  readonly extendedError?: { readonly code: number; readonly text: string };
}

const EDNS: Answer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: UDP_PAYLOAD_BYTES,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

/** True for what can be asked for: the library writes anything, and then something else. */
export function isQueryName(name: string): boolean {
  // RFC 1035 §2.3.4
  return name.length <= 253 && name.split('.').every((label) => /^[!-[\]-~]{1,63}$/.test(label));
}

/** `plain`: without EDNS. */
export function encodeQuestion({ id, type, name }: Question, plain = false): Buffer {
  return encode({
    type: 'query',
    id,
    // RFC 6840 §5.7: AD in a question asks for AD in the answer, without all the signatures.
    flags: RECURSION_DESIRED | AUTHENTIC_DATA,
    questions: [{ type, name, class: 'IN' }],
    additionals: plain ? [] : [EDNS],
  });
}

/** What the octets answer to the question; undefined when they do not. */
export function decodeAnswer<T extends DnsType>(
  octets: Buffer,
  question: Question<T>,
): WireAnswer<T> | undefined {
  const packet = decoded(octets);
  if (packet === undefined || !answers(packet, question)) return undefined;
  const flags = packet.flags ?? 0;
  const edns = packet.additionals?.find((one) => one.type === 'OPT');
  const found = recordsOf(packet.answers ?? [], question);
  const extendedError = edns === undefined ? undefined : extendedErrorOf(edns.options);
  if (found === undefined) return undefined;
  return {
    rcode: (flags & RCODE_MASK) | ((edns?.extendedRcode ?? 0) << 4),
    truncated: (flags & TRUNCATED_RESPONSE) !== 0,
    authentic: (flags & AUTHENTIC_DATA) !== 0,
    records: found.records,
    ttlSeconds:
      found.records.length > 0
        ? found.ttlSeconds
        : Math.min(found.ttlSeconds, negativeTtl(packet.authorities ?? [])),
    ...(extendedError !== undefined && { extendedError }),
  };
}

function decoded(octets: Buffer): Packet | undefined {
  if (octets.length < HEADER_BYTES) return undefined;
  let records = 0;
  for (let at = 4; at < HEADER_BYTES; at += 2) records += octets.readUInt16BE(at);
  if (records > RECORDS_MAX) return undefined;
  try {
    return decode(octets);
  } catch (error) {
    // Whatever the library stumbles over: these octets are no message.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** RFC 5452 §9.1: what must fit so that it is the answer and not a guess of somebody else. */
function answers(packet: Packet, { id, type, name }: Question): boolean {
  const [asked, ...more] = packet.questions ?? [];
  return (
    packet.type === 'response' &&
    packet.id === id &&
    ((packet.flags ?? 0) & OPCODE_MASK) === 0 &&
    asked !== undefined &&
    more.length === 0 &&
    asked.type === type &&
    asked.class === 'IN' &&
    nameOf(asked.name) === name
  );
}

interface Found<T extends DnsType> {
  readonly records: readonly DnsRecords[T][];
  /** The shortest on the way. */
  readonly ttlSeconds: number;
}

/** The records at the end of the CNAMEs; undefined when these have no end. */
function recordsOf<T extends DnsType>(
  all: readonly Answer[],
  { type, name }: Question<T>,
): Found<T> | undefined {
  let ttlSeconds = TTL_MAX;
  let owner = name;
  for (let step = 0; step <= CNAMES_MAX; step++) {
    const here = all.filter((one) => isIn(one) && nameOf(one.name) === owner);
    const wanted = here.filter((one) => one.type === type);
    const cname = here.find((one): one is StringAnswer => one.type === 'CNAME');
    if (wanted.length > 0 || cname === undefined) {
      ttlSeconds = Math.min(ttlSeconds, ...wanted.map(ttlOf));
      return { records: wanted.flatMap((one) => readRecord(type, one)), ttlSeconds };
    }
    ttlSeconds = Math.min(ttlSeconds, ttlOf(cname));
    owner = nameOf(cname.data);
  }
  return undefined;
}

function isIn(one: Answer): boolean {
  return one.type !== 'OPT' && one.class === 'IN';
}

function ttlOf(one: Answer): number {
  const ttl = one.type === 'OPT' ? 0 : (one.ttl ?? 0);
  return ttl > TTL_MAX ? 0 : ttl;
}

function negativeTtl(authorities: readonly Answer[]): number {
  const soa = authorities.find((one) => one.type === 'SOA');
  return soa === undefined ? NEGATIVE_TTL : Math.min(ttlOf(soa), soa.data.minimum ?? NEGATIVE_TTL);
}

/** Records that cannot be read are left out. */
function readRecord<T extends DnsType>(type: T, one: Answer): readonly DnsRecords[T][] {
  const read: unknown = READERS[type](one);
  return read === undefined ? [] : [read as DnsRecords[T]];
}

const READERS: { readonly [T in DnsType]: (one: Answer) => DnsRecords[T] | undefined } = {
  A: (one) => (one.type === 'A' && isIPv4(one.data) ? one.data : undefined),
  AAAA: (one) => (one.type === 'AAAA' && isIPv6(one.data) ? one.data : undefined),
  CNAME: (one) => (one.type === 'CNAME' ? nameOf(one.data) : undefined),
  PTR: (one) => (one.type === 'PTR' ? nameOf(one.data) : undefined),
  MX: (one) =>
    one.type === 'MX'
      ? { preference: one.data.preference ?? 0, exchange: nameOf(one.data.exchange) }
      : undefined,
  TLSA: (one) =>
    one.type === 'TLSA'
      ? {
          usage: one.data.usage,
          selector: one.data.selector,
          matchingType: one.data.matchingType,
          data: Buffer.from(one.data.certificate),
        }
      : undefined,
  TXT: (one) => (one.type === 'TXT' ? textOf(one.data) : undefined),
};

function textOf(data: string | Buffer | readonly (string | Buffer)[]): string {
  const strings = Array.isArray(data) ? data : [data];
  return Buffer.concat(strings.map((part: string | Buffer) => Buffer.from(part))).toString('utf8');
}

/** RFC 4343 §2: names are compared without regard to case. */
function nameOf(name: string): string {
  return name.toLowerCase();
}

function extendedErrorOf(
  options: readonly { readonly code: number; readonly data?: Buffer | undefined }[],
): WireAnswer['extendedError'] {
  const option = options.find(({ code }) => code === EXTENDED_ERROR_OPTION);
  if (option?.data === undefined || option.data.length < 2) return undefined;
  const text = option.data
    .subarray(2)
    .toString('utf8')
    .replace(/[^ -~]/g, '?');
  return { code: option.data.readUInt16BE(0), text: text.slice(0, EXTENDED_ERROR_CHARS_MAX) };
}
