/**
 * A watch on a server that must not be silent for too long. RFC 9051 §5.4
 */

import type { Clock } from '../ports.ts';

export class Silence {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #onTooLong: () => void;
  #heardAt: number;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, limitMs: number, onTooLong: () => void) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#onTooLong = onTooLong;
    this.#heardAt = clock.now();
  }

  heard(): void {
    this.#heardAt = this.#clock.now();
  }

  /** Begins to watch, or goes on; or stops. */
  watch(on: boolean): void {
    if (!on) {
      this.#cancel?.();
      this.#cancel = undefined;
    } else if (this.#cancel === undefined) {
      this.heard();
      this.#arm(this.#limitMs);
    }
  }

  /** One timer for many signs of life: when it is due it looks how long ago the last one was. */
  #arm(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => {
      this.#cancel = undefined;
      const left = this.#heardAt + this.#limitMs - this.#clock.now();
      if (left > 0) this.#arm(left);
      else this.#onTooLong();
    });
  }
}
