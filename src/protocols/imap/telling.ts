/**
 * Telling a client its news: before the answer to a command, and while the client is waited for.
 *
 * What is told of new messages is made once and sent to every session that was told the same, so
 * that one delivery costs the same reading, however many sessions it is told to.
 *
 * RFC 2177 (IDLE), RFC 5465 §5.2 (MessageNew)
 */

import { Writable } from 'node:stream';
import { isEmptyUidSet, type UidSet } from '#domain/values/uid-set';
import { formatFetchItem } from './fetch-items.ts';
import { FetchAnswers } from './fetch-answers.ts';
import type { Arrivals } from './mailbox-news.ts';
import { Turn } from './pace.ts';
import type { NewsKind } from './session-news.ts';
import type { Session } from './session.ts';
import type { FetchItem } from './words.ts';
import { ReplyWriter } from './writer.ts';

/** Octets about new messages that are kept for other sessions. */
const SHARED_BYTES: number = 1024 * 1024;

/** Writes what is due. */
export async function tell(kind: NewsKind, session: Session): Promise<void> {
  session.out.put(session.takeNews(kind));
  const items = session.arrivalItems;
  if (session.selected === undefined || items === undefined) return;
  const arrivals = session.selected.takeArrivals();
  if (!isEmptyUidSet(arrivals)) await describe(arrivals, items, session);
}

/** Tells news as they come, until what is waited for is there. */
export async function tellWhile<Result>(
  waiting: Promise<Result>,
  kind: NewsKind,
  session: Session,
): Promise<Result> {
  let isOver = false;
  const over = (): void => {
    isOver = true;
    session.wake();
  };
  waiting.then(over, over);
  for (;;) {
    await tell(kind, session);
    await session.out.flush();
    if (isOver) return waiting;
    await session.nextWake();
    if (isOver) return waiting;
  }
}

async function describe(
  uids: UidSet,
  items: readonly FetchItem[],
  session: Session,
): Promise<void> {
  const { out, mailbox } = session;
  if (items.some(({ type }) => type === 'FLAGS')) out.put(mailbox.keywordLine());
  const form = {
    byUid: session.has('QRESYNC'),
    modSeq: session.has('CONDSTORE'),
    newlySeen: [],
  };
  const uidOnly = session.has('UIDONLY');
  const key = JSON.stringify([items.map(formatFetchItem), form, uidOnly]);
  const shared = await mailbox.news.arrivals(mailbox.told, uids, key, async () => {
    const shelf = new Shelf();
    const answers = new FetchAnswers(session, items, form, shelf.out);
    await answers.send(uids, new Turn(session.ports.clock));
    return shelf.all();
  });
  if (shared === undefined) {
    const answers = new FetchAnswers(session, items, form);
    return answers.send(uids, new Turn(session.ports.clock));
  }
  if (form.modSeq) for (const { modSeq } of mailbox.news.marks(uids)) mailbox.show(modSeq);
  for (const octets of shared) out.octets(octets);
}

/** Keeps what is written, unless it is too much. */
class Shelf {
  readonly out: ReplyWriter;
  #octets: Uint8Array[] | undefined = [];
  #bytes = 0;

  constructor() {
    const stream = new Writable({
      write: (octets: Uint8Array, _encoding, done) => {
        this.#bytes += octets.length;
        if (this.#bytes > SHARED_BYTES) this.#octets = undefined;
        this.#octets?.push(octets);
        done();
      },
    });
    this.out = new ReplyWriter(stream);
  }

  async all(): Promise<Arrivals> {
    await this.out.flush();
    return this.#octets;
  }
}
