/**
 * A mail client that keeps a mailbox in a cache: it believes what the server tells, complains about
 * what no server may tell, and resyncs with QRESYNC from whatever it last knew.
 *
 * With `qresync` off it is a client of old: it learns of removals by sequence number.
 * A modseq is noted when the tagged line has come, not before.
 */

import assert from 'node:assert/strict';
import type { LineClient } from './line-client.ts';
import { parseUidSet, uidCount, uidsOf, type UidSet } from '#domain/values/uid-set';

interface Answer {
  readonly lines: readonly string[];
  /** The tagged line; undefined when the connection was cut before it. */
  readonly tagged: string | undefined;
}

export interface ResyncOptions {
  /** UIDs that the client says it knows. */
  readonly known?: UidSet;
  /** Every n-th message of the cache goes into the match data. */
  readonly matchEvery?: number;
  /** The connection is cut after so many octets of the answer. */
  readonly cutAfter?: number;
}

export class ResyncClient {
  readonly mailbox: string;
  readonly qresync: boolean;
  /** What is known of messages: UID → flags, sorted. */
  readonly flags: Map<number, string> = new Map();
  modSeq = 0;
  uidValidity = 0;
  readonly #connect: () => LineClient;
  readonly #login: string;
  #line: LineClient | undefined;
  #tags = 0;
  #isOpen = false;
  /** UIDs by sequence number; undefined for messages that were only counted. */
  #seqs: (number | undefined)[] = [];
  /** Modseqs that the answer being read has shown. */
  #shown = 0;
  #code: number | undefined;
  /** All messages up to this UID are in the cache. */
  #knownTo = 0;
  /** Nothing that the modseq covers is missing in the cache. */
  #isSure = true;

  constructor(connect: () => LineClient, login: string, mailbox: string, qresync: boolean) {
    this.#connect = connect;
    this.#login = login;
    this.mailbox = mailbox;
    this.qresync = qresync;
  }

  get isConnected(): boolean {
    return this.#line !== undefined;
  }

  get count(): number {
    return this.#seqs.length;
  }

  get uids(): readonly number[] {
    return [...this.flags.keys()].toSorted((a, b) => a - b);
  }

