/**
 * The octets of one message while it is being answered.
 *
 * Of a large message no more is held in memory than is asked for, and what takes all of it is found
 * out by the reader of messages.
 */

import { Fault } from '#domain/values/fault';
import type { MessageRow } from '#projections/account-views';
import {
  readExtents,
  sectionsOf,
  findBinary,
  type FoundBinary,
  type PartExtent,
  type Sections,
  type Span,
} from '../message/section.ts';
import type { Reading, ReadingAnswers } from '../ports-reading.ts';
import type { Session } from './session.ts';
import type { Partial, Section } from './words.ts';
import type { ReplyWriter } from './writer.ts';

/** Larger messages, and larger sections of them, are not held in memory. */
const LARGE_BYTES = 1024 * 1024;

export class FetchedBody {
  readonly row: MessageRow;
  isMissing = false;
  /** Why something could not be found out. */
  fault: Fault | undefined;
  readonly #session: Session;
  readonly #out: ReplyWriter;
  readonly #prefix: Buffer;
  readonly #isLarge: boolean;
  readonly #sections: Sections;
  #octets: Buffer | undefined;

  constructor(row: MessageRow, session: Session, out: ReplyWriter) {
    this.row = row;
    this.#session = session;
    this.#out = out;
    this.#prefix = Buffer.from(row.prefix);
    this.#isLarge = row.sizeBytes > LARGE_BYTES;
    this.#sections = sectionsOf({
      sizeBytes: row.sizeBytes,
      header: () => this.#header(),
      slice: (start, end) => this.#slice(start, end),
      extents: () => this.#extents(),
    });
  }

  /** `name {n}` and the octets of a section; NIL when there is no such section. */
  async send(name: string, section: Section, partial?: Partial): Promise<void> {
    if (!this.#isLarge) return this.sendOctets(name, this.#sections.section(section), partial);
    if (section.part.length > 0) await this.#learnExtents();
    const span = this.#sections.span(section);
    if (span === undefined || section.fields !== undefined) {
      return this.sendOctets(name, this.#sections.section(section), partial);
    }
    const wanted = partOf(span, partial);
    if (wanted.end - wanted.start > LARGE_BYTES) return this.#stream(name, wanted);
    return this.sendOctets(name, this.#slice(wanted.start, wanted.end));
  }

  async sendOctets(name: string, octets: Uint8Array | undefined, partial?: Partial): Promise<void> {
    const out = this.#out;
    if (octets === undefined) return out.put(`${name} NIL`);
    const { start, end } = partOf({ start: 0, end: octets.length }, partial);
    if (start >= end) return out.put(`${name} ""`);
    const wanted = octets.subarray(start, end);
    out.put(`${name} `);
    // RFC 3516 §4.2: NUL goes into a literal8 only.
    return out.literal(wanted, wanted.includes(0));
  }

  /** A part without its transfer encoding, or so much of it. */
  async binary(part: readonly number[], range?: Span): Promise<FoundBinary> {
    if (!this.#isLarge) return findBinary(this.#sections, part, range);
    const found = await this.#read({ type: 'binary', part, range });
    return found ?? { found: undefined, sizeBytes: 0 };
  }

  /** Without reading the message here. */
  async #learnExtents(): Promise<void> {
    const { structures } = this.#session.shared;
    const { body } = this.row;
    if (structures.get(body, this.#prefix.length) !== undefined) return;
    const extents = await this.#read({ type: 'extents' });
    if (extents !== undefined) structures.keep(body, this.#prefix.length, extents);
  }

  async #read<Type extends Reading['type']>(
    wanted: Extract<Reading, { readonly type: Type }>,
  ): Promise<ReadingAnswers[Type] | undefined> {
    const { account, ports } = this.#session;
    try {
      const answer = await ports.reader.read<Type>(account.accountId, this.row, wanted);
      this.isMissing ||= answer === undefined;
      return answer;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      // The line has begun: it goes on, and the command fails at its end.
      this.fault = error;
      return undefined;
    }
  }

  #extents(): PartExtent | undefined {
    const { structures } = this.#session.shared;
    const known = structures.get(this.row.body, this.#prefix.length);
    if (known !== undefined || this.fault !== undefined) return known;
    const message = this.#whole();
    if (message === undefined) return undefined;
    const extents = readExtents(message);
    structures.keep(this.row.body, this.#prefix.length, extents);
    return extents;
  }

  #header(): Buffer | undefined {
    if (!this.#isLarge) return this.#whole();
    const { account, ports } = this.#session;
    return this.#found(ports.bodies.header(account.accountId, this.row.body), this.#prefix);
  }

  #slice(start: number, end: number): Buffer | undefined {
    const before = this.#prefix.length;
    const isInBody = start >= before && this.#octets === undefined;
    if (!this.#isLarge && !isInBody) return this.#whole()?.subarray(start, end);
    const { account, ports } = this.#session;
    const { body } = this.row;
    const from = Math.max(start - before, 0);
    const octets = ports.bodies.slice(account.accountId, body, from, Math.max(end - before, from));
    return this.#found(octets, this.#prefix.subarray(start, end));
  }

  #whole(): Buffer | undefined {
    if (this.#octets !== undefined || this.isMissing) return this.#octets;
    const { account, ports } = this.#session;
    const body = ports.bodies.read(account.accountId, this.row.body);
    return (this.#octets = this.#found(body, this.#prefix));
  }

  /** Octets of the body, behind those that stand before it. */
  #found(octets: Buffer | undefined, before: Buffer): Buffer | undefined {
    if (octets === undefined) this.isMissing = true;
    return octets && before.length > 0 ? Buffer.concat([before, octets]) : octets;
  }

  async #stream(name: string, { start, end }: Span): Promise<void> {
    const { ports, account } = this.#session;
    const out = this.#out;
    const { body } = this.row;
    if (this.#slice(start, start + 1) === undefined) return out.put(`${name} NIL`);
    let left = end - start;
    out.put(`${name} {${left}}\r\n`);
    const ahead = this.#prefix.subarray(start, end);
    out.octets(ahead);
    left -= ahead.length;
    const from = Math.max(start - this.#prefix.length, 0);
    try {
      for await (const chunk of ports.bodies.stream(account.accountId, body, from)) {
        const octets = (chunk as Buffer).subarray(0, left);
        out.octets(octets);
        left -= octets.length;
        if (left === 0) return;
        await out.flush();
        if (out.isOver) return;
      }
      throw new Error(`body ${body} ends early`);
    } catch (error) {
      out.giveUp();
      throw error;
    }
  }
}

/** RFC 9051 §6.4.5: what is behind the end is left out. */
function partOf({ start, end }: Span, partial: Partial | undefined): Span {
  if (partial === undefined) return { start, end };
  const first = Math.min(start + partial.start, end);
  return { start: first, end: Math.min(first + partial.length, end) };
}
