/**
 * A mail client of the stress test: one connection after the other, each with extensions of its
 * own, that keeps what it is told and complains about what no server may tell.
 */

import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import type { Ledger } from './ledger.ts';
import { OpenMailbox, type Cache, type MailboxModes } from './open-mailbox.ts';
import { ResponseStream } from './responses.ts';
import { formatUidSet, parseUidSet, uidSetOf, uidsOf } from '#domain/values/uid-set';

export interface Profile extends MailboxModes {
  readonly rev2: boolean;
  readonly compress: boolean;
}

export interface Answer {
  readonly status: string;
  /** The response code, without its brackets; '' when there is none. */
  readonly code: string;
  readonly untagged: readonly string[];
}

/** Refusals that others make inevitable. */
const INEVITABLE =
  /^(|EXPUNGEISSUED|NONEXISTENT|TRYCREATE|ALREADYEXISTS|HASCHILDREN|MODIFIED .*|CANNOT)$/;
/** RFC 9051 §7.5.1: no EXPUNGE and no VANISHED meanwhile. */
const NUMBERED = /^(FETCH|STORE|SEARCH|SORT|THREAD)\b/;

interface Waiting {
  readonly text: string;
  readonly untagged: string[];
  readonly done: (tagged: string) => void;
  readonly goAhead: (() => void) | undefined;
}

export class StressClient {
  readonly name: string;
  profile: Profile = {
    condstore: false,
    qresync: false,
    uidOnly: false,
    rev2: false,
    compress: false,
  };
  open: OpenMailbox | undefined;
  /** What NOTIFY asked for: everything as usual, later, at once, or not enough to follow. */
  news: 'usual' | 'delayed' | 'immediate' | 'deaf' = 'usual';
  /** By UIDVALIDITY: what was known when the mailbox was left, or before. */
  readonly caches: Map<number, { readonly name: string; readonly cache: Cache }> = new Map();
  commands = 0;
  readonly #connect: () => Duplex;
  readonly #ledger: Ledger;
  readonly #failed: (error: unknown) => void;
  #stream: ResponseStream | undefined;
  #inProgress = new Map<string, Waiting>();
  #opening: OpenMailbox | undefined;
  /** The last of what was said, for whoever looks for a mistake. */
  readonly said: string[] = [];

  constructor(
    name: string,
    connect: () => Duplex,
    ledger: Ledger,
    failed: (error: unknown) => void,
  ) {
    this.name = name;
    this.#connect = connect;
    this.#ledger = ledger;
    this.#failed = failed;
  }

  get isConnected(): boolean {
    return this.#stream !== undefined;
  }

  /** Goes away without a word, whatever is in progress. */
  cut(): void {
    this.keep();
    this.#stream?.destroy();
    this.#stream = undefined;
    this.#inProgress.clear();
    this.open = undefined;
    this.#opening = undefined;
    this.news = 'usual';
    this.#note('-- cut');
  }

