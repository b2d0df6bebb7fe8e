/**
 * The quota of an account: what stands against more octets in its mailboxes.
 *
 * Every message counts with its full size, also when its content is stored once for several. What
 * makes the account no larger is allowed also when it has too much already, so a MOVE always is.
 * RFC 9208 §5
 */

import { refuse, unreachable, type DecisionContext, type Refusal } from '../values/decision.ts';
import { uidRange } from '../values/uid-set.ts';
import type { MessageCommand } from './decide.ts';
import type { MessageState } from './state.ts';

type State = Pick<MessageState, 'bytesOf' | 'usedBytes'>;

/**
 * The decision, unless the account grows by it beyond its quota. Mail that the queue brings back (a
 * notice about a failure, in local mode the message itself) is not asked: we have taken the message
 * on us, and without the notice nobody would ever know what became of it. RFC 5321 §6.1
 */
export function withinQuota<D extends object>(
  decision: D | Refusal,
  command: MessageCommand,
  state: State,
  { policy }: DecisionContext,
): D | Refusal {
  const { quotaBytes } = policy.settings;
  if ('refused' in decision || quotaBytes <= 0) return decision;
  const grown = growthBy(command, state);
  if (grown <= 0 || state.usedBytes() + grown <= quotaBytes) return decision;
  return refuse('OverQuota');
}

function growthBy(command: MessageCommand, state: State): number {
  switch (command.type) {
    case 'DeliverMessage':
      return command.message.sizeBytes;
    case 'AppendMessages':
      return command.messages.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    case 'CopyMessages':
      return state.bytesOf(command.source, command.uids);
    case 'ReplaceMessage': {
      // The message that is replaced gives its room back.
      const { source, uid, message } = command;
      return message.sizeBytes - state.bytesOf(source, uidRange(uid, uid));
    }
    case 'MoveMessages':
    case 'ChangeFlags':
    case 'ExpungeMessages':
      return 0;
    default:
      return unreachable(command);
  }
}
