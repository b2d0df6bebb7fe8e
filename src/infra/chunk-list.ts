/**
 * Octets as they come in, in their order, until they go on together.
 *
 * Invariant: memory follows the octets, also of those who send them one by one: an octet that
 * comes alone takes several hundred others with it, for all that belongs to a chunk.
 */

/** Smaller chunks are put together once there are some. */
const SMALL_BYTES: number = 2 * 1024;
const FEW_CHUNKS = 16;
const ROOM_BYTES: number = 16 * 1024;
const NOTHING: Buffer = Buffer.alloc(0);

export class ChunkList {
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #room = NOTHING;
  /** What of the room is used; of that, where the last chunk begins if it stands there. */
  #used = 0;
  #open: number | undefined;

  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (chunk.length >= SMALL_BYTES || this.#chunks.length < FEW_CHUNKS) {
      this.#chunks.push(chunk);
      this.#open = undefined;
      return;
    }
    if (this.#used + chunk.length > this.#room.length) {
      this.#room = Buffer.allocUnsafeSlow(ROOM_BYTES);
      this.#used = 0;
      this.#open = undefined;
    }
    const start = this.#open ?? this.#used;
    this.#room.set(chunk, this.#used);
    this.#used += chunk.length;
    if (this.#open !== undefined) this.#chunks.pop();
    this.#chunks.push(this.#room.subarray(start, this.#used));
    this.#open = start;
  }

  /** All there is; the list is empty afterwards. */
  take(): readonly Uint8Array[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    this.#room = NOTHING;
    this.#used = 0;
    this.#open = undefined;
    return chunks;
  }
}
