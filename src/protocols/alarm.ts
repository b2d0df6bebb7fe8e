/**
 * A timer that is set anew whenever what it waits for changes.
 */

import type { Instant } from '#domain/values/ids';
import type { Clock } from './ports.ts';

/**
 * Whoever wakes too soon sets the alarm again. Timers stand still while the machine sleeps, and
 * know nothing of a clock that is put forward: what is due by that is late by no more than this.
 */
const ALARM_MS_MAX = 60_000;

export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Undefined when there is nothing to wait for. */
  set(at: Instant | undefined, now: Instant): void {
    this.cancel();
    if (at !== undefined)
      this.#cancel = this.#clock.after(Math.min(at - now, ALARM_MS_MAX), this.#ring);
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
