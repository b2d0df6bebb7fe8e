/**
 * Commands that search: those of the open mailbox, by sequence number and by UID (SEARCH, SORT,
 * THREAD), and ESEARCH.
 *
 * RFC 9051 §6.4.4, RFC 5256 §3, RFC 7377 §2
 */

import { NO_UIDS } from '#domain/values/uid-set';
import type { Parser } from '../parser.ts';
import { someKey } from '../search-condition.ts';
import { BadCharset } from '../search-keys.ts';
import {
  badCharset,
  isNumbered,
  openSearch,
  orBadCharset,
  type OpenSearch,
} from '../search-run.ts';
import { uidRequired, type Reply, type Session, type State } from '../session.ts';
import type { SearchKey } from '../words.ts';
import { imapCommand, SELECTED, type WholeCommand } from './command.ts';

/** Runs a command whose search is about to begin. */
type Run<Words> = (words: Words, opened: OpenSearch, session: Session) => Promise<Reply>;

/** The command in its two forms. */
export function searching<Words extends { readonly key: SearchKey }>(
  parse: (parser: Parser) => Words,
  run: Run<Words>,
): (byUid: boolean) => WholeCommand {
  return (byUid) =>
    heedingCharset<Words>(SELECTED, parse, async (words, session) => {
      if (session.has('UIDONLY') && someKey(words.key, isNumbered)) return uidRequired();
      return run(words, openSearch(words.key, byUid, session), session);
    });
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
