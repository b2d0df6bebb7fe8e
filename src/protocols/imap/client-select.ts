/**
 * Opening mailboxes, with or without the changes since the last time.
 *
 * RFC 9051 §6.3.2, §6.3.3, §6.4.1, §6.4.2; RFC 7162 §3.2.5 (QRESYNC), §3.2.11 (CLOSED)
 */

import type { ModSeq } from '#domain/values/ids';
import { formatUidSet, normalUidSet, type UidRange, type UidSet } from '#domain/values/uid-set';
import { IMAP_CLIENT_SET_CHARS_MAX } from '../limits.ts';
import type { Conversation } from './client-conversation.ts';
import { ImapClientError } from './client-error.ts';
import { Gathered } from './client-gathered.ts';
import { badArgument, CommandLine } from './client-line.ts';
import type { FetchedMessage, ResponseCode, ServerNews } from './client-words.ts';
import type { QresyncWords } from './words.ts';

export interface SelectOptions {
  /** EXAMINE: nothing can be changed, and looking leaves no trace. */
  readonly readOnly?: boolean;
  /** RFC 7162 §3.1.8 */
  readonly condstore?: boolean;
  /**
   * What is known from the last time; needs QRESYNC enabled. With known UIDs only these are told
   * of; when they are too many for a line, they are left out.
   */
  readonly qresync?: QresyncWords;
  readonly signal?: AbortSignal;
}

export interface SelectedMailbox {
  /** As the server spells it, where it says so. */
  readonly name: string;
  readonly readOnly: boolean;
  readonly exists: number;
  /** 0 where the server has no lasting UIDs. */
  readonly uidValidity: number;
  readonly uidNext: number | undefined;
  /** Undefined where the mailbox keeps no mod-sequences. To be kept for the next resync. */
  readonly highestModSeq: ModSeq | undefined;
  readonly flags: readonly string[];
  /** Flags that can be stored; `\*` among them: others too. */
  readonly permanentFlags: readonly string[];
  /** RFC 8474 §4.1 */
  readonly mailboxId: string | undefined;
  /** With QRESYNC: what is gone, and what has changed or come. */
  readonly vanishedEarlier: UidSet;
  readonly changed: readonly FetchedMessage[];
}

type Draft = { -readonly [Name in keyof SelectedMailbox]: SelectedMailbox[Name] };

export async function select(
  conversation: Conversation,
  mailbox: string,
  options: SelectOptions = {},
): Promise<SelectedMailbox> {
  const verb = options.readOnly === true ? 'EXAMINE' : 'SELECT';
  const line = new CommandLine(verb).put(' ').mailbox(mailbox, conversation.utf8);
  const parameters = parameterTexts(conversation, options);
  if (parameters.length > 0) line.put(` (${parameters.join(' ')})`);
  const opening = new Opening(conversation, mailbox);
  const answer = await conversation.run(
    {
      line,
      alone: true,
      takes: ['flags', 'exists', 'recent', 'list', 'vanished', 'fetch', 'status'],
      take: (news) => opening.take(news),
    },
    options.signal,
  );
  const isReadOnly = answer.code?.type === 'WORD' && answer.code.word === 'READ-ONLY';
  return opening.result(isReadOnly || verb === 'EXAMINE');
}

function parameterTexts(conversation: Conversation, options: SelectOptions): readonly string[] {
  const texts = options.condstore === true ? ['CONDSTORE'] : [];
  if (options.qresync === undefined) return texts;
  // RFC 7162 §3.2.5: QRESYNC must have been enabled before.
  if (!conversation.enabled.has('QRESYNC')) {
    throw new ImapClientError('NotOffered', 'QRESYNC is not enabled.');
  }
  return [...texts, `QRESYNC (${qresyncText(options.qresync)})`];
}

function qresyncText({ uidValidity, modSeq, knownUids, match }: QresyncWords): string {
  if (!(uidValidity >= 1 && modSeq >= 1)) {
    throw badArgument('A resync needs a UIDVALIDITY and a mod-sequence above 0.');
  }
  let text = `${uidValidity} ${modSeq}`;
  const known = formatUidSet(knownUids ?? []);
  if (known !== '' && known.length <= IMAP_CLIENT_SET_CHARS_MAX) text += ` ${known}`;
  if (match !== undefined && match.seqs.length > 0) {
    if (match.seqs.length !== match.uids.length) {
      throw badArgument('Sequence numbers and UIDs to match are not equally many.');
    }
    text += ` (${match.seqs.join(',')} ${match.uids.join(',')})`;
  }
  return text;
}

/** What a server says while it opens a mailbox. */
class Opening {
  readonly #vanished: Gathered<UidRange>;
  readonly #changed: Gathered<FetchedMessage>;
  readonly #asked: string;
  #draft: Draft;

  constructor(conversation: Conversation, mailbox: string) {
    this.#vanished = new Gathered(conversation);
    this.#changed = new Gathered(conversation);
    this.#asked = mailbox;
    this.#draft = nothingKnown(mailbox);
  }

  take(news: ServerNews): boolean {
    const draft = this.#draft;
    switch (news.type) {
      case 'flags':
        draft.flags = news.flags;
        return true;
      case 'exists':
        draft.exists = news.count;
        return true;
      case 'recent':
        return true;
      case 'list':
        draft.name = news.name;
        return true;
      case 'vanished':
        if (news.earlier) this.#vanished.add(...news.uids);
        return news.earlier;
      case 'fetch':
        this.#changed.add(news);
        return true;
      case 'status':
        return news.status === 'OK' && news.code !== undefined && this.#takeCode(news.code);
      default:
        return false;
    }
  }

  result(readOnly: boolean): SelectedMailbox {
    const vanishedEarlier = normalUidSet(this.#vanished.items);
    return { ...this.#draft, readOnly, vanishedEarlier, changed: this.#changed.items };
  }

  #takeCode(code: ResponseCode): boolean {
    const draft = this.#draft;
    switch (code.type) {
      case 'UIDVALIDITY':
        draft.uidValidity = code.value;
        return true;
      case 'UIDNEXT':
        draft.uidNext = code.value;
        return true;
      case 'HIGHESTMODSEQ':
        draft.highestModSeq = code.modSeq === 0 ? undefined : code.modSeq;
        return true;
      case 'PERMANENTFLAGS':
        draft.permanentFlags = code.flags;
        return true;
      case 'MAILBOXID':
        draft.mailboxId = code.id;
        return true;
      case 'WORD':
        return this.#takeWord(code.word);
      default:
        return code.type === 'UNSEEN';
    }
  }

  #takeWord(word: string): boolean {
    if (word !== 'CLOSED') return word === 'NOMODSEQ';
    // RFC 7162 §3.2.11: all that came so far was about the mailbox that was open before.
    this.#draft = nothingKnown(this.#asked);
    this.#vanished.clear();
    this.#changed.clear();
    return true;
  }
}

function nothingKnown(name: string): Draft {
  return {
    name,
    readOnly: false,
    exists: 0,
    uidValidity: 0,
    uidNext: undefined,
    highestModSeq: undefined,
    flags: [],
    permanentFlags: [],
    mailboxId: undefined,
    vanishedEarlier: [],
    changed: [],
  };
}
