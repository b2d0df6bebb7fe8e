/**
 * Values as records have them in JSON: times in ISO 8601 and UTC, durations in nanoseconds, and
 * what stands in the header of a message.
 */

import type { Buffer } from 'node:buffer';
import type { Instant } from '#domain/values/ids';
import { decodeWords, readHeader, valueOf, type Header } from '../message/header.ts';

const NS_PER_MS = 1_000_000;
/** Nobody puts a subject behind so much. */
const HEADER_BYTES_READ: number = 64 * 1024;

export function timeOf(at: Instant): string {
  return new Date(at).toISOString();
}

/** 0 while it lasts. */
export function durationOf(ms: number | null): number {
  return (ms ?? 0) * NS_PER_MS;
}

/** Without fields when the message is gone. */
export function headerOf(octets: Buffer | undefined): Header {
  return readHeader(octets?.toString('latin1', 0, HEADER_BYTES_READ) ?? '');
}

/** As people read it. */
export function subjectOf(header: Header): string {
  return decodeWords(valueOf(header, 'subject') ?? '');
}
