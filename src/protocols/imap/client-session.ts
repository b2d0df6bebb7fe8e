/**
 * The commands of an open IMAP client, one method each.
 *
 * RFC 9051 §6
 */

import type { UidSet } from '#domain/values/uid-set';
import type { Clock, TlsFacts } from '../ports.ts';
import { append, type AppendedUid, type AppendMessage } from './client-append.ts';
import type { Conversation } from './client-conversation.ts';
import { ImapClientError } from './client-error.ts';
import { FetchedMessages, type FetchOptions } from './client-fetch.ts';
import { IdleNews } from './client-idle.ts';
import { CommandLine, type MessageSet } from './client-line.ts';
import {
  askCapabilities,
  authenticate,
  logIn,
  type Credentials,
  type LoginPorts,
} from './client-login.ts';
import {
  aboutMailboxes,
  create,
  list,
  status,
  type CreateOptions,
  type ListOptions,
  type MailboxEntry,
} from './client-mailboxes.ts';
import {
  expunge,
  store,
  transfer,
  type ExpungeResult,
  type StoreChange,
  type StoreResult,
} from './client-messages.ts';
import { search, type SearchOptions, type SearchResult } from './client-search.ts';
import { select, type SelectedMailbox, type SelectOptions } from './client-select.ts';
import type { CopiedUids, ServerNews, StatusText, StatusValues } from './client-words.ts';
import type { FetchItem, SearchKey, StatusItem } from './words.ts';

export interface ClientPorts extends LoginPorts {
  readonly clock: Clock;
  /** IDLE is given anew after this. */
  readonly idleMs: number;
}

/** The server let us in: as a stranger, or as whom the TLS key says. */
export interface Greeting extends StatusText {
  readonly isLoggedIn: boolean;
}

export class ImapClient implements AsyncDisposable {
  readonly greeting: Greeting;
  readonly #conversation: Conversation;
  readonly #ports: ClientPorts;

  constructor(conversation: Conversation, greeting: Greeting, ports: ClientPorts) {
    this.#conversation = conversation;
    this.greeting = greeting;
    this.#ports = ports;
  }

  /** What the server says that it can do, in capitals. */
  get capabilities(): ReadonlySet<string> {
    return this.#conversation.capabilities;
  }

  /** What `enable` has brought, in capitals. */
  get enabled(): ReadonlySet<string> {
    return this.#conversation.enabled;
  }

  get tls(): TlsFacts | undefined {
    return this.#conversation.wire.tls;
  }

  /** Resolves when the connection is over, with the reason. */
  get ended(): Promise<ImapClientError> {
    return this.#conversation.ended;
  }

