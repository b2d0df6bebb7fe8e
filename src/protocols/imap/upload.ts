/**
 * Messages that a client uploads: whether one is wanted, and its way into the body store.
 *
 * RFC 9051 §6.3.12, RFC 7889 (APPENDLIMIT)
 */

import type { StoredMessage } from '#domain/message/enter';
import type { StagedBody } from '../ports.ts';
import type { Command, LiteralMark } from './reader.ts';
import { no, refused, type Reply, type Session } from './session.ts';
import type { AppendWords } from './words.ts';

/**
 * Why a message is not wanted, told before the client sends it; undefined when it is. `grownBytes`
 * is what the command adds to the account besides the message.
 */
export function unwantedUpload(
  mailbox: string,
  literal: LiteralMark,
  session: Session,
  grownBytes: number,
): Reply | undefined {
  if (session.mailboxNamed(mailbox) === undefined) {
    return no('the mailbox does not exist', 'TRYCREATE');
  }
  // RFC 3502 §6.3.11: an empty message cancels the command.
  if (literal.bytes === 0) return no('cancelled by an empty message');
  if (literal.bytes > session.options.messageBytesMax) {
    return no('the message is too large', 'TOOBIG');
  }
  const { quotaBytes } = session.settings;
  const grown = grownBytes + literal.bytes;
  // RFC 9208 §4.3.1
  if (quotaBytes > 0 && grown > 0 && session.account.views.usedBytes() + grown > quotaBytes) {
    return refused({ refused: 'OverQuota' });
  }
  return undefined;
}

/** Takes in the message of the open literal. */
export async function stageUpload(
  command: Command,
  literal: LiteralMark,
  session: Session,
): Promise<StagedBody> {
  await session.ports.bodies.requireRoom();
  if (literal.synchronizing) await goAhead(session);
  const octets = session.reader.streamLiteral(command);
  return session.ports.bodies.stage(octets, session.options.messageBytesMax);
}

export function uploadedMessage(
  body: StagedBody,
  words: AppendWords,
  session: Session,
): StoredMessage {
  return {
    body: body.hash,
    prefix: '',
    sizeBytes: body.sizeBytes,
    flags: words.flags,
    receivedAt: words.receivedAt ?? session.ports.clock.now(),
    zoneMinutes: words.zoneMinutes ?? 0,
  };
}

/** The continuation that a synchronizing literal waits for; commands before are answered first. */
export async function goAhead(session: Session): Promise<void> {
  await session.overlap.settled();
  session.out.line('+ go ahead');
  await session.out.flush();
}
