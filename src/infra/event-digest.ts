/**
 * The hash chain over the log: whoever changes, removes or reorders a stored event breaks it.
 *
 * A commit's hash is made of the hash of the commit before it and one digest per event. Digests
 * are made again from the rows when the chain is verified; they are stored only for events that
 * retention has removed. The chain begins with a hash of the log's own id, so that commits of one
 * log never pass for those of another.
 */

import { createHash, hash } from 'node:crypto';

/** Everything of an event that the chain protects. */
export interface DigestedEvent {
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly version: number;
  readonly at: number;
  /** 32 lower-case hex digits. */
  readonly id: string;
  /** JSON texts, as stored. */
  readonly data: string;
  readonly meta: string;
}

/** What the first commit of a log takes for the hash of the commit before it. */
export function chainStart(logId: string): Buffer {
  return hash('sha256', `daybook event log ${logId}`, 'buffer');
}

export function eventDigest(event: DigestedEvent): Buffer {
  const { position, stream, revision, type, version, at, id, data, meta } = event;
  // The lengths say where data ends and meta begins: no two events give the same octets.
  const head = [position, stream, revision, type, version, at, id, data.length, meta.length];
  return hash('sha256', JSON.stringify(head) + data + meta, 'buffer');
}

export function commitHash(previous: Uint8Array, digests: readonly Uint8Array[]): Buffer {
  const chain = createHash('sha256').update(previous);
  for (const digest of digests) chain.update(digest);
  return chain.digest();
}
