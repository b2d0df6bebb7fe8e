/**
 * Keeps bodies on the disk for those who copy them: while anybody holds, nothing is removed.
 *
 * A hold is a lease, so that a copier that died keeps nobody for long. Invariant: of many holds at
 * the same time the last one to go lets removal go on.
 */

import { Fault } from '#domain/values/fault';
import type { Clock } from '#protocols/ports';
import type { RemovalHolds } from '#protocols/ports-admin';

/** Whoever copies says that it is still there more often than this. */
const LEASE_MS: number = 15 * 60_000;

export interface RemovalHoldsPorts {
  readonly clock: Clock;
  readonly sweep: {
    /** Runs a task while no body goes. */
    paused<T>(task: () => Promise<T>): Promise<T>;
  };
}

export class LeasedHolds implements RemovalHolds {
  readonly #ports: RemovalHoldsPorts;
  /** With how to cancel the end of each lease. */
  readonly #leases = new Map<number, () => void>();
  #lastId = 0;
  #closed = false;
  /** Resolves when nothing is removed any more. */
  #begun: Promise<void> | undefined;
  #end: () => void = () => undefined;

  constructor(ports: RemovalHoldsPorts) {
    this.#ports = ports;
  }

  async begin(): Promise<number> {
    if (this.#closed) throw new Fault('Closing', 'The server is stopping.');
    const id = ++this.#lastId;
    this.#lease(id);
    this.#begun ??= this.#pause();
    await this.#begun;
    return id;
  }

  renew(id: number): boolean {
    if (!this.#leases.has(id)) return false;
    this.#lease(id);
    return true;
  }

  end(id: number): void {
    this.#leases.get(id)?.();
    this.#leases.delete(id);
    if (this.#leases.size === 0) this.#end();
  }

  /** Lets everything go; for the end of the server. */
  close(): void {
    this.#closed = true;
    for (const id of this.#leases.keys()) this.end(id);
  }

  #lease(id: number): void {
    this.#leases.get(id)?.();
    this.#leases.set(
      id,
      this.#ports.clock.after(LEASE_MS, () => this.end(id)),
    );
  }

  #pause(): Promise<void> {
    const begun = Promise.withResolvers<void>();
    const over = Promise.withResolvers<void>();
    this.#end = () => {
      this.#begun = undefined;
      over.resolve();
    };
    void this.#ports.sweep.paused(() => {
      begun.resolve();
      return over.promise;
    });
    return begun.promise;
  }
}
