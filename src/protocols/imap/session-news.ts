/**
 * What one session has still to hear of mailboxes other than the open one, and which of its news it
 * wants at all: everything that IMAP tells by itself, or what NOTIFY has asked for.
 *
 * A change of another mailbox is kept as it was announced, and read from the views when it is told.
 *
 * RFC 5465 (NOTIFY)
 */

import type { AccountFact } from '#domain/log/streams';
import type { MailboxId, Revision } from '#domain/values/ids';
import { isEmptyUidSet } from '#domain/values/uid-set';
import { IMAP_DELAYED_CHANGES_MAX, IMAP_PENDING_CHANGES_MAX } from '../limits.ts';
import { namesText, type NameModes } from './list-lines.ts';
import { fitsFilter } from './mailbox-filter.ts';
import type { MailboxChange } from './mailbox-news.ts';
import type { AccountNews } from './notify.ts';
import type { Selected, Topics } from './selected.ts';
import type { FetchItem, NotifyEvent, NotifyWords } from './words.ts';
import { mailboxName } from './writer.ts';

/** What may be told before the tagged line. */
export type NewsKind =
  /** What other sessions did to mailboxes too: NOOP, CHECK, IDLE. */
  | 'everything'
  | 'mailbox'
  /** RFC 9051 §7.5.1: no EXPUNGE while sequence numbers are in use. */
  | 'mailbox-without-removals'
  /** No command is being carried out: only for those who asked for that. */
  | 'unasked'
  | 'nothing';

/** How the client reads. */
export interface NewsModes {
  readonly utf8: boolean;
  readonly rev2: boolean;
  readonly condstore: boolean;
}

/** What NOTIFY NONE asks for. */
const NONE: NotifyWords = { status: false, groups: [] };

/** What happened to another mailbox that the client wants to know. */
interface Elsewhere {
  readonly revision: Revision;
  readonly mailboxId: MailboxId;
  /** Messages came or went. */
  readonly messages: boolean;
  readonly flags: boolean;
}

/** How a session hears of its news. */
export interface SessionBell {
  readonly wake: () => void;
  /** The account is being removed. */
  readonly over: () => void;
}

export class SessionNews {
  readonly #account: AccountNews;
  readonly #wake: () => void;
  readonly #stop: () => void;
  #unwatch: (() => void) | undefined;
  /** Undefined until the first NOTIFY. */
  #asked: NotifyWords | undefined;
  /** What was asked of each mailbox that something happened to. */
  #events: Map<MailboxId, ReadonlySet<NotifyEvent>> | undefined;
  #selected: Selected | undefined;
  #names: AccountFact[] = [];
  #hearsAnnotations = false;
  #elsewhere: Elsewhere[] = [];
  #owesOverflow = false;

  constructor(account: AccountNews, { wake, over }: SessionBell) {
    this.#account = account;
    this.#wake = wake;
    this.#stop = account.listen({ heard: (fact) => this.#hearName(fact), over });
  }

  get account(): AccountNews {
    return this.#account;
  }

  /** RFC 5465 §3.1: news come without a command too. */
  get isWatching(): boolean {
    return this.#asked !== undefined;
  }

