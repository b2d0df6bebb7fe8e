/**
 * Commands that search: those of the open mailbox, by sequence number and by UID (SEARCH, SORT,
 * THREAD), and ESEARCH.
 *
 * RFC 9051 §6.4.4, RFC 5256 §3, RFC 7377 §2
 */

import { NO_UIDS } from '#domain/values/uid-set';
import type { Parser } from '../parser.ts';
import { BadCharset } from '../search-keys.ts';
import { badCharset, orBadCharset } from '../search-run.ts';
import type { Reply, Session, State } from '../session.ts';
import { imapCommand, SELECTED, type WholeCommand } from './command.ts';

type Run<Words> = (words: Words, byUid: boolean, session: Session) => Promise<Reply>;

/** The command in its two forms. */
export function searching<Words extends object>(
  parse: (parser: Parser) => Words,
  run: Run<Words>,
): (byUid: boolean) => WholeCommand {
  return (byUid) =>
    heedingCharset<Words>(SELECTED, parse, (words, session) => run(words, byUid, session));
}

/** A charset that nobody knows is refused before anything is run. */
export function heedingCharset<Words extends object>(
  states: readonly State[],
  parse: (parser: Parser) => Words,
  run: (words: Words, session: Session) => Promise<Reply>,
): WholeCommand {
  return imapCommand({
    states,
    parse: orBadCharset<Words>(parse),
    run(words, session) {
      if (!(words instanceof BadCharset)) return run(words, session);
      // RFC 5182 §2.1: a search that is answered with NO leaves an empty result.
      if (words.saves && session.selected !== undefined) session.selected.saved = NO_UIDS;
      return badCharset();
    },
  });
}
