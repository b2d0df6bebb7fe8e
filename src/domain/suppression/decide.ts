/**
 * Commands about addresses that an account does not write to, and what a final failure means for
 * its address.
 */

import type { AttemptReply } from '../queue/events.ts';
import { suppressionReason } from '../queue/outcome.ts';
import { decided, refuse, unreachable, type Decision } from '../values/decision.ts';
import type { QueueId } from '../values/ids.ts';
import type { AddressSuppressed, SuppressionEvent } from './events.ts';
import { baseAddress, type SuppressionState } from './state.ts';

export interface SuppressAddress {
  readonly type: 'SuppressAddress';
  readonly address: string;
  readonly reason: string;
}

export interface UnsuppressAddress {
  readonly type: 'UnsuppressAddress';
  readonly address: string;
}

export type SuppressionCommand = SuppressAddress | UnsuppressAddress;

export interface SuppressionAnswers {
  readonly SuppressAddress: { readonly baseAddress: string };
  readonly UnsuppressAddress: object;
}

type Outcome<C extends SuppressionCommand> = Decision<
  SuppressionEvent,
  SuppressionAnswers[C['type']]
>;

export function decideSuppression(
  command: SuppressionCommand,
  state: SuppressionState,
): Outcome<SuppressionCommand> {
  const base = baseAddress(command.address);
  const isSuppressed = state.suppression(base) !== undefined;
  switch (command.type) {
    case 'SuppressAddress': {
      if (isSuppressed) return refuse('AddressSuppressedAlready', base);
      const { address, reason } = command;
      return decided(
        [{ type: 'AddressSuppressed', baseAddress: base, address, reason, manual: true }],
        { baseAddress: base },
      );
    }
    case 'UnsuppressAddress':
      if (!isSuppressed) return refuse('AddressNotSuppressed', base);
      return decided([{ type: 'AddressUnsuppressed', baseAddress: base }], {});
    default:
      return unreachable(command);
  }
}

export interface FinalFailure {
  readonly queueId: QueueId;
  readonly recipient: string;
  readonly reply: AttemptReply;
  readonly source: 'queue' | 'DSN';
}

/** What follows for the address; nothing when it is suppressed already. */
export function suppressAfter(
  { queueId, recipient, reply, source }: FinalFailure,
  state: SuppressionState,
): readonly AddressSuppressed[] {
  const base = baseAddress(recipient);
  if (state.suppression(base) !== undefined) return [];
  const inRow = state.failuresInRow(recipient, queueId) + 1;
  const reason = suppressionReason(reply, inRow, source);
  if (reason === undefined) return [];
  return [
    {
      type: 'AddressSuppressed',
      baseAddress: base,
      address: recipient,
      reason,
      manual: false,
      queueId,
    },
  ];
}
