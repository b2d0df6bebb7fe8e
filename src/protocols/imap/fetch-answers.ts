/**
 * FETCH lines: which read of the views an item needs, and how it is written.
 *
 * Marks answer UID, FLAGS and MODSEQ; rows what else the views know; ENVELOPE and BODYSTRUCTURE are
 * copied in wire form; bodies are read one at a time.
 *
 * RFC 9051 §7.5.2, RFC 3516 (BINARY)
 */

import { unreachable } from '#domain/values/decision';
import type { Uid } from '#domain/values/ids';
import type { MessageMark } from '#domain/message/state';
import { hasUid, intersectionOf, uidCount, uidsOf, type UidSet } from '#domain/values/uid-set';
import type { MessageRow } from '#projections/account-views';
import type { BinaryPart } from '../message/section.ts';
import { fetchItemName } from './fetch-items.ts';
import { FetchedBody } from './fetched-body.ts';
import { isWireItem, wiresOf, wireTextOf, type WireFetchItem, type Wires } from './fetch-wires.ts';
import type { Turn } from './pace.ts';
import { no, type Reply, type Session } from './session.ts';
import type { FetchItem } from './words.ts';
import { fetchStart, flagSetText, internalDate, nstring, type ReplyWriter } from './writer.ts';

export interface AnswerForm {
  readonly byUid: boolean;
  /** MODSEQ goes with every message. */
  readonly modSeq: boolean;
  /** Messages that this command made seen: their flags go with the rest. */
  readonly newlySeen: UidSet;
}

export function setsSeen(item: FetchItem): boolean {
  switch (item.type) {
    case 'RFC822':
    case 'RFC822.TEXT':
      return true;
    case 'SECTION':
    case 'BINARY':
      return !item.peek;
    default:
      return false;
  }
}

/** What the views must be asked. */
type Source = 'runs' | 'marks' | 'rows';

function sourceOf(item: FetchItem): Source {
  if (isWireItem(item)) return 'runs';
  switch (item.type) {
    case 'UID':
      return 'runs';
    case 'FLAGS':
    case 'MODSEQ':
      return 'marks';
    default:
      return 'rows';
  }
}

/** What is known of one message of a chunk. */
interface Known {
  readonly uid: Uid;
  readonly mark: MessageMark | undefined;
  readonly row: MessageRow | undefined;
}

export class FetchAnswers {
  /** The first item that could not be answered. */
  failure: Reply | undefined;
  /** Messages that are gone. */
  missing = 0;
  readonly #session: Session;
  readonly #out: ReplyWriter;
  readonly #items: readonly FetchItem[];
  readonly #form: AnswerForm;
  readonly #source: Source;
  readonly #hasMore: boolean;
  readonly #uidOnly: boolean;
  readonly #withUid: boolean;
  readonly #withFlags: boolean;
  readonly #withModSeq: boolean;

