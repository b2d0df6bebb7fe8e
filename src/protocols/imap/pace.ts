/**
 * Time in a conversation: waiting, giving way to other conversations, and answering slowly.
 */

import { Writable } from 'node:stream';
import type { Clock } from '../ports.ts';

/** A conversation that works for longer lets the others have their turn. */
const TURN_MS = 20;
const SLOW_OCTET_MS = 1000;

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}

/** Long work calls `giveWay` between its parts, so that nobody else waits for all of it. */
export class Turn {
  readonly #clock: Clock;
  #began: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#began = clock.now();
  }

  async giveWay(): Promise<void> {
    if (this.#clock.now() - this.#began < TURN_MS) return;
    await pause(this.#clock, 0);
    this.#began = this.#clock.now();
  }
}

/** Passes octets on, one each second: for those who guess passwords. */
export function slowly(target: Writable, clock: Clock): Writable {
  return new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      let at = 0;
      let cancel: () => void = () => undefined;
      const end = (): void => {
        cancel();
        target.off('close', end);
        done();
      };
      const next = (): void => {
        if (at >= chunk.length || target.destroyed) return end();
        target.write(chunk.subarray(at, ++at));
        cancel = clock.after(SLOW_OCTET_MS, next);
      };
      target.once('close', end);
      next();
    },
  });
}
