/**
 * REPLACE and UID REPLACE: a message is uploaded in the place of another, in one event.
 *
 * Invariant: as with APPEND, a continuation is sent only when mailbox, size and quota allow it, and
 * what was staged for a command that fails is discarded.
 *
 * RFC 8508; RFC 4315 §3 (APPENDUID), RFC 7162 §3.2.7 (HIGHESTMODSEQ)
 */

import { isRefusal } from '#domain/values/decision';
import type { Uid } from '#domain/values/ids';
import { uidRange } from '#domain/values/uid-set';
import type { StagedBody } from '../../ports.ts';
import {
  appendMailbox,
  appendMailboxIsLiteral,
  appendMessage,
  appendMore,
  replacedNumber,
} from '../grammar-messages.ts';
import { BadSyntax, Parser } from '../parser.ts';
import type { Command } from '../reader.ts';
import { no, ok, refused, type Reply, type Session } from '../session.ts';
import { goAhead, stageUpload, unwantedUpload, uploadedMessage } from '../upload.ts';
import { STAR, type AppendWords } from '../words.ts';
import { SELECTED, type StreamedCommand } from './command.ts';

export const replace: StreamedCommand = replacing(false);
export const uidReplace: StreamedCommand = replacing(true);

function replacing(byUid: boolean): StreamedCommand {
  return {
    states: SELECTED,
    async stream(command, parser, session) {
      const replacement = new Replacement(command, byUid, session);
      try {
        return await replacement.run(parser);
      } finally {
        await replacement.end();
      }
    },
  };
}

/** One REPLACE on its way. */
class Replacement {
  readonly #byUid: boolean;
  readonly #session: Session;
  #staged: StagedBody | undefined;
  /** The part of the command that is being read. */
  #command: Command;

  constructor(command: Command, byUid: boolean, session: Session) {
    this.#command = command;
    this.#byUid = byUid;
    this.#session = session;
  }

  async run(first: Parser): Promise<Reply> {
    const session = this.#session;
    const { reader } = session;
    if (appendMailboxIsLiteral(this.#command)) {
      await reader.readLiteral(this.#command, () => goAhead(session));
    }
    const number = replacedNumber(first);
    const mailbox = appendMailbox(first);
    const { words, literal, wrapped } = appendMessage(first);
    if (session.mailbox.readOnly) return no('the mailbox is open for reading only');
    const uid = this.#uidOf(number);
    if (uid === undefined) return no('there is no such message');
    const [replaced] = session.account.views.rows(session.mailbox.mailboxId, uidRange(uid, uid));
    const unwanted = unwantedUpload(mailbox, literal, session, -(replaced?.sizeBytes ?? 0));
    if (unwanted !== undefined) return unwanted;
    const staged = await stageUpload(this.#command, literal, session);
    this.#staged = staged;
    this.#command = await reader.nextLine();
    const parser = new Parser(this.#command, { utf8: session.utf8 });
    if (appendMore(parser, wrapped)) throw new BadSyntax('Only one message can be given.');
    return this.#commit(uid, mailbox, staged, words);
  }

  /** Skips what the client still sends of the command, and forgets what was staged. */
  async end(): Promise<void> {
    await this.#staged?.discard();
    await this.#session.reader.discardRest(this.#command);
  }

  /** The message of a number, as far as the session knows. */
  #uidOf(number: number): Uid | undefined {
    const { told } = this.#session.mailbox;
    if (number === STAR) {
      if (told.lastUid === undefined) throw new BadSyntax('The mailbox has no messages.');
      return told.lastUid;
    }
    if (!this.#byUid) return told.uidAt(number);
    return told.seqOf(number) === undefined ? undefined : number;
  }

  async #commit(uid: Uid, target: string, staged: StagedBody, words: AppendWords): Promise<Reply> {
    const session = this.#session;
    await session.ports.bodies.link(staged, session.account.accountId);
    const message = uploadedMessage(staged, words, session);
    const source = session.mailbox.mailboxId;
    const outcome = await session.execute({
      type: 'ReplaceMessage',
      source,
      uid,
      target,
      message,
    });
    if (isRefusal(outcome)) return refused(outcome);
    const { uidValidity, uid: newUid } = outcome.answer;
    // RFC 8508 §3.3: before the removal is told.
    session.out.line(`* OK [APPENDUID ${uidValidity} ${newUid}] replaced`);
    return ok('REPLACE done', { modSeq: outcome.modSeq });
  }
}
