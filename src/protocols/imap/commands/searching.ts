/**
 * Commands that search the open mailbox, by sequence number and by UID: SEARCH, SORT, THREAD.
 *
 * RFC 9051 §6.4.4, RFC 5256 §3
 */

import { NO_UIDS } from '#domain/values/uid-set';
import type { Parser } from '../parser.ts';
import { BadCharset } from '../search-keys.ts';
import { badCharset, orBadCharset } from '../search-run.ts';
import type { Reply, Session } from '../session.ts';
import { imapCommand, SELECTED, type WholeCommand } from './command.ts';

type Run<Words> = (words: Words, byUid: boolean, session: Session) => Promise<Reply>;

/** The command in its two forms; a charset that nobody knows is refused before anything is run. */
export function searching<Words extends object>(
  parse: (parser: Parser) => Words,
  run: Run<Words>,
): (byUid: boolean) => WholeCommand {
  return (byUid) =>
    imapCommand({
      states: SELECTED,
      parse: orBadCharset<Words>(parse),
      run(words, session) {
        if (!(words instanceof BadCharset)) return run(words, byUid, session);
        // RFC 5182 §2.1: a search that fails leaves an empty result.
        if (words.saves) session.mailbox.saved = NO_UIDS;
        return badCharset();
      },
    });
}
