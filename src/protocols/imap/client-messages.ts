/**
 * Commands about messages: STORE, COPY, MOVE, EXPUNGE.
 *
 * Sets of UIDs may be of any length: what is too long for one line goes in several commands, one
 * after the other. An empty set asks nothing.
 *
 * RFC 9051 §6.4.3, §6.4.6, §6.4.7, §6.4.8; RFC 7162 §3.1.3 (UNCHANGEDSINCE); RFC 6851 (MOVE)
 */

import type { ModSeq, SeqNo } from '#domain/values/ids';
import { normalUidSet, type UidRange, type UidSet } from '#domain/values/uid-set';
import type { Conversation } from './client-conversation.ts';
import { ImapClientError } from './client-error.ts';
import { Gathered } from './client-gathered.ts';
import { CommandLine, setTexts, verbFor, type MessageSet } from './client-line.ts';
import type { CopiedUids, FetchedMessage, ResponseCode } from './client-words.ts';

export interface StoreChange {
  readonly op: 'add' | 'remove' | 'replace';
  readonly flags: readonly string[];
  /** The server need not tell the new flags. */
  readonly silent?: boolean;
  /** Leaves alone what has changed since; needs CONDSTORE. */
  readonly unchangedSince?: ModSeq;
}

export interface StoreResult {
  /** What was left alone: UIDs, or sequence numbers where those were given. */
  readonly modified: UidSet;
  /** What the server told of flags and mod-sequences meanwhile. */
  readonly messages: readonly FetchedMessage[];
}

const SIGNS = { add: '+', remove: '-', replace: '' } as const;

export async function store(
  conversation: Conversation,
  messages: MessageSet,
  change: StoreChange,
  signal?: AbortSignal,
): Promise<StoreResult> {
  const isByUid = 'uids' in messages;
  const told = new Gathered<FetchedMessage>(conversation);
  const modified = new Gathered<UidRange>(conversation);
  for (const set of setTexts(messages)) {
    const line = new CommandLine(verbFor(messages, 'STORE')).put(` ${set}`);
    if (change.unchangedSince !== undefined) {
      line.put(` (UNCHANGEDSINCE ${change.unchangedSince})`);
    }
    line.put(` ${SIGNS[change.op]}FLAGS${change.silent === true ? '.SILENT' : ''}`);
    const answer = await conversation.run(
      {
        line: line.atoms(change.flags),
        namesSeqs: !isByUid,
        keepsSeqs: !isByUid,
        takes: ['fetch'],
        take(news) {
          if (news.type !== 'fetch') return false;
          told.add(news);
          return true;
        },
      },
      signal,
    );
    if (answer.code?.type === 'MODIFIED') modified.add(...answer.code.set);
  }
  return { modified: normalUidSet(modified.items), messages: told.items };
}

/** COPY or MOVE; what became of the UIDs, as far as the server tells. */
export async function transfer(
  conversation: Conversation,
  verb: 'COPY' | 'MOVE',
  messages: MessageSet,
  mailbox: string,
  signal?: AbortSignal,
): Promise<CopiedUids | undefined> {
  const { capabilities, utf8 } = conversation;
  if (verb === 'MOVE' && !capabilities.has('MOVE') && !capabilities.has('IMAP4REV2')) {
    throw new ImapClientError('NotOffered', 'The server does not offer MOVE.');
  }
  const source = new Gathered<UidRange>(conversation);
  const target = new Gathered<UidRange>(conversation);
  let uidValidity: number | undefined;
  const learn = (code: ResponseCode | undefined): boolean => {
    if (code?.type !== 'COPYUID') return false;
    uidValidity = code.uidValidity;
    source.add(...code.source);
    target.add(...code.target);
    return true;
  };
  for (const set of setTexts(messages)) {
    const line = new CommandLine(verbFor(messages, verb)).put(` ${set} `).mailbox(mailbox, utf8);
    const answer = await conversation.run(
      {
        line,
        namesSeqs: 'seqs' in messages,
        takes: ['status'],
        // RFC 6851 §4.3: MOVE tells of the UIDs before it expunges.
        take: (news) => news.type === 'status' && news.status === 'OK' && learn(news.code),
      },
      signal,
    );
    learn(answer.code);
  }
  if (uidValidity === undefined) return undefined;
  return { uidValidity, source: source.items, target: target.items };
}

export interface ExpungeResult {
  /** Sequence numbers as each was at its moment. */
  readonly seqs: readonly SeqNo[];
  /** With QRESYNC enabled, instead of sequence numbers. */
  readonly uids: UidSet;
}

/** Removes what is flagged \Deleted: all of it, or of the given UIDs. It is told as news too. */
export async function expunge(
  conversation: Conversation,
  uids: UidSet | undefined,
  signal?: AbortSignal,
): Promise<ExpungeResult> {
  const seqs = new Gathered<SeqNo>(conversation);
  const vanished = new Gathered<UidRange>(conversation);
  const lines =
    uids === undefined
      ? [new CommandLine('EXPUNGE')]
      : setTexts({ uids }).map((set) => new CommandLine('UID EXPUNGE').put(` ${set}`));
  for (const line of lines) {
    await conversation.run(
      {
        line,
        takes: ['expunge', 'vanished'],
        take(news) {
          if (news.type === 'expunge') seqs.add(news.seq);
          else if (news.type === 'vanished' && !news.earlier) vanished.add(...news.uids);
          return false;
        },
      },
      signal,
    );
  }
  return { seqs: seqs.items, uids: normalUidSet(vanished.items) };
}