  constructor(
    session: Session,
    items: readonly FetchItem[],
    form: AnswerForm,
    out: ReplyWriter = session.out,
  ) {
    this.#session = session;
    this.#out = out;
    this.#items = items;
    this.#form = form;
    const asked = new Set(items.map((item) => item.type));
    this.#uidOnly = session.has('UIDONLY');
    // RFC 9051 §6.4.9: UID FETCH always tells the UID; RFC 9586 §3.3: UIDFETCH has it in front.
    this.#withUid = asked.has('UID') || (form.byUid && !this.#uidOnly);
    this.#withFlags = asked.has('FLAGS');
    this.#withModSeq = form.modSeq || asked.has('MODSEQ');
    this.#hasMore = items.some(
      ({ type }) => type !== 'UID' && type !== 'FLAGS' && type !== 'MODSEQ',
    );
    const sources = new Set(items.map(sourceOf));
    if (form.modSeq || form.newlySeen.length > 0) sources.add('marks');
    this.#source = sources.has('rows') ? 'rows' : sources.has('marks') ? 'marks' : 'runs';
  }

  async send(chunk: UidSet, turn: Turn): Promise<void> {
    const { mailbox } = this.#session;
    const out = this.#out;
    const known = this.#read(chunk);
    this.missing += uidCount(chunk) - known.length;
    const wires = wiresOf(this.#items, chunk, this.#session);
    if (this.#withFlags) out.put(mailbox.keywordLine());
    if (!this.#hasMore) return out.put(this.#fixedLines(known));
    for (const [i, message] of known.entries()) {
      const seq = mailbox.seqOf(message.uid);
      if (seq === undefined) continue;
      const fixed = this.#fixedItems(message);
      out.put(`${fetchStart(seq, message.uid, this.#uidOnly)}${fixed}`);
      await this.#variableItems(message, i, fixed === '', wires);
      out.put(')\r\n');
      if (out.isOver) return;
      if (!out.full) continue;
      await out.flush();
      await turn.giveWay();
    }
  }

  #read(chunk: UidSet): readonly Known[] {
    const { mailboxId } = this.#session.mailbox;
    const { views } = this.#session.account;
    switch (this.#source) {
      case 'rows':
        return views.rows(mailboxId, chunk).map((row) => ({ uid: row.uid, mark: row, row }));
      case 'marks':
        return views
          .marks(mailboxId, chunk)
          .map((mark) => ({ uid: mark.uid, mark, row: undefined }));
      case 'runs': {
        const uids = intersectionOf(chunk, views.uidRuns(mailboxId).uids);
        return Array.from(uidsOf(uids), (uid) => ({ uid, mark: undefined, row: undefined }));
      }
      default:
        return unreachable(this.#source);
    }
  }

  #fixedLines(known: readonly Known[]): string {
    const { mailbox } = this.#session;
    let text = '';
    for (const message of known) {
      const seq = mailbox.seqOf(message.uid);
      if (seq === undefined) continue;
      text += `${fetchStart(seq, message.uid, this.#uidOnly)}${this.#fixedItems(message)})\r\n`;
    }
    return text;
  }

  /** UID, FLAGS and MODSEQ, asked for or due. */
  #fixedItems({ uid, mark }: Known): string {
    const { newlySeen } = this.#form;
    const session = this.#session;
    const changed = newlySeen.length > 0 && hasUid(newlySeen, uid);
    let text = '';
    // RFC 7162 §3.2.4: with QRESYNC, changes are told with their UID.
    const byQresync = changed && !this.#uidOnly && session.has('QRESYNC');
    if (this.#withUid || byQresync) text = `UID ${uid}`;
    if (mark === undefined) return text;
    if (this.#withFlags || changed) {
      text += `${text === '' ? '' : ' '}FLAGS ${flagSetText(mark)}`;
    }
    if (this.#withModSeq || (changed && session.has('CONDSTORE'))) {
      session.mailbox.show(mark.modSeq);
      text += `${text === '' ? '' : ' '}MODSEQ (${mark.modSeq})`;
    }
    return text;
  }

  async #variableItems(
    message: Known,
    index: number,
    isFirst: boolean,
    wires: Wires,
  ): Promise<void> {
    const out = this.#out;
    const body =
      message.row === undefined
        ? undefined
        : new FetchedBody(message.row, this.#session, this.#out);
    let space = isFirst ? '' : ' ';
    for (const item of this.#items) {
      if (isWireItem(item)) {
        const text = wireTextOf(wires.get(item.type), index, message.uid);
        out.put(`${space}${item.type} `);
        out.put(text);
      } else {
        if (item.type === 'UID' || item.type === 'FLAGS' || item.type === 'MODSEQ') continue;
        if (body === undefined) throw new Error(`no row for ${item.type}`);
        await this.#rowItem(item, body, space);
      }
      space = ' ';
    }
    if (body?.fault !== undefined) this.failure ??= no(body.fault.message, 'UNAVAILABLE');
    if (body?.isMissing === true) {
      this.failure ??= no('the content of a message is missing', 'SERVERBUG');
    }
  }

  async #rowItem(
    item: Exclude<FetchItem, WireFetchItem | { readonly type: 'UID' | 'FLAGS' | 'MODSEQ' }>,
    body: FetchedBody,
    space: string,
  ): Promise<void> {
    const out = this.#out;
    const { row } = body;
    const name = `${space}${fetchItemName(item)}`;
    switch (item.type) {
      case 'INTERNALDATE':
        return out.put(`${name} ${internalDate(row.receivedAt, row.zoneMinutes)}`);
      case 'RFC822.SIZE':
        return out.put(`${name} ${row.sizeBytes}`);
      case 'SAVEDATE':
        return out.put(`${name} ${internalDate(row.savedAt, 0)}`);
      case 'RFC822':
        return body.send(name, { part: [] });
      case 'RFC822.HEADER':
        return body.send(name, { part: [], text: 'HEADER' });
      case 'RFC822.TEXT':
        return body.send(name, { part: [], text: 'TEXT' });
      case 'SECTION':
        return body.send(name, item.section, item.partial);
      case 'BINARY': {
        const { part, partial } = item;
        const range = partial && { start: partial.start, end: partial.start + partial.length };
        const { found } = await body.binary(part, range);
        return body.sendOctets(name, this.#octetsOf(found));
      }
      case 'BINARY.SIZE': {
        const { found, sizeBytes } = await body.binary(item.part, { start: 0, end: 0 });
        this.#octetsOf(found);
        return out.put(`${name} ${sizeBytes}`);
      }
      case 'PREVIEW': {
        const { shared, account } = this.#session;
        const preview = shared.previews.of(account.accountId, row, item.lazy);
        return out.put(`${name} ${nstring(preview)}`);
      }
      default:
        throw new Error(`${item.type} is no item of a row`);
    }
  }

  #octetsOf(binary: BinaryPart | undefined): Uint8Array | undefined {
    switch (binary?.type) {
      case undefined:
        return undefined;
      case 'octets':
        return binary.octets;
      case 'multipart':
        this.failure ??= no('a multipart has no content of its own');
        return undefined;
      case 'unknown-encoding':
        this.failure ??= no('the encoding of the part is unknown', 'UNKNOWN-CTE');
        return undefined;
      default:
        return unreachable(binary);
    }
  }
}
