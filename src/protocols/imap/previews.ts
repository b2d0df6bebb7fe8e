/**
 * Previews of messages for all sessions: made when first asked for and kept for a while. Contents
 * never change, so that what is kept is never wrong.
 *
 * RFC 8970 §3
 */

import type { AccountId, BodyHash } from '#domain/values/ids';
import type { MessageRow } from '#projections/account-views';
import { IMAP_PREVIEWS_MAX } from '../limits.ts';
import { readPreview } from '../message/preview.ts';
import type { Bodies } from '../ports.ts';

/** Octets of a message that are looked at. */
const READ_BYTES: number = 1024 * 1024;
/** Up to here a preview is made even for those who do not want to wait. */
const FAST_BYTES: number = 64 * 1024;

export class Previews {
  readonly #bodies: Bodies;
  /** In the order of last use: maps keep the order of insertion. */
  readonly #known = new Map<BodyHash, string>();

  constructor(bodies: Bodies) {
    this.#bodies = bodies;
  }

  /** Undefined when the content is gone, and when `lazy` for what would take long. */
  of(accountId: AccountId, row: MessageRow, lazy: boolean): string | undefined {
    const known = this.#known.get(row.body);
    if (known !== undefined) {
      this.#keep(row.body, known);
      return known;
    }
    if (lazy && row.sizeBytes > FAST_BYTES) return undefined;
    const octets =
      row.sizeBytes <= READ_BYTES
        ? this.#bodies.read(accountId, row.body)
        : this.#bodies.slice(accountId, row.body, 0, READ_BYTES);
    if (octets === undefined) return undefined;
    const preview = readPreview(octets);
    this.#keep(row.body, preview);
    return preview;
  }

  #keep(body: BodyHash, preview: string): void {
    this.#known.delete(body);
    this.#known.set(body, preview);
    const [oldest] = this.#known.keys();
    if (this.#known.size > IMAP_PREVIEWS_MAX && oldest !== undefined) this.#known.delete(oldest);
  }
}
