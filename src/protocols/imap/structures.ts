/**
 * Where the parts of messages stand, for all sessions: read when a part is first asked for and kept
 * for a while, so that the next part is cut without reading the message again. Contents never
 * change, so that what is kept is never wrong.
 */

import type { BodyHash } from '#domain/values/ids';
import { IMAP_STRUCTURED_PARTS_MAX } from '../limits.ts';
import type { PartExtent } from '../message/section.ts';

interface Known {
  readonly extents: PartExtent;
  readonly parts: number;
}

export class Structures {
  /** In the order of last use: maps keep the order of insertion. */
  readonly #known = new Map<string, Known>();
  #parts = 0;

  /** The parts of a body with so many octets before it. */
  get(body: BodyHash, prefixBytes: number): PartExtent | undefined {
    const key = keyOf(body, prefixBytes);
    const known = this.#known.get(key);
    if (known === undefined) return undefined;
    this.#known.delete(key);
    this.#known.set(key, known);
    return known.extents;
  }

  keep(body: BodyHash, prefixBytes: number, extents: PartExtent): void {
    const key = keyOf(body, prefixBytes);
    const parts = countOf(extents);
    this.#forget(key);
    this.#known.set(key, { extents, parts });
    this.#parts += parts;
    for (const oldest of this.#known.keys()) {
      if (this.#parts <= IMAP_STRUCTURED_PARTS_MAX) break;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#parts -= this.#known.get(key)?.parts ?? 0;
    this.#known.delete(key);
  }
}

function keyOf(body: BodyHash, prefixBytes: number): string {
  return `${body}/${prefixBytes}`;
}

function countOf({ children }: PartExtent): number {
  return children.reduce((count, child) => count + countOf(child), 1);
}
