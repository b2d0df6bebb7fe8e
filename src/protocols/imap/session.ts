/**
 * What holds for one conversation: who is logged in, what is enabled, which mailbox is open, and
 * what the client has still to hear. The commands work on this; `connection.ts` runs them.
 *
 * RFC 9051 §3 (states), RFC 5161 (ENABLE)
 */

import type { AccountCommand, AnswerTo } from '#domain/account';
import { isRefusal, REFUSALS, type Refusal } from '#domain/values/decision';
import type { AccountSettings } from '#domain/directory/settings';
import type { AccountId, MailboxId, ModSeq } from '#domain/values/ids';
import { canonicalMailboxName } from '#domain/values/mailbox-name';
import type { AccountViews, MailboxSummary } from '#projections/account-views';
import { IMAP_COMMANDS_IN_PROGRESS_MAX, IMAP_FAILURES_FAST, IMAP_SLOW_READ_MS } from '../limits.ts';
import type {
  Bodies,
  Changes,
  Clock,
  Commands,
  Done,
  Log,
  LoginAttempts,
  Logins,
  Random,
  Rates,
  Settings,
  Texts,
  Views,
  Wire,
} from '../ports.ts';
import type { MessageReader } from '../ports-reading.ts';
import { LoginRecord } from '../sasl/login-record.ts';
import type { NewsDesk } from './notify.ts';
import { Overlap } from './overlap.ts';
import type { Previews } from './previews.ts';
import type { CommandReader } from './reader.ts';
import { Selected } from './selected.ts';
import { SessionNews, type NewsKind } from './session-news.ts';
import type { Structures } from './structures.ts';
import type { FetchItem, NotifyEvent, NotifyWords } from './words.ts';
import type { ReplyWriter } from './writer.ts';

export interface ImapPorts {
  readonly commands: Commands;
  readonly views: Views;
  readonly changes: Changes;
  readonly settings: Settings;
  readonly bodies: Bodies;
  readonly reader: MessageReader;
  /** Without it, texts are looked for in the messages themselves. */
  readonly texts?: Texts | undefined;
  readonly logins: Logins;
  readonly attempts: LoginAttempts;
  readonly rates: Rates;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface ImapOptions {
  readonly hostName: string;
  /** Name and version of this program, for ID. */
  readonly product: string;
  readonly version: string;
  readonly messageBytesMax: number;
  /** The administrator lets passwords travel without TLS. */
  readonly allowPlaintextLogin: boolean;
  /** COMPRESS may be used here. */
  readonly compress: boolean;
  /** Refuses what RFC 7162 calls an error but known clients send (CHANGEDSINCE 0). */
  readonly strict: boolean;
}

export type State = 'not-authenticated' | 'authenticated' | 'selected';

export const EXTENSIONS = [
  'IMAP4rev2',
  'CONDSTORE',
  'QRESYNC',
  'UTF8=ACCEPT',
  'UIDONLY',
  'METADATA',
] as const;
export type Extension = (typeof EXTENSIONS)[number];

/** How a command ended. */
export interface Reply {
  readonly status: 'OK' | 'NO' | 'BAD';
  readonly text: string;
  readonly code?: string;
  /** RFC 7162 §3.2.7: told as HIGHESTMODSEQ, or less when the client has not heard of all. */
  readonly modSeq?: ModSeq;
  /** What the domain refused; says text and code in its own way. */
  readonly refusal?: Refusal;
  /** Default: `mailbox`. */
  readonly news?: NewsKind;
  /** What is to be done when the tagged line is on its way. */
  readonly afterwards?: () => Promise<void>;
}

export interface Account {
  readonly accountId: AccountId;
  readonly login: string;
  readonly views: AccountViews;
}

/** What all sessions share. */
export interface Shared {
  readonly desk: NewsDesk;
  readonly previews: Previews;
  readonly structures: Structures;
}

/** What the connection lends to its session. */
export interface ConnectionLine {
  readonly wire: Wire;
  readonly reader: CommandReader;
  readonly out: ReplyWriter;
  readonly attach: (wire: Wire) => void;
  /** Ends the conversation with a client that lags too far behind. */
  readonly abandon: () => void;
  /** Whoever is logged in is nobody any more. */
  readonly banish: () => void;
}

export class Session {
  readonly ports: ImapPorts;
  readonly options: ImapOptions;
  readonly cid: string;
  wire: Wire;
  reader: CommandReader;
  out: ReplyWriter;
  /** Tag of the command being carried out. */
  tag = '*';
  failedLogins = 0;
  readonly loginRecord: LoginRecord;
  /** The TLS key has logged in, before the greeting. */
  isPreauthenticated = false;
  isCompressed = false;
  /** Set when the conversation is over; the text is the BYE, if one is still due. */
  ending: { readonly bye?: string; readonly code?: string } | undefined;
  /** Goes on with the conversation on another wire. */
  readonly attach: (wire: Wire) => void;
  readonly #line: Pick<ConnectionLine, 'abandon' | 'banish'>;
  readonly shared: Shared;
  /** Commands that are still carried out while the next one is received. */
  readonly overlap: Overlap<Reply> = new Overlap(IMAP_COMMANDS_IN_PROGRESS_MAX);
  readonly #enabled = new Set<Extension>();
  #account: Account | undefined;
  #news: SessionNews | undefined;
  #selected: Selected | undefined;
  /** RFC 7162 §3.1.2: the client has yet to hear how far the open mailbox is. */
  #owesHighestModSeq = false;
  #wake: (() => void) | undefined;
  #woken = false;

