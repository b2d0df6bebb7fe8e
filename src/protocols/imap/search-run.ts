/**
 * How a search goes, whatever is then made of what it finds: SEARCH, SORT, THREAD and ESEARCH.
 *
 * RFC 9051 §6.4.4, RFC 4731 (ESEARCH), RFC 5182 (SAVE), RFC 7162 §3.1.5 (MODSEQ), RFC 9586 §3.5
 * (UIDONLY)
 */

import type { MailboxId, ModSeq } from '#domain/values/ids';
import { intersectionOf, uidCount, type UidSet } from '#domain/values/uid-set';
import { returnsText, toldOf, type Found } from './found.ts';
import type { Parser } from './parser.ts';
import { Progress } from './progress.ts';
import { conditionOf, someKey, type SearchPlace } from './search-condition.ts';
import { BadCharset } from './search-keys.ts';
import { needsBody, scan } from './search-scan.ts';
import { no, type Reply, type Session } from './session.ts';
import type { NewsKind } from './session-news.ts';
import type { ReturnWords, SearchKey } from './words.ts';
import { quotedOrLiteral } from './writer.ts';

/** The words of a command, or that its charset is not known. */
export function orBadCharset<Words>(
  read: (parser: Parser) => Words,
): (parser: Parser) => Words | BadCharset {
  return (parser) => {
    try {
      return read(parser);
    } catch (error) {
      if (error instanceof BadCharset) return error;
      throw error;
    }
  };
}

export function badCharset(): Reply {
  return no('only these charsets are known', 'BADCHARSET (US-ASCII UTF-8)');
}

/** Sequence numbers, not the saved result. RFC 9586 §3.5 */
export function isNumbered(key: SearchKey): boolean {
  return key.type === 'SEQUENCE' && key.set.type === 'numbers';
}

/** A search of the open mailbox that is about to begin. */
export interface OpenSearch {
  /** Whether messages are told by UID. */
  readonly byUid: boolean;
  readonly byModSeq: boolean;
  /** What may be told behind it. */
  readonly news: NewsKind;
  /** The messages, of those that the client knows. */
  find(): Promise<UidSet>;
}

/** Throws BadSyntax for keys that make no sense here; nothing has happened then. */
export function openSearch(key: SearchKey, byUid: boolean, session: Session): OpenSearch {
  const byModSeq = enableByModSeq(key, session);
  // RFC 9051 §7.5.1: with sequence numbers in the keys, nothing may shift either.
  const bySeq = !byUid || someKey(key, (inner) => inner.type === 'SEQUENCE');
  if (!bySeq) session.out.put(session.takeNews('mailbox'));
  const { mailboxId, told, saved } = session.mailbox;
  const find = prepare(key, { mailboxId, runs: told, saved }, session);
  return {
    byUid,
    byModSeq,
    news: bySeq ? 'mailbox-without-removals' : 'mailbox',
    find: async () => {
      const { candidates, finish } = find();
      using progress = new Progress(session, uidCount(candidates));
      return await finish(progress);
    },
  };
}

/** RFC 7162 §3.1.2: whoever asks for modseqs knows CONDSTORE. True when somebody does. */
export function enableByModSeq(key: SearchKey, session: Session): boolean {
  const asks = someKey(key, (inner) => inner.type === 'MODSEQ');
  if (asks) session.enableCondstore();
  return asks;
}

/** A search in two steps: what the views say at once, then what only the messages can answer. */
export interface FirstStep {
  readonly candidates: UidSet;
  readonly finish: (progress: Progress) => Promise<UidSet>;
}

/** Throws BadSyntax for keys that make no sense in that place. */
export function prepare(key: SearchKey, place: SearchPlace, session: Session): () => FirstStep {
  const condition = conditionOf(key, place, session.ports.clock.now());
  return () => {
    const { views } = session.account;
    const candidates = intersectionOf(views.search(place.mailboxId, condition), place.runs.uids);
    return {
      candidates,
      finish: async (progress) =>
        needsBody(condition)
          ? await scan(condition, candidates, { mailboxId: place.mailboxId, session, progress })
          : candidates,
    };
  };
}

/** RFC 7162 §3.1.5; undefined when none of the messages is there. To be told, not only asked. */
export function highestModSeq(
  uids: UidSet,
  mailboxId: MailboxId,
  session: Session,
): ModSeq | undefined {
  let highest = 0;
  for (const mark of session.account.views.marks(mailboxId, uids)) {
    if (mark.modSeq > highest) highest = mark.modSeq;
  }
  if (session.selected?.mailboxId === mailboxId) session.selected.show(highest);
  return highest === 0 ? undefined : highest;
}

export interface EsearchForm {
  readonly byUid: boolean;
  readonly byModSeq: boolean;
  readonly mailboxId: MailboxId;
  /** RFC 7377 §2.1: what the line says of the mailbox; '' of the open one. */
  readonly about: string;
}

/** Writes the ESEARCH line that is asked for; gives the messages that it tells of. */
export function tellFound(
  found: Found,
  words: ReturnWords,
  { byUid, byModSeq, mailboxId, about }: EsearchForm,
  session: Session,
): UidSet {
  const told = toldOf(found, words);
  let text = returnsText(found, words);
  // RFC 5182 §2: SAVE alone answers nothing.
  const isSilent = text === '' && words.returns?.size === 1 && words.returns.has('SAVE');
  if (isSilent) return told;
  const modSeq = byModSeq ? highestModSeq(told, mailboxId, session) : undefined;
  if (modSeq !== undefined) text += ` MODSEQ ${modSeq}`;
  const uid = byUid ? ' UID' : '';
  session.out.line(`* ESEARCH (TAG ${quotedOrLiteral(session.tag)}${about})${uid}${text}`);
  return told;
}