  /** RFC 5465 §3.1: what was asked before is forgotten. */
  ask(words: NotifyWords): void {
    this.#asked = words;
    this.#events = undefined;
    this.#elsewhere = [];
    this.#names = [];
    this.#hearsAnnotations = words.groups.some(
      ({ events }) => events.has('MailboxMetadataChange') || events.has('ServerMetadataChange'),
    );
    this.#unwatch?.();
    const watches = words.groups.some(({ events }) => events.has('MessageNew'));
    this.#unwatch = watches ? this.#account.watch((change) => this.#hear(change)) : undefined;
  }

  /** RFC 5464 §4.4.2: which annotations change is told, unless NOTIFY says otherwise. */
  hearAnnotations(): void {
    if (this.#asked === undefined) this.#hearsAnnotations = true;
  }

  /** The mailbox that is open from now on. */
  open(selected: Selected | undefined): void {
    this.#selected = selected;
  }

  /** The events that were asked for of a mailbox that is not the open one. */
  eventsOf(mailboxId: MailboxId): ReadonlySet<NotifyEvent> {
    const known = this.#events?.get(mailboxId);
    if (known !== undefined) return known;
    const name = this.#account.summary(mailboxId)?.name;
    const events = name === undefined ? new Set<NotifyEvent>() : this.#eventsNamed(name);
    this.#events ??= new Map();
    this.#events.set(mailboxId, events);
    return events;
  }

  /** What of the open mailbox may be told now. */
  topicsAt(kind: NewsKind): Topics {
    const removals = kind !== 'mailbox-without-removals';
    if (this.#asked === undefined) return { additions: true, removals, flags: true };
    const asked = this.#asked.selected?.events;
    return {
      additions: asked?.has('MessageNew') === true,
      removals: removals && asked?.has('MessageExpunge') === true,
      flags: asked?.has('FlagChange') === true,
    };
  }

  /** RFC 5465 §6.2: nothing is told until a command allows that messages are removed. */
  isDelayedAt(kind: NewsKind): boolean {
    const isLater = kind === 'unasked' || kind === 'mailbox-without-removals';
    return isLater && this.#asked?.selected?.delayed === true;
  }

  /** What is to be told of each new message in the open mailbox; undefined: nothing. */
  get arrivalItems(): readonly FetchItem[] | undefined {
    const selected = this.#asked?.selected;
    return selected?.events.has('MessageNew') === true ? selected.items : undefined;
  }

  /** The session's own commands tell what these facts are. */
  claim(facts: readonly AccountFact[]): void {
    const own = new Set<Revision>(facts.map((fact) => fact.revision));
    this.#names = this.#names.filter((fact) => !own.has(fact.revision));
    // RFC 5465 §5: the client is not told of what it did itself.
    this.#elsewhere = this.#elsewhere.filter(({ revision }) => !own.has(revision));
  }

  /** The lines that are due, but for those about the open mailbox. */
  text(kind: NewsKind, modes: NewsModes): string {
    let text = '';
    if (this.#owesOverflow) {
      this.#owesOverflow = false;
      text += '* OK [NOTIFICATIONOVERFLOW] too much happened: nothing is told from now on\r\n';
    }
    if (this.#names.length > 0 && (this.#asked !== undefined || kind === 'everything')) {
      text += namesText(this.#names, this.#account, this.#nameModes(modes));
      this.#names = [];
    }
    if (this.#elsewhere.length > 0) {
      text += this.#statusText(modes);
      this.#elsewhere = [];
    }
    return text;
  }

  /** More waits than may be kept. */
  get lagsTooFar(): boolean {
    if (this.#names.length > IMAP_PENDING_CHANGES_MAX) return true;
    if (this.#elsewhere.length > IMAP_PENDING_CHANGES_MAX) return true;
    const waiting = this.#selected?.pendingCount ?? 0;
    const isDelayed = this.#asked?.selected?.delayed === true;
    return waiting > (isDelayed ? IMAP_DELAYED_CHANGES_MAX : IMAP_PENDING_CHANGES_MAX);
  }

  /**
   * Forgets what lags too far; false when that is not allowed, for the client did not ask for news
   * and relies on hearing of everything. RFC 5465 §5.8
   */
  overflow(): boolean {
    if (this.#asked === undefined) return false;
    const saysNothing = this.#asked.selected === undefined && this.#asked.groups.length === 0;
    this.#owesOverflow ||= !saysNothing;
    this.ask(NONE);
    this.#selected?.hold();
    return true;
  }

  close(): void {
    this.#unwatch?.();
    this.#stop();
  }

  #hear(change: MailboxChange): void {
    if (change.mailboxId === this.#selected?.mailboxId) return;
    const asked = this.eventsOf(change.mailboxId);
    const messages = asked.has('MessageNew') && (change.removes || !isEmptyUidSet(change.added));
    const flags = asked.has('FlagChange') && !isEmptyUidSet(change.edited);
    if (!messages && !flags) return;
    const { revision, mailboxId } = change;
    this.#elsewhere.push({ revision, mailboxId, messages, flags });
    this.#wake();
  }

  #hearName(fact: AccountFact): void {
    if (fact.event.type === 'AnnotationsSet' && !this.#hearsAnnotations) return;
    // RFC 5465 §6: names and subscriptions decide what a filter means.
    this.#events = undefined;
    if (this.#names.length <= IMAP_PENDING_CHANGES_MAX) this.#names.push(fact);
    this.#wake();
  }

  /** RFC 5465 §6: the first group with the event counts; one that has none ends the search. */
  #eventsNamed(name: string): ReadonlySet<NotifyEvent> {
    const events = new Set<NotifyEvent>();
    const isSubscribed = (each: string): boolean => this.#account.isSubscribed(each);
    for (const group of this.#asked?.groups ?? []) {
      if (!fitsFilter(group.filter, name, isSubscribed)) continue;
      if (group.events.size === 0) break;
      for (const event of group.events) events.add(event);
    }
    return events;
  }

  #nameModes({ utf8, rev2 }: NewsModes): NameModes {
    if (this.#asked === undefined) {
      return { utf8, tellsChanges: rev2, wants: () => true, wantsAccount: true };
    }
    const wants: NameModes['wants'] = (name, ...events) => {
      const asked = this.#eventsNamed(name);
      return events.some((event) => asked.has(event));
    };
    // Those of the account belong to no mailbox: no filter says anything about them.
    const wantsAccount = this.#asked.groups.some(({ events }) =>
      events.has('ServerMetadataChange'),
    );
    return { utf8, tellsChanges: true, wants, wantsAccount };
  }

  /** RFC 5465 §5.1, §5.2, §5.3: a line for each mailbox, with what is the case now. */
  #statusText({ utf8, condstore }: NewsModes): string {
    const topics = new Map<MailboxId, { messages: boolean; flags: boolean }>();
    for (const { mailboxId, messages, flags } of this.#elsewhere) {
      const before = topics.get(mailboxId);
      topics.set(mailboxId, {
        messages: messages || before?.messages === true,
        flags: flags || before?.flags === true,
      });
    }
    let text = '';
    for (const [mailboxId, { messages, flags }] of topics) {
      const mailbox = this.#account.summary(mailboxId);
      if (mailbox === undefined || mailboxId === this.#selected?.mailboxId) continue;
      const items: string[] = [];
      if (messages) items.push(`UIDNEXT ${mailbox.uidNext} MESSAGES ${mailbox.exists}`);
      if (flags) items.push(`UIDVALIDITY ${mailbox.uidValidity}`);
      items.push(`UNSEEN ${mailbox.unseen}`);
      if (condstore) items.push(`HIGHESTMODSEQ ${mailbox.highestModSeq}`);
      text += `* STATUS ${mailboxName(mailbox.name, utf8)} (${items.join(' ')})\r\n`;
    }
    return text;
  }
}