  constructor(
    ports: ImapPorts,
    options: ImapOptions,
    shared: Shared,
    cid: string,
    line: ConnectionLine,
  ) {
    this.ports = ports;
    this.options = options;
    this.shared = shared;
    this.cid = cid;
    this.loginRecord = new LoginRecord('imap', ports);
    this.wire = line.wire;
    this.reader = line.reader;
    this.out = line.out;
    this.attach = line.attach;
    this.#line = line;
  }

  /** Made when it is needed: thousands of idle connections have none. */
  get log(): Log {
    return this.ports.log.child({ cid: this.cid });
  }

  /** True when nobody waits for answers any more. */
  get isOver(): boolean {
    return this.ending !== undefined || this.wire.stream.destroyed;
  }

  get state(): State {
    if (this.#account === undefined) return 'not-authenticated';
    return this.#selected === undefined ? 'authenticated' : 'selected';
  }

  /** Whoever is logged in; only for commands that need a login. */
  get account(): Account {
    if (this.#account === undefined) throw new Error('nobody is logged in');
    return this.#account;
  }

  get settings(): AccountSettings {
    return this.ports.settings.of(this.account.accountId);
  }

  /** The mailbox of a name as a client writes it. */
  mailboxNamed(name: string): MailboxSummary | undefined {
    const canonical = canonicalMailboxName(name);
    return canonical === undefined ? undefined : this.account.views.mailboxNamed(canonical);
  }

  get selected(): Selected | undefined {
    return this.#selected;
  }

  /** The open mailbox; only for commands that need one. */
  get mailbox(): Selected {
    if (this.#selected === undefined) throw new Error('no mailbox is open');
    return this.#selected;
  }

  /** RFC 9051 §5.1, RFC 6855 §3: names and quoted strings are UTF-8. */
  get utf8(): boolean {
    return this.has('IMAP4rev2') || this.has('UTF8=ACCEPT');
  }

  has(extension: Extension): boolean {
    return this.#enabled.has(extension);
  }

  enable(extension: Extension): void {
    this.#enabled.add(extension);
    if (extension === 'METADATA') this.#news?.hearAnnotations();
  }

  /** RFC 7162 §3.1.2: to be called by everything that enables CONDSTORE. */
  enableCondstore(): void {
    if (this.#enabled.has('CONDSTORE')) return;
    this.#enabled.add('CONDSTORE');
    if (this.#selected !== undefined) this.#owesHighestModSeq = true;
  }

  async logIn(accountId: AccountId, login: string): Promise<void> {
    const views = await this.ports.views.account(accountId);
    this.#account = { accountId, login, views };
    this.#news = new SessionNews(this.shared.desk.account(accountId, views), {
      wake: () => this.wake(),
      over: () => this.#line.banish(),
    });
    this.log.info({ login, account: accountId }, 'imap login');
  }

  /** RFC 8437 §3: nothing is left of whoever was logged in. */
  logOut(): void {
    this.unselect();
    this.#news?.close();
    this.#news = undefined;
    this.#account = undefined;
    this.#enabled.clear();
    this.log.info({}, 'imap logout');
  }

  /** Opens a mailbox that exists; the one that was open is closed. */
  select(mailbox: MailboxSummary, readOnly: boolean): Selected {
    this.unselect();
    const news = this.#news;
    if (news === undefined) throw new Error('nobody is logged in');
    this.#selected = new Selected(news.account.mailbox(mailbox.mailboxId), mailbox.uidValidity, {
      readOnly,
      wake: () => this.wake(),
    });
    news.open(this.#selected);
    return this.#selected;
  }

  unselect(): void {
    this.#selected?.close();
    this.#selected = undefined;
    this.#news?.open(undefined);
    this.#owesHighestModSeq = false;
  }

  /** Carries out a command; whoever asked tells the flags and names that it changed. */
  async execute<C extends AccountCommand>(command: C): Promise<Done<AnswerTo<C>> | Refusal> {
    const { accountId, login } = this.account;
    const cause = { actor: `imap:${login}`, ip: this.wire.remoteIp, cid: this.cid };
    const outcome = await this.ports.commands.execute(accountId, command, cause);
    if (!isRefusal(outcome) && outcome.facts.length > 0) {
      this.#selected?.claim(outcome.facts);
      this.#news?.claim(outcome.facts);
    }
    return outcome;
  }

  /** NOTIFY: the news that the client wants from now on. */
  askNews(words: NotifyWords): void {
    this.#news?.ask(words);
  }

  /** The events that NOTIFY asked for of a mailbox that is not open. */
  newsAskedOf(mailboxId: MailboxId): ReadonlySet<NotifyEvent> {
    return this.#news?.eventsOf(mailboxId) ?? new Set();
  }

  /** News are told without a command too. */
  get isWatching(): boolean {
    return this.#news?.isWatching === true;
  }

  /** What is told of each new message; undefined: only that it is there. */
  get arrivalItems(): readonly FetchItem[] | undefined {
    return this.#news?.arrivalItems;
  }

  /** The untagged lines that are due. */
  takeNews(kind: NewsKind): string {
    if (kind === 'nothing' || this.#news === undefined) return '';
    const condstore = this.has('CONDSTORE');
    const modes = { utf8: this.utf8, rev2: this.has('IMAP4rev2'), condstore };
    return this.#newsOfSelected(kind, this.#news) + this.#news.text(kind, modes);
  }

  #newsOfSelected(kind: NewsKind, news: SessionNews): string {
    const selected = this.#selected;
    if (selected === undefined) return '';
    if (news.isDelayedAt(kind)) return selected.withhold(this.has('CONDSTORE'));
    let text = selected.flush({
      ...news.topicsAt(kind),
      condstore: this.has('CONDSTORE'),
      // RFC 9586 §3.4: without sequence numbers, removals are told by UID.
      vanished: this.has('QRESYNC') || this.has('UIDONLY'),
      uidOnly: this.has('UIDONLY'),
      arrivals: news.arrivalItems !== undefined,
    });
    if (this.#owesHighestModSeq) {
      this.#owesHighestModSeq = false;
      text += `* OK [HIGHESTMODSEQ ${selected.reportedModSeq}] modseqs are told from now on\r\n`;
    }
    return text;
  }

  /** Something happened that `nextWake` waits for. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
    if (this.#news?.lagsTooFar === true && !this.#news.overflow()) this.#line.abandon();
  }

  /** Resolves when there was a `wake` since the last time. */
  async nextWake(): Promise<void> {
    if (!this.#woken) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
    this.#woken = false;
  }

  /** RFC 9051 §11.6: who guesses passwords has time. */
  get isSlow(): boolean {
    return this.failedLogins >= IMAP_FAILURES_FAST;
  }

  /** To be called before whatever the client says is read. */
  async beforeReading(): Promise<void> {
    if (this.isSlow) await this.sleep(IMAP_SLOW_READ_MS);
  }

  /** Does nothing for a while, less when the conversation is to end. */
  async sleep(ms: number): Promise<void> {
    const { clock } = this.ports;
    const endsAt = clock.now() + ms;
    const cancel = clock.after(ms, () => this.wake());
    while (clock.now() < endsAt && this.ending === undefined) await this.nextWake();
    cancel();
  }

  close(): void {
    this.loginRecord.close();
    this.unselect();
    this.#news?.close();
    this.#news = undefined;
    this.wake();
  }
}

export function ok(text: string, more: Omit<Reply, 'status' | 'text'> = {}): Reply {
  return { status: 'OK', text, ...more };
}

export function no(text: string, code?: string): Reply {
  return code === undefined ? { status: 'NO', text } : { status: 'NO', text, code };
}

export function refused(refusal: Refusal): Reply {
  return { status: 'NO', text: REFUSALS[refusal.refused], refusal };
}

/** RFC 9586 §3.1: the command speaks of sequence numbers, which are gone. */
export function uidRequired(): Reply {
  return { ...bad('sequence numbers are not used any more'), code: 'UIDREQUIRED' };
}

export function bad(text: string): Reply {
  return { status: 'BAD', text };
}