  /** `strongest`, or the name of a SASL mechanism. */
  async authenticate(mechanism: string, credentials: Credentials): Promise<void> {
    await authenticate(this.#conversation, mechanism, credentials, this.#ports);
  }

  /** The LOGIN command; `authenticate` is better. */
  async login(credentials: Credentials): Promise<void> {
    await logIn(this.#conversation, credentials);
  }

  /** Asks for the capabilities anew. */
  async capability(signal?: AbortSignal): Promise<ReadonlySet<string>> {
    await askCapabilities(this.#conversation, signal);
    return this.capabilities;
  }

  /** RFC 5161 §3.1: which of them are on now. What the server does not offer is not asked for. */
  async enable(names: readonly string[], signal?: AbortSignal): Promise<ReadonlySet<string>> {
    const { capabilities } = this.#conversation;
    const wanted = names.map((name) => name.toUpperCase()).filter((name) => capabilities.has(name));
    if (wanted.length > 0) {
      const line = new CommandLine('ENABLE');
      for (const name of wanted) line.put(' ').atom(name);
      const take = (news: ServerNews): boolean => news.type === 'enabled';
      await this.#conversation.run({ line, alone: true, take }, signal);
    }
    return this.enabled;
  }

  /** RFC 2971 §3.1: who we are; gives who the server is. */
  async id(
    fields: Readonly<Record<string, string>> = {},
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, string>> {
    const line = new CommandLine('ID').put(' ');
    const entries = Object.entries(fields);
    line.put(entries.length === 0 ? 'NIL' : '(');
    for (const [i, [name, value]] of entries.entries()) {
      line
        .put(i > 0 ? ' ' : '')
        .quoted(name)
        .put(' ')
        .quoted(value);
    }
    if (entries.length > 0) line.put(')');
    let told: ReadonlyMap<string, string> = new Map();
    const take = (news: ServerNews): boolean => {
      if (news.type !== 'id') return false;
      told = news.fields;
      return true;
    };
    await this.#conversation.run({ line, takes: ['id'], take }, signal);
    return told;
  }

  /** Opens a mailbox; with `qresync` tells what has changed since the last time. */
  select(mailbox: string, options?: SelectOptions): Promise<SelectedMailbox> {
    return select(this.#conversation, mailbox, options);
  }

  /** As `select`; nothing can be changed. */
  examine(mailbox: string, options?: SelectOptions): Promise<SelectedMailbox> {
    return select(this.#conversation, mailbox, { ...options, readOnly: true });
  }

  /** Closes the mailbox; `expunge` removes what is flagged \Deleted without a word. */
  async leave(options: {
    readonly expunge: boolean;
    readonly signal?: AbortSignal;
  }): Promise<void> {
    const line = new CommandLine(options.expunge ? 'CLOSE' : 'UNSELECT');
    await this.#conversation.run({ line, alone: true }, options.signal);
  }

  list(options?: ListOptions): Promise<readonly MailboxEntry[]> {
    return list(this.#conversation, options);
  }

  status(
    mailbox: string,
    items: readonly StatusItem[],
    signal?: AbortSignal,
  ): Promise<StatusValues> {
    return status(this.#conversation, mailbox, items, signal);
  }

  create(mailbox: string, options?: CreateOptions): Promise<void> {
    return create(this.#conversation, mailbox, options);
  }

  delete(mailbox: string, signal?: AbortSignal): Promise<void> {
    return aboutMailboxes(this.#conversation, 'DELETE', [mailbox], signal);
  }

  rename(from: string, to: string, signal?: AbortSignal): Promise<void> {
    return aboutMailboxes(this.#conversation, 'RENAME', [from, to], signal);
  }

  subscribe(mailbox: string, signal?: AbortSignal): Promise<void> {
    return aboutMailboxes(this.#conversation, 'SUBSCRIBE', [mailbox], signal);
  }

  unsubscribe(mailbox: string, signal?: AbortSignal): Promise<void> {
    return aboutMailboxes(this.#conversation, 'UNSUBSCRIBE', [mailbox], signal);
  }

  append(
    mailbox: string,
    message: AppendMessage,
    signal?: AbortSignal,
  ): Promise<AppendedUid | undefined> {
    return append(this.#conversation, mailbox, message, signal);
  }

  /** The messages as they come; asks when somebody iterates. */
  fetch(
    messages: MessageSet,
    items: readonly FetchItem[],
    options?: FetchOptions,
  ): FetchedMessages {
    return new FetchedMessages(this.#conversation, messages, items, options);
  }

  store(messages: MessageSet, change: StoreChange, signal?: AbortSignal): Promise<StoreResult> {
    return store(this.#conversation, messages, change, signal);
  }

  copy(
    messages: MessageSet,
    mailbox: string,
    signal?: AbortSignal,
  ): Promise<CopiedUids | undefined> {
    return transfer(this.#conversation, 'COPY', messages, mailbox, signal);
  }

  move(
    messages: MessageSet,
    mailbox: string,
    signal?: AbortSignal,
  ): Promise<CopiedUids | undefined> {
    return transfer(this.#conversation, 'MOVE', messages, mailbox, signal);
  }

  /** Removes what is flagged \Deleted, of all or of the given UIDs. */
  expunge(uids?: UidSet, signal?: AbortSignal): Promise<ExpungeResult> {
    return expunge(this.#conversation, uids, signal);
  }

  search(key: SearchKey, options?: SearchOptions): Promise<SearchResult> {
    return search(this.#conversation, key, options);
  }

  /** News as they happen, until `done` or the signal; other commands wait until then. */
  idle(signal?: AbortSignal): IdleNews {
    const { clock, idleMs } = this.#ports;
    return new IdleNews(this.#conversation, clock, idleMs, signal);
  }

  /** Gives the server an occasion to tell what is new. */
  async noop(signal?: AbortSignal): Promise<void> {
    await this.#conversation.run({ line: new CommandLine('NOOP') }, signal);
  }

  /** Says goodbye and closes. */
  async logout(signal?: AbortSignal): Promise<void> {
    let hasSaidBye = false;
    const take = (news: ServerNews): boolean => {
      hasSaidBye ||= news.type === 'status' && news.status === 'BYE';
      return hasSaidBye;
    };
    const exchange = { line: new CommandLine('LOGOUT'), alone: true, last: true, take };
    try {
      await this.#conversation.run(exchange, signal);
    } catch (error) {
      // Having said goodbye, some servers close without another word.
      if (!hasSaidBye) throw error;
    }
    this.close();
  }

  /** Ends at once; commands that run fail with `Closed`. */
  close(): void {
    this.#conversation.end(new ImapClientError('Closed', 'The connection was closed here.'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}
