/**
 * APPEND: messages go to stable storage, and then into the mailbox all at once.
 *
 * Invariant: a continuation is sent only when mailbox, size and quota allow it; what was staged is
 * discarded, whatever became of the command.
 *
 * RFC 9051 §6.3.12, RFC 3502 (several messages), RFC 4315 §3 (APPENDUID), RFC 7889 (APPENDLIMIT)
 */

import { isRefusal } from '#domain/values/decision';
import type { StoredMessage } from '#domain/message/enter';
import { formatUidSet } from '#domain/values/uid-set';
import { IMAP_APPEND_MESSAGES_MAX } from '../../limits.ts';
import type { StagedBody } from '../../ports.ts';
import {
  appendMailbox,
  appendMailboxIsLiteral,
  appendMessage,
  appendMore,
} from '../grammar-messages.ts';
import type { Received } from '../overlap.ts';
import { Parser } from '../parser.ts';
import type { Command, LiteralMark } from '../reader.ts';
import { no, ok, refused, type Reply, type Session } from '../session.ts';
import { goAhead, stageUpload, unwantedUpload, uploadedMessage } from '../upload.ts';
import type { AppendWords } from '../words.ts';
import { LOGGED_IN, type OverlappingCommand } from './command.ts';

export const append: OverlappingCommand = {
  states: LOGGED_IN,
  async receive(command, parser, session) {
    const upload = new Upload(command, session);
    try {
      return await upload.receive(parser);
    } catch (error) {
      await upload.discard();
      throw error;
    } finally {
      await upload.skipRest();
    }
  },
};

/** One APPEND on its way. */
class Upload {
  readonly #session: Session;
  readonly #staged: StagedBody[] = [];
  readonly #messages: StoredMessage[] = [];
  /** The part of the command that is being read. */
  #command: Command;

  constructor(command: Command, session: Session) {
    this.#command = command;
    this.#session = session;
  }

  async receive(first: Parser): Promise<Received<Reply> | Reply> {
    const { reader } = this.#session;
    let parser = first;
    if (appendMailboxIsLiteral(this.#command)) {
      await reader.readLiteral(this.#command, () => goAhead(this.#session));
    }
    const mailbox = appendMailbox(parser);
    for (;;) {
      const { words, literal, wrapped } = appendMessage(parser);
      const refusal = this.#refusalOf(mailbox, literal);
      if (refusal !== undefined) {
        await this.discard();
        return refusal;
      }
      await this.#stage(words, literal);
      this.#command = await reader.nextLine();
      parser = new Parser(this.#command, { utf8: this.#session.utf8 });
      if (!appendMore(parser, wrapped)) break;
    }
    const stored = this.#store();
    return { stored, carryOut: () => this.#commit(mailbox, stored) };
  }

  /** Forgets what was staged. */
  async discard(): Promise<void> {
    await Promise.all(this.#staged.map((body) => body.discard()));
  }

  /** Skips what the client still sends of a command that is not wanted. */
  async skipRest(): Promise<void> {
    await this.#session.reader.discardRest(this.#command);
  }

  /** Why the next message is not wanted; told before the client sends it. */
  #refusalOf(mailbox: string, literal: LiteralMark): Reply | undefined {
    const stagedBytes = this.#messages.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const unwanted = unwantedUpload(mailbox, literal, this.#session, stagedBytes);
    if (unwanted !== undefined) return unwanted;
    if (this.#messages.length >= IMAP_APPEND_MESSAGES_MAX) {
      return no('these are too many messages for one command', 'LIMIT');
    }
    return undefined;
  }

  async #stage(words: AppendWords, literal: LiteralMark): Promise<void> {
    const body = await stageUpload(this.#command, literal, this.#session);
    this.#staged.push(body);
    this.#messages.push(uploadedMessage(body, words, this.#session));
  }

  /** Ends when nothing is under way any more, also if it fails. */
  async #store(): Promise<void> {
    const { ports, account } = this.#session;
    const links = this.#staged.map((body) => ports.bodies.link(body, account.accountId));
    for (const link of await Promise.allSettled(links)) {
      if (link.status === 'rejected') throw link.reason;
    }
  }

  async #commit(mailbox: string, stored: Promise<void>): Promise<Reply> {
    try {
      await stored;
      const messages = this.#messages;
      const outcome = await this.#session.execute({ type: 'AppendMessages', mailbox, messages });
      if (isRefusal(outcome)) return refused(outcome);
      const { uidValidity, uids } = outcome.answer;
      return ok('APPEND done', { code: `APPENDUID ${uidValidity} ${formatUidSet(uids)}` });
    } finally {
      await this.discard();
    }
  }
}