  /** Goes away without a word. */
  cut(): void {
    this.#line?.destroy();
    this.#line = undefined;
    // Messages that were only counted may be older than the modseq that was noted.
    if (this.#seqs.includes(undefined)) this.#isSure = false;
  }

  async connect(): Promise<void> {
    this.#isOpen = false;
    this.#line = this.#connect();
    await this.#line.line();
    await this.#plain(`LOGIN ${this.#login}`);
    if (this.qresync) await this.#plain('ENABLE QRESYNC');
  }

  /** Opens the mailbox with what is in the cache; false when the connection was cut. */
  async open(options: ResyncOptions = {}): Promise<boolean> {
    if (!this.isConnected) await this.connect();
    const resync = this.qresync && this.modSeq > 0 ? ` (QRESYNC (${this.#resync(options)}))` : '';
    const answer = await this.#command(`SELECT ${this.mailbox}${resync}`, options.cutAfter);
    // RFC 7162 §3.2.11: what stands before CLOSED is about the mailbox that was open.
    const closed = answer.lines.findIndex((line) => line.startsWith('* OK [CLOSED]'));
    const old = this.#isOpen && closed < 0 ? answer.lines.length : closed + 1;
    for (const line of answer.lines.slice(0, old)) this.#hear(line, true);
    this.#seqs = [];
    if (resync === '') this.flags.clear();
    for (const line of answer.lines.slice(old)) this.#hear(line, false);
    if (answer.tagged === undefined) {
      this.cut();
      return false;
    }
    this.#isOpen = true;
    this.#note(answer.tagged);
    // Otherwise the client asks for what is new, as it does for what is only counted.
    if (resync !== '' && this.#isSure && options.known === undefined) this.#placeCache();
    await this.fetchUnknown(resync === '');
    this.#isSure = true;
    return true;
  }

  /** A command with the mailbox open; `removals` tells whether they may be told meanwhile. */
  async run(text: string, removals: boolean): Promise<string> {
    const { lines, tagged } = await this.#command(text);
    assert.ok(tagged !== undefined);
    for (const line of lines) {
      const removal = /^\* (VANISHED \d|\d+ EXPUNGE)/.test(line);
      assert.ok(removals || !removal, `${text} was answered by ${line}`);
      this.#hear(line, true);
    }
    this.#note(tagged);
    return tagged;
  }

  /** Asks for what was only counted, as clients do. */
  async fetchUnknown(all = false): Promise<void> {
    if (!all && !this.#seqs.includes(undefined)) return;
    const from = all ? 1 : this.#knownTo + 1;
    await this.run(`UID FETCH ${from}:* (FLAGS)`, true);
    this.#placeCache();
  }

  #resync(options: ResyncOptions): string {
    let text = `${this.uidValidity} ${this.modSeq}`;
    const { known, matchEvery } = options;
    if (known !== undefined && known.length > 0) {
      text += ` ${known.map(([a, b]) => (a === b ? a : `${a}:${b}`)).join(',')}`;
    }
    const pairs = this.uids
      .map((uid, i) => [i + 1, uid] as const)
      .filter(([seq]) => matchEvery !== undefined && seq % matchEvery === 0);
    if (pairs.length === 0) return text;
    const seqs = pairs.map(([seq]) => seq).join(',');
    return `${text} (${seqs} ${pairs.map(([, uid]) => uid).join(',')})`;
  }

  /** What is in the cache must be all that there is. */
  #placeCache(): void {
    const uids = this.uids;
    assert.equal(uids.length, this.#seqs.length, 'the cache is not the mailbox');
    this.#seqs = [...uids];
    this.#knownTo = Math.max(this.#knownTo, uids.at(-1) ?? 0);
  }

  #hear(line: string, isOpen: boolean): void {
    const exists = /^\* (\d+) EXISTS$/.exec(line);
    if (exists !== null) {
      const count = Number(exists[1]);
      assert.ok(count >= this.#seqs.length, `${line}, but there were ${this.#seqs.length}`);
      while (this.#seqs.length < count) this.#seqs.push(undefined);
      return;
    }
    const expunge = /^\* (\d+) EXPUNGE$/.exec(line);
    if (expunge !== null) {
      const seq = Number(expunge[1]);
      assert.ok(!this.qresync && seq >= 1 && seq <= this.#seqs.length, line);
      const [uid] = this.#seqs.splice(seq - 1, 1);
      if (uid !== undefined) this.flags.delete(uid);
      return;
    }
    const vanished = /^\* VANISHED (\(EARLIER\) )?(\S+)$/.exec(line);
    if (vanished !== null) {
      assert.ok(this.qresync, line);
      this.#vanish(parseUidSet(vanished[2] ?? ''), vanished[1] !== undefined, line);
      return;
    }
    const fetch = /^\* (\d+) FETCH \((.*)\)$/.exec(line);
    if (fetch !== null) this.#learn(Number(fetch[1]), fetch[2] ?? '', isOpen, line);
    const code = /\[(HIGHESTMODSEQ|UIDVALIDITY) (\d+)\]/.exec(line);
    if (code?.[1] === 'HIGHESTMODSEQ') this.#code = Number(code[2]);
    if (code?.[1] === 'UIDVALIDITY') this.uidValidity = Number(code[2]);
  }

  #vanish(uids: UidSet, earlier: boolean, line: string): void {
    if (!earlier) assert.ok(uidCount(uids) <= this.#seqs.length, line);
    for (const uid of uidsOf(uids)) {
      const known = this.flags.delete(uid);
      if (earlier) continue;
      const above = this.#seqs.findIndex((each) => each !== undefined && each > uid);
      const last = (above < 0 ? this.#seqs.length : above) - 1;
      const at = known ? this.#seqs.indexOf(uid) : this.#seqs.lastIndexOf(undefined, last);
      // RFC 7162 §3.2.10: the plain form speaks of messages that the client was told of.
      assert.ok(at >= 0, `${line}: ${uid} was never told`);
      this.#seqs.splice(at, 1);
    }
  }

  #learn(seq: number, items: string, isOpen: boolean, line: string): void {
    const told = /UID (\d+)/.exec(items)?.[1];
    const uid = told === undefined ? this.#seqs[seq - 1] : Number(told);
    const flags = /FLAGS \(([^)]*)\)/.exec(items)?.[1];
    const modSeq = Number(/MODSEQ \((\d+)\)/.exec(items)?.[1] ?? 0);
    this.#shown = Math.max(this.#shown, modSeq);
    // Flags of a message that was only counted: it will be asked for.
    if (uid === undefined) return;
    if (isOpen) {
      assert.ok(seq >= 1 && seq <= this.#seqs.length, `${line}: no such message`);
      const placed = this.#seqs[seq - 1];
      assert.ok(placed === undefined || placed === uid, `${line}, but ${seq} is ${placed}`);
      this.#seqs[seq - 1] = uid;
    }
    if (flags !== undefined) this.flags.set(uid, flags);
  }

  /** The tagged line has come: what was shown until now is believed to be all. */
  #note(tagged: string): void {
    const code = /\[HIGHESTMODSEQ (\d+)\]/.exec(tagged);
    const told = code === null ? this.#code : Number(code[1]);
    this.modSeq = told ?? Math.max(this.modSeq, this.#shown);
    this.#shown = 0;
    this.#code = undefined;
  }

  async #plain(text: string): Promise<void> {
    const { tagged } = await this.#command(text);
    assert.match(tagged ?? '', / OK /);
  }

  async #command(text: string, cutAfter = Infinity): Promise<Answer> {
    const tag = `t${++this.#tags}`;
    this.#shown = 0;
    this.#code = undefined;
    const connection = this.#line;
    assert.ok(connection !== undefined);
    connection.send(`${tag} ${text}\r\n`);
    const lines: string[] = [];
    let octets = 0;
    for (;;) {
      const line = await connection.line();
      assert.ok(line !== undefined, 'the server hung up');
      octets += line.length + 2;
      if (octets > cutAfter) return { lines, tagged: undefined };
      if (line.startsWith(`${tag} `)) return { lines, tagged: line };
      lines.push(line);
    }
  }
}
