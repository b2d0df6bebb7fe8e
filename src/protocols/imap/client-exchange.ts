/**
 * One command of a client: what it says, what it takes of what the server says, and what else may
 * happen while it runs.
 *
 * RFC 9051 §5.5
 */

import type { CommandLine } from './client-line.ts';
import type { NewsType, ServerNews, TaggedResponse } from './client-words.ts';

/** One command and what it does with what comes. */
export interface Exchange {
  readonly line: CommandLine;
  /** Nothing else runs at the same time. */
  readonly alone?: boolean;
  /** It names messages by sequence number. */
  readonly namesSeqs?: boolean;
  /** RFC 9051 §5.5, §7.5.1: no sequence number shifts while it runs. */
  readonly keepsSeqs?: boolean;
  /** What may be an answer to it: two that take the same do not run together. */
  readonly takes?: readonly NewsType[];
  /** True when the news is an answer to this command, and nobody else's business. */
  take?(news: ServerNews): boolean;
  /** A promise of room for more, when there is none. */
  room?(): Promise<void> | undefined;
  /** What is said behind the command line, while the command runs. */
  talk?(talk: Talk): Promise<void>;
  /** True while the server may be silent for as long as it likes. */
  patient?(): boolean;
  /** Once it has succeeded nothing more is read: the stream becomes another one. */
  readonly last?: boolean;
}

/** How a command goes on behind its first line. */
export interface Talk {
  /** The text of the next continuation; undefined when the command is over already. */
  continuation(): Promise<string | undefined>;
  line(text: string): Promise<void>;
}

/** A command that waits, runs, or is over. */
export interface Turn {
  readonly tag: string;
  readonly exchange: Exchange;
  readonly outcome: PromiseWithResolvers<TaggedResponse>;
  /** Its caller has gone: answers to it are dropped. */
  isAbandoned: boolean;
  isOver: boolean;
}
