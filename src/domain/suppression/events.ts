/**
 * Facts about addresses that an account does not write to any more. Stored for ever.
 */

import type { QueueId } from '../values/ids.ts';

export interface AddressSuppressed {
  readonly type: 'AddressSuppressed';
  /** What all addresses of the same person have in common; see `baseAddress`. */
  readonly baseAddress: string;
  /** The address that it came from. */
  readonly address: string;
  readonly reason: string;
  /** By a person, not after failures. */
  readonly manual: boolean;
  /** The message that failed. */
  readonly queueId?: QueueId;
}

export interface AddressUnsuppressed {
  readonly type: 'AddressUnsuppressed';
  readonly baseAddress: string;
}

export type SuppressionEvent = AddressSuppressed | AddressUnsuppressed;

export const SUPPRESSION_EVENTS: Record<SuppressionEvent['type'], string> = {
  AddressSuppressed: 'Messages to the address fail at once from now on.',
  AddressUnsuppressed: 'Messages to the address are delivered again.',
};
