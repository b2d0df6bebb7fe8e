/**
 * Addresses that an account does not write to any more, and how often mail to others has failed.
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
  /** Final failures to exactly this recipient since the last message that got there. */
  failuresInRow(recipient: string): number;
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
  readonly failures: Map<string, number>;
}

export function emptySuppressions(): SuppressionRecords {
  return { suppressions: new Map(), failures: new Map() };
}

/** `recipientOf` answers as of before the fact. */
export function evolveSuppressions(
  records: SuppressionRecords,
  { event, at }: AccountFact,
  recipientOf: (queueId: QueueId) => string | undefined,
): void {
  switch (event.type) {
    case 'AddressSuppressed': {
      const { type: _, queueId: __, ...suppression } = event;
      records.suppressions.set(event.baseAddress, { ...suppression, at });
      return;
    }
    case 'AddressUnsuppressed':
      records.suppressions.delete(event.baseAddress);
      return;
    case 'MessageRetired': {
      const recipient = recipientOf(event.queueId);
      if (recipient === undefined) return;
      if (event.outcome === 'delivered') records.failures.delete(recipient);
      if (event.outcome === 'failed') {
        records.failures.set(recipient, (records.failures.get(recipient) ?? 0) + 1);
      }
      return;
    }
    default:
      return;
  }
}
