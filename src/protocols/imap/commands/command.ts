/**
 * What a command of IMAP is to the connection: the states it is allowed in, how its words are read,
 * and how it is carried out.
 */

import type { Received } from '../overlap.ts';
import type { Parser } from '../parser.ts';
import type { Command } from '../reader.ts';
import type { Reply, Session, State } from '../session.ts';

export const ANY_STATE: readonly State[] = ['not-authenticated', 'authenticated', 'selected'];
export const LOGGED_IN: readonly State[] = ['authenticated', 'selected'];
export const SELECTED: readonly State[] = ['selected'];
export const NOT_LOGGED_IN: readonly State[] = ['not-authenticated'];

/** Most commands: read as a whole, then carried out. */
export interface WholeCommand {
  readonly states: readonly State[];
  /** Reads the words behind the verb; throws BadSyntax. What it gives back carries them out. */
  prepare(parser: Parser, session: Session): () => Promise<Reply> | Reply;
}

/** A command whose literals are too large to be read before it is carried out. */
export interface StreamedCommand {
  readonly states: readonly State[];
  /** Throws BadSyntax; what is still to come of the command is then skipped. */
  stream(command: Command, parser: Parser, session: Session): Promise<Reply>;
}

/** The same; several of these make no difference to each other and may be in progress together. */
export interface OverlappingCommand {
  readonly states: readonly State[];
  /** Reads it to its end, or refuses it. Throws BadSyntax; what is still to come is skipped. */
  receive(command: Command, parser: Parser, session: Session): Promise<Received<Reply> | Reply>;
}

export type ImapCommand = WholeCommand | StreamedCommand | OverlappingCommand;

export function imapCommand<Words>(definition: {
  readonly states: readonly State[];
  readonly parse: (parser: Parser, session: Session) => Words;
  readonly run: (words: Words, session: Session) => Promise<Reply> | Reply;
}): WholeCommand {
  const { states, parse, run } = definition;
  return {
    states,
    prepare(parser, session) {
      const words = parse(parser, session);
      return () => run(words, session);
    },
  };
}