  async connect(login: string, profile: Profile): Promise<void> {
    this.profile = { ...profile, condstore: false, qresync: false, uidOnly: false };
    const greeted = Promise.withResolvers<void>();
    const stream: ResponseStream = new ResponseStream(
      this.#connect(),
      (response) => {
        if (stream === this.#stream) this.#hear(response);
        greeted.resolve();
      },
      () => {
        if (stream === this.#stream) this.#failed(this.complaint('the server hung up'));
      },
    );
    this.#stream = stream;
    await greeted.promise;
    await this.command(`LOGIN ${login}`);
    if (profile.compress) {
      await this.command('COMPRESS DEFLATE');
      stream.compress();
    }
    const { condstore, qresync, uidOnly, rev2 } = profile;
    const extensions = [
      ...(condstore ? ['CONDSTORE'] : []),
      ...(qresync ? ['QRESYNC'] : []),
      ...(uidOnly ? ['UIDONLY'] : []),
      ...(rev2 ? ['IMAP4rev2'] : []),
    ];
    if (extensions.length > 0) await this.command(`ENABLE ${extensions.join(' ')}`);
    this.profile = { ...profile, condstore: condstore || qresync };
  }

  /** RFC 7162 §3.1.2: some commands enable it. */
  enableCondstore(): void {
    this.profile = { ...this.profile, condstore: true };
  }

  /** Carries out a command; `goAhead` is called when the server asks for more. */
  async command(text: string, goAhead?: () => void): Promise<Answer> {
    const tag = `${this.name}-${++this.commands}`;
    const untagged: string[] = [];
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#inProgress.set(tag, { text, untagged, done: resolve, goAhead });
    this.raw(`${tag} ${text}\r\n`);
    const tagged = await promise;
    const [, status = '', code = ''] = /^(\w+)(?: \[([^\]]*)\])?/.exec(tagged) ?? [];
    if (status === 'BAD' || (status === 'NO' && !INEVITABLE.test(code))) {
      throw this.complaint(`${text} was answered by ${tagged}`);
    }
    return { status, code, untagged };
  }

  raw(octets: string): void {
    this.#note(`C: ${octets.trimEnd()}`);
    this.#stream?.send(octets);
  }

  /** Opens a mailbox, with what is in the cache if there is something to go by. */
  async select(
    text: string,
    opened: { readonly cache?: Cache; readonly isPartial?: boolean } = {},
  ): Promise<Answer> {
    this.keep();
    const name = text.split(' ')[1] ?? '';
    const next = new OpenMailbox(name, this.#ledger);
    const { cache } = opened;
    if (cache !== undefined && opened.isPartial !== true) next.resume(cache);
    const least = this.#ledger.leastModSeqs();
    if (this.open === undefined) this.open = next;
    else this.#opening = next;
    this.news = this.news === 'usual' ? 'usual' : this.news;
    const answer = await this.command(text);
    this.#opening = undefined;
    this.open = answer.status === 'OK' ? next : undefined;
    if (answer.status !== 'OK') return answer;
    if (/CONDSTORE/.test(text)) this.enableCondstore();
    const highest = least.get(next.uidValidity) ?? 0;
    if (next.modSeq < highest) {
      throw this.complaint(`HIGHESTMODSEQ ${next.modSeq}, but ${highest} was told before`);
    }
    this.#ledger.modSeq(next.uidValidity, next.modSeq);
    return answer;
  }

  /** The mailbox is left. */
  leave(): void {
    this.keep();
    this.open = undefined;
  }

  /** Puts what is known of the open mailbox into the cache. */
  keep(): void {
    const { open } = this;
    const cache = this.profile.condstore && this.news !== 'deaf' ? open?.cache : undefined;
    if (open === undefined || cache === undefined) return;
    this.caches.set(cache.uidValidity, { name: open.name, cache });
  }

  /** Asks for what was only counted, as clients do. */
  async fetchUnknown(): Promise<void> {
    const { open } = this;
    if (open === undefined || open.isWhole) return;
    await this.command('UID FETCH 1:* (FLAGS)');
    if (this.open !== undefined && !this.open.isWhole) await this.command('NOOP');
  }

  /** Asks, and is slow to hear the answer. */
  async sluggish(text: string, until: () => Promise<void>): Promise<Answer> {
    const answer = this.command(text);
    await this.#stream?.pause(until);
    return answer;
  }

  /** Begins a command, and goes away whatever comes of it. */
  async breakOff(octets: string, until: () => Promise<void>): Promise<void> {
    const done = (): void => undefined;
    this.#inProgress.set('cut', { text: octets, untagged: [], done, goAhead: undefined });
    this.raw(`cut ${octets}`);
    await until();
    this.cut();
  }

  async idle(until: () => Promise<void>): Promise<void> {
    const begun = Promise.withResolvers<void>();
    const idling = this.command('IDLE', begun.resolve);
    await Promise.race([begun.promise, idling]);
    await until();
    this.raw('DONE\r\n');
    await idling;
  }

  #hear(response: string): void {
    this.#note(`S: ${response}`);
    try {
      if (response.startsWith('* ')) this.#untagged(response);
      else if (response.startsWith('+')) this.#goAhead();
      else this.#tagged(response);
    } catch (error) {
      this.#failed(this.complaint(error instanceof Error ? error.message : String(error), error));
    }
  }

  #goAhead(): void {
    for (const waiting of this.#inProgress.values()) waiting.goAhead?.();
  }

  #tagged(response: string): void {
    const tag = response.slice(0, response.indexOf(' '));
    const waiting = this.#inProgress.get(tag);
    assert.ok(waiting !== undefined, 'nobody has asked');
    this.#inProgress.delete(tag);
    const line = response.slice(tag.length + 1);
    if (line.startsWith('OK')) this.#acknowledged(line);
    const opening = /^(SELECT|EXAMINE) /.test(waiting.text);
    if (!opening || line.startsWith('OK')) this.open?.note(line);
    waiting.done(line);
  }

  #untagged(response: string): void {
    assert.ok(!/^\* (BYE|BAD|NO)\b/.test(response), response);
    for (const { untagged } of this.#inProgress.values()) untagged.push(response);
    if (/^\* (VANISHED \d|\d+ EXPUNGE)/.test(response)) this.#mayRemove();
    if (response.startsWith('* OK [CLOSED]')) {
      this.keep();
      // A mailbox that is gone was left by us before.
      this.open = this.#opening ?? this.open;
      return;
    }
    if (response.startsWith('* OK [APPENDUID') || response.startsWith('* OK [COPYUID')) {
      this.#acknowledged(response.slice(2));
    }
    this.open?.hear(response, this.profile);
  }

  #mayRemove(): void {
    const texts = [...this.#inProgress.values()].map(({ text }) => text);
    const isAllowed = this.news === 'immediate' || (texts.length > 0 && !texts.some(isNumbered));
    assert.ok(isAllowed, `a removal is told during: ${texts.join(' | ')}`);
  }

  #acknowledged(line: string): void {
    const append = /\[APPENDUID (\d+) (\S+)\]/.exec(line);
    if (append !== null) this.#ledger.acknowledge(Number(append[1]), append[2] ?? '');
    const copy = /\[COPYUID (\d+) (\S+) (\S+)\]/.exec(line);
    if (copy === null) return;
    const copies = this.#ledger.acknowledge(Number(copy[1]), copy[3] ?? '');
    const uids = [...uidsOf(parseUidSet(copy[2] ?? ''))];
    this.#ledger.copied(this.open?.uidValidity ?? 0, Number(copy[1]), uids, copies);
  }

  #note(text: string): void {
    this.said.push(text.length > 300 ? `${text.slice(0, 300)}…` : text);
    if (this.said.length > 400) this.said.splice(0, 200);
  }

  /** Commands without an answer. */
  get unanswered(): readonly string[] {
    return [...this.#inProgress.values()].map(({ text }) => text);
  }

  /** The error with what was said before it. */
  complaint(text: string, cause?: unknown): Error {
    if (text.startsWith('client ')) return new Error(text, { cause });
    const tail = this.said.slice(-60).join('\n');
    const { profile, news } = this;
    const about = JSON.stringify({ profile, news });
    return new Error(`client ${this.name} ${about}: ${text}\n${tail}`, { cause });
  }
}

function isNumbered(text: string): boolean {
  return NUMBERED.test(text);
}

/** Every so-many-th of these, as a set of UIDs. */
export function setOf(numbers: readonly number[]): string {
  return formatUidSet(uidSetOf(numbers));
}
