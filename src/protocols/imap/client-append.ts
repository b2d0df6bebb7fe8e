/**
 * APPEND: a message into a mailbox, streamed.
 *
 * RFC 9051 §6.3.12, RFC 4315 §3 (APPENDUID), RFC 3516 §4.4 (literal8)
 */

import type { Uid } from '#domain/values/ids';
import type { DateTime } from './calendar.ts';
import type { Conversation } from './client-conversation.ts';
import { ImapClientError } from './client-error.ts';
import { CommandLine } from './client-line.ts';
import { internalDate } from './writer.ts';

export interface AppendMessage {
  /** The octets, or a source of them with how many there are. */
  readonly octets:
    Uint8Array | { readonly bytes: number; readonly source: AsyncIterable<Uint8Array> };
  readonly flags?: readonly string[];
  /** When it was received; now, when absent. */
  readonly receivedAt?: DateTime;
  /** NUL may occur; needs BINARY. */
  readonly binary?: boolean;
}

export interface AppendedUid {
  readonly uidValidity: number;
  readonly uid: Uid;
}

/** Where the message is now, as far as the server tells. */
export async function append(
  conversation: Conversation,
  mailbox: string,
  message: AppendMessage,
  signal?: AbortSignal,
): Promise<AppendedUid | undefined> {
  const { octets, flags = [], receivedAt, binary = false } = message;
  if (binary && !conversation.capabilities.has('BINARY')) {
    throw new ImapClientError('NotOffered', 'The server does not offer BINARY.');
  }
  const line = new CommandLine('APPEND').put(' ').mailbox(mailbox, conversation.utf8);
  if (flags.length > 0) line.atoms(flags);
  if (receivedAt !== undefined) {
    line.put(` ${internalDate(receivedAt.at, receivedAt.zoneMinutes)}`);
  }
  line.put(' ');
  if (octets instanceof Uint8Array) line.literal({ bytes: octets.length, octets, binary });
  else line.literal({ bytes: octets.bytes, octets: octets.source, binary });
  const { code } = await conversation.run({ line }, signal);
  const uid = code?.type === 'APPENDUID' ? code.uids[0]?.[0] : undefined;
  if (code?.type !== 'APPENDUID' || uid === undefined) return undefined;
  return { uidValidity: code.uidValidity, uid };
}
