/**
 * FETCH: messages as they come, one at a time; whoever is slow makes the server wait.
 *
 * RFC 9051 §6.4.5, §6.4.9; RFC 7162 §3.1.4.1 (CHANGEDSINCE), §3.2.6 (VANISHED)
 */

import type { ModSeq } from '#domain/values/ids';
import { normalUidSet, unionOf, type UidRange, type UidSet } from '#domain/values/uid-set';
import type { Conversation } from './client-conversation.ts';
import { Flow } from './client-flow.ts';
import { Gathered } from './client-gathered.ts';
import { badArgument, CommandLine, setTexts, verbFor, type MessageSet } from './client-line.ts';
import type { FetchedMessage } from './client-words.ts';
import { formatFetchItem } from './fetch-items.ts';
import type { FetchItem } from './words.ts';

export interface FetchOptions {
  /** Only what has changed since; needs CONDSTORE. */
  readonly changedSince?: ModSeq;
  /** Also which of the UIDs are gone since then; needs QRESYNC. */
  readonly vanished?: boolean;
  readonly signal?: AbortSignal;
}

/** Memory that a message takes besides its octets. */
const MESSAGE_BYTES = 512;

/** Items that servers send of themselves too: they do not tell an answer from news. */
const ALSO_NEWS: readonly FetchItem['type'][] = ['UID', 'FLAGS', 'MODSEQ'];

/**
 * The messages asked for. Asks when the iteration begins; who leaves it early lets the rest of the
 * answer pass by.
 */
export class FetchedMessages implements AsyncIterable<FetchedMessage> {
  readonly #conversation: Conversation;
  readonly #messages: MessageSet;
  readonly #items: readonly FetchItem[];
  readonly #options: FetchOptions;
  readonly #texts: readonly string[];
  #vanished: UidSet = [];

  constructor(
    conversation: Conversation,
    messages: MessageSet,
    items: readonly FetchItem[],
    options: FetchOptions = {},
  ) {
    if (items.length === 0) throw badArgument('Nothing is asked of the messages.');
    if (options.vanished === true && !('uids' in messages && options.changedSince !== undefined)) {
      throw badArgument('VANISHED goes with UIDs and CHANGEDSINCE.');
    }
    this.#conversation = conversation;
    this.#messages = messages;
    this.#items = items;
    this.#options = options;
    this.#texts = setTexts(messages);
  }

  /** UIDs that are gone; complete when the iteration has ended. */
  get vanished(): UidSet {
    return this.#vanished;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<FetchedMessage, void, undefined> {
    for (const text of this.#texts) {
      const flow = new Flow<FetchedMessage>();
      const running = this.#run(text, flow);
      try {
        for (let next = await flow.next(); next !== undefined; next = await flow.next()) {
          yield next;
        }
      } finally {
        flow.leave();
      }
      await running;
    }
  }

  /** Never rejects: the flow tells of failures. */
  async #run(text: string, flow: Flow<FetchedMessage>): Promise<void> {
    const vanished = new Gathered<UidRange>(this.#conversation);
    const isByUid = 'uids' in this.#messages;
    try {
      await this.#conversation.run(
        {
          line: this.#line(text),
          namesSeqs: !isByUid,
          keepsSeqs: !isByUid,
          takes: ['fetch', 'vanished'],
          take: (news) => {
            if (news.type === 'vanished' && news.earlier) {
              vanished.add(...news.uids);
              return true;
            }
            if (news.type !== 'fetch' || !this.#isAnswer(news)) return false;
            const { type: _, ...message } = news;
            flow.push(message, bytesOf(message));
            return true;
          },
          room: () => flow.room(),
        },
        this.#options.signal,
      );
      this.#vanished = unionOf(this.#vanished, normalUidSet(vanished.items));
      flow.end();
    } catch (error) {
      flow.fail(error);
    }
  }

  #line(text: string): CommandLine {
    const items = this.#items.map(formatFetchItem).join(' ');
    const line = new CommandLine(verbFor(this.#messages, 'FETCH')).put(` ${text} (${items})`);
    const { changedSince, vanished } = this.#options;
    if (changedSince === undefined) return line;
    return line.put(` (CHANGEDSINCE ${changedSince}${vanished === true ? ' VANISHED' : ''})`);
  }

  /** It has something that was asked for and that no news would bring. */
  #isAnswer(message: FetchedMessage): boolean {
    const telling = this.#items.filter(({ type }) => !ALSO_NEWS.includes(type));
    return telling.length === 0 || telling.some((item) => has(message, item));
  }
}

function has(message: FetchedMessage, item: FetchItem): boolean {
  switch (item.type) {
    case 'INTERNALDATE':
      return message.internalDate !== undefined;
    case 'RFC822.SIZE':
      return message.sizeBytes !== undefined;
    case 'ENVELOPE':
      return message.envelope !== undefined;
    case 'BODY':
    case 'BODYSTRUCTURE':
      return message.structure !== undefined;
    case 'SAVEDATE':
      return message.saveDate !== undefined;
    case 'PREVIEW':
      return message.preview !== undefined;
    case 'EMAILID':
      return message.emailId !== undefined;
    case 'THREADID':
      return message.threadId !== undefined;
    case 'BINARY.SIZE':
      return message.binarySizes.size > 0;
    default:
      return message.sections.size > 0;
  }
}

function bytesOf({ sections }: FetchedMessage): number {
  let bytes = MESSAGE_BYTES;
  for (const octets of sections.values()) bytes += octets?.length ?? 0;
  return bytes;
}
