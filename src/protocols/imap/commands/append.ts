/**
 * APPEND: messages go to stable storage as they arrive, and into the mailbox all at once.
 *
 * Invariant: a continuation is sent only when mailbox and size are acceptable; what was staged for
 * a command that fails is discarded.
 *
 * RFC 9051 §6.3.12, RFC 3502 (several messages), RFC 4315 §3 (APPENDUID), RFC 7889 (APPENDLIMIT)
 */

import { isRefusal } from '#domain/values/decision';
import type { StoredMessage } from '#domain/message/decide';
import { formatUidSet } from '#domain/values/uid-set';
import { IMAP_APPEND_MESSAGES_MAX } from '../../limits.ts';
import type { StagedBody } from '../../ports.ts';
import {
  appendMailbox,
  appendMailboxIsLiteral,
  appendMessage,
  appendMore,
} from '../grammar-messages.ts';
import { Parser } from '../parser.ts';
import type { Command, LiteralMark } from '../reader.ts';
import { no, ok, refused, type Reply, type Session } from '../session.ts';
import { goAhead, stageUpload, unwantedUpload, uploadedMessage } from '../upload.ts';
import type { AppendWords } from '../words.ts';
import { LOGGED_IN, type StreamedCommand } from './command.ts';

export const append: StreamedCommand = {
  states: LOGGED_IN,
  async stream(command, parser, session) {
    const upload = new Upload(command, session);
    try {
      return await upload.run(parser);
    } finally {
      await upload.end();
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

  async run(first: Parser): Promise<Reply> {
    const { reader } = this.#session;
    let parser = first;
    if (appendMailboxIsLiteral(this.#command)) {
      await reader.readLiteral(this.#command, () => goAhead(this.#session));
    }
    const mailbox = appendMailbox(parser);
    for (;;) {
      const { words, literal, wrapped } = appendMessage(parser);
      const refusal = this.#refusalOf(mailbox, literal);
      if (refusal !== undefined) return refusal;
      await this.#receive(words, literal);
      this.#command = await reader.nextLine();
      parser = new Parser(this.#command, { utf8: this.#session.utf8 });
      if (!appendMore(parser, wrapped)) break;
    }
    return this.#commit(mailbox);
  }

  /** Skips what the client still sends of the command, and forgets what was staged. */
  async end(): Promise<void> {
    await Promise.all(this.#staged.map((body) => body.discard()));
    await this.#session.reader.discardRest(this.#command);
  }

  /** Why the next message is not wanted; told before the client sends it. */
  #refusalOf(mailbox: string, literal: LiteralMark): Reply | undefined {
    const unwanted = unwantedUpload(mailbox, literal, this.#session);
    if (unwanted !== undefined) return unwanted;
    if (this.#messages.length >= IMAP_APPEND_MESSAGES_MAX) {
      return no('these are too many messages for one command', 'LIMIT');
    }
    return undefined;
  }

  async #receive(words: AppendWords, literal: LiteralMark): Promise<void> {
    const body = await stageUpload(this.#command, literal, this.#session);
    this.#staged.push(body);
    this.#messages.push(uploadedMessage(body, words, this.#session));
  }

  async #commit(mailbox: string): Promise<Reply> {
    const { ports, account } = this.#session;
    for (const body of this.#staged) await ports.bodies.link(body, account.accountId);
    const messages = this.#messages;
    const outcome = await this.#session.execute({ type: 'AppendMessages', mailbox, messages });
    if (isRefusal(outcome)) return refused(outcome);
    const { uidValidity, uids } = outcome.answer;
    return ok('APPEND done', { code: `APPENDUID ${uidValidity} ${formatUidSet(uids)}` });
  }
}
