/**
 * Addresses that an account does not write to any more.
 */

import type { AccountFact } from '../log/streams.ts';
import type { Instant, QueueId } from '../values/ids.ts';

export interface Suppression {
  readonly baseAddress: string;
  readonly address: string;
  readonly reason: string;
  readonly manual: boolean;
  readonly at: Instant;
}

export interface SuppressionState {
  suppression(baseAddress: string): Suppression | undefined;
  /**
   * How many of the messages to exactly this recipient that are remembered have failed since one
   * got there, the one `besides` left out: by what happened last to them, at most
   * `FAILURES_BEFORE_MAX`.
   */
  failuresInRow(recipient: string, besides: QueueId): number;
}

/**
 * The base of `localpart@domain`: without what stands behind `+` or `-` and without dots, in lower
 * case. A localpart of which nothing would be left stays as it is.
 */
export function baseAddress(address: string): string {
  const at = address.lastIndexOf('@');
  const localpart = address
    .slice(0, at)
    .replace(/^"(.*)"$/su, (_, quoted: string) => quoted.replace(/\\(.)/gsu, '$1'));
  const [beforePlus = ''] = localpart.split('+');
  const [beforeDash = ''] = beforePlus.split('-');
  const base = beforeDash.replaceAll('.', '');
  return `${base === '' ? localpart : base}${address.slice(at)}`.toLowerCase();
}

/** The reference model. */
export interface SuppressionRecords {
  readonly suppressions: Map<string, Suppression>;
}

export function emptySuppressions(): SuppressionRecords {
  return { suppressions: new Map() };
}

export function evolveSuppressions(records: SuppressionRecords, { event, at }: AccountFact): void {
  switch (event.type) {
    case 'AddressSuppressed': {
      const { type: _, queueId: __, ...suppression } = event;
      records.suppressions.set(event.baseAddress, { ...suppression, at });
      return;
    }
    case 'AddressUnsuppressed':
      records.suppressions.delete(event.baseAddress);
      return;
    default:
      return;
  }
}
