/**
 * What conversations need from the world: small interfaces, implemented in infra and handed over
 * by compose.
 */

import type { Observable } from 'rxjs';
import type { Duplex, Readable } from 'node:stream';
import type { AccountCommand, AnswerTo } from '#domain/account';
import type { LoginAttempt, LoginResult } from '#domain/audit/events';
import type { TlsKey } from '#domain/credential/state';
import type { AccountSettings } from '#domain/directory/settings';
import type { MailTarget } from '#domain/directory/mail-targets';
import type { AccountFact } from '#domain/log/streams';
import type { Cause } from '#domain/log/event';
import type { Refusal } from '#domain/values/decision';
import type { AccountId, BodyHash, Instant, ModSeq, QueueId, Revision } from '#domain/values/ids';
import type { MessageFacts } from '#domain/values/facts';
import type { AccountViews } from '#projections/account-views';
import type { FoundTexts, TextCondition } from '#projections/texts';

/** A command was carried out (or had nothing to change: then `events` is empty). */
export interface Done<Answer> {
  readonly revision: Revision;
  /** Modseq of the last event, or of the stream's head when there were none. */
  readonly modSeq: ModSeq;
  readonly facts: readonly AccountFact[];
  readonly answer: Answer;
}

/** The only way to change an account. Durable when it resolves. */
export interface Commands {
  /** Throws a Fault when the outcome is failure or unknown. */
  execute<C extends AccountCommand>(
    accountId: AccountId,
    command: C,
    cause: Cause,
  ): Promise<Done<AnswerTo<C>> | Refusal>;
}

/** Read models, as of the last committed turn of the account's lane. */
export interface Views {
  /** Opens the account's views; they are at the head of the log when this resolves. */
  account(accountId: AccountId): Promise<AccountViews>;
}

/** The facts of one turn of an account's lane, in order. */
export interface Announcement {
  readonly accountId: AccountId;
  readonly facts: readonly AccountFact[];
}

/** What the administrator has decided about accounts, as of now. */
export interface Settings {
  of(accountId: AccountId): AccountSettings;
}

/**
 * News of an account, sent after the views have them, in the order of the log; complete when the
 * account is being removed.
 */
export interface Changes {
  of(accountId: AccountId): Observable<Announcement>;
}

/** A body on its way in: hashed while it is written. */
export interface StagedBody {
  readonly hash: BodyHash;
  readonly sizeBytes: number;
  readonly facts: MessageFacts;
  /** Removes the staged copy; linked bodies stay. Safe to call twice. */
  discard(): Promise<void>;
}

export interface Bodies {
  /** To be asked before mail is taken: a Fault when hardly any room is left. */
  requireRoom(): Promise<void>;
  /**
   * Takes a body in and reads its facts; it is on the disk for sure only when `link` resolves. Ends
   * with a Fault `BodyTooLarge` after `limitBytes`, and when the disk is full; nothing is left
   * behind then.
   */
  stage(body: AsyncIterable<Uint8Array>, limitBytes: number): Promise<StagedBody>;
  /**
   * Makes a staged body one of the account's, durably. To be called before the append. Throws a
   * Fault when the disk is full.
   */
  link(staged: StagedBody, accountId: AccountId): Promise<void>;
  /** The whole body; undefined when it is gone. */
  read(accountId: AccountId, hash: BodyHash): Buffer | undefined;
  /**
   * The header of a body with its empty line, and perhaps more; undefined when the body is gone.
   * Of a header beyond MIME_HEADER_BYTES_MAX at least so much.
   */
  header(accountId: AccountId, hash: BodyHash): Buffer | undefined;
  /** Octets of a body from `start` to before `end`; undefined when the body is gone. */
  slice(accountId: AccountId, hash: BodyHash, start: number, end: number): Buffer | undefined;
  /** The body as a stream, from `start` on. */
  stream(accountId: AccountId, hash: BodyHash, start?: number): Readable;
  /** Facts of a body; parsed again when the stored ones are missing or of an older shape. */
  facts(accountId: AccountId, hash: BodyHash): MessageFacts | undefined;
}

/** Finds messages by what they say without looking into them, as far as an index has come. */
export interface Texts {
  /** Undefined when the index cannot say: then it is for the messages themselves to say. */
  find(accountId: AccountId, condition: TextCondition): Promise<FoundTexts | undefined>;
}

/** Time, timers and chance: the only source of each. */
export interface Clock {
  now(): Instant;
  /** Calls back once after `ms`; returns how to cancel. */
  after(ms: number, callback: () => void): () => void;
}

export interface Random {
  bytes(count: number): Buffer;
  uuid(): string;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** Four levels and children; pino fits. The phrase is fixed, data goes into fields. */
export interface Log {
  debug(fields: LogFields, phrase: string): void;
  info(fields: LogFields, phrase: string): void;
  warn(fields: LogFields, phrase: string): void;
  error(fields: LogFields, phrase: string): void;
  child(fields: LogFields): Log;
}

/** Who may log in, and as whom. Answers cost the same for unknown users and wrong passwords. */
export interface Logins {
  /** Compares a password. */
  verifyPassword(login: string, password: string): Promise<LoginOutcome>;
  /**
   * RFC 5802 verifier of a login, or a lasting fake one for an unknown login. Undefined when the
   * password was set before verifiers of this hash were kept.
   */
  scramVerifier(login: string, hash: ScramHash): Promise<ScramVerifier | undefined>;
  /** The same for CRAM-MD5. */
  cramMd5States(login: string): Promise<CramMd5States | undefined>;
  /** To be called when SCRAM or CRAM-MD5 has proven the password of `login`. */
  admit(login: string): LoginOutcome;
  /** Whose TLS key it is; undefined for a key that lets nobody in. */
  keyHolder(fingerprint: string): KeyHolder | undefined;
  /**
   * To be called for whoever has shown the key in a handshake: logs in as `login`, an address of
   * the account that the key is for, or when that is '' as the address that stands with the key.
   */
  admitKey(fingerprint: string, login: string): LoginOutcome;
}

export type LoginOutcome =
  | { readonly type: 'ok'; readonly accountId: AccountId; readonly login: string }
  | { readonly type: 'wrong' }
  | { readonly type: 'forbidden'; readonly reason: string };

export type ScramHash = 'sha1' | 'sha256';

/** RFC 5802 §3: what a server keeps instead of the password. */
export interface ScramVerifier {
  /** False for the fake one: the exchange must fail, whatever the proof. */
  readonly known: boolean;
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** RFC 2195 §2, RFC 2104 §4: states of MD5 behind the padded password, kept instead of it. */
export interface CramMd5States {
  /** False for the fake ones: the exchange must fail, whatever the digest. */
  readonly known: boolean;
  readonly inner: Buffer;
  readonly outer: Buffer;
}

/** Records who tries to log in. Nobody waits for it, and no password is told to it. */
export interface LoginAttempts {
  record(attempt: AttemptedLogin): void;
}

/** What a protocol knows of an attempt; whose the login is, the records find out themselves. */
export interface AttemptedLogin {
  readonly protocol: LoginAttempt['protocol'];
  /** `baduser` is for the records to say. */
  readonly result: Exclude<LoginResult, 'baduser'>;
  /** Set when the client was let in. */
  readonly accountId?: AccountId | undefined;
  /** See LoginDetails. */
  readonly mechanism: string;
  /** As the client wrote it, '' when it did not come to that. */
  readonly login: string;
  readonly remoteIp: string;
  readonly localIp: string;
  readonly tls: Pick<TlsFacts, 'version' | 'cipher'> | undefined;
  /** Of the TLS key that the client has shown. */
  readonly fingerprint: string | undefined;
  readonly userAgent: string;
}

/** Which attempts somebody wants to see; `account` is a name, or `-` for logins of nobody. */
export interface AttemptQuestion {
  readonly account?: string | undefined;
  readonly failedOnly: boolean;
  readonly limit: number;
}

/** The attempts of the last 30 days. */
export interface RecordedLogins {
  /** The latest first. */
  list(question: AttemptQuestion): Promise<readonly RecordedLogin[] | Refusal>;
}

/** Equal attempts; `account` is a name, or `-`. */
export interface RecordedLogin extends LoginAttempt {
  readonly account: string;
  readonly count: number;
  readonly firstAt: Instant;
  readonly lastAt: Instant;
}

/** The account that a TLS key of a client is for. */
export interface KeyHolder {
  readonly accountId: AccountId;
  /** The address that stands with the key. */
  readonly login: string;
  /** IMAP on the TLS port begins logged in. */
  readonly imapPreauth: boolean;
  /** Why nobody may log in; undefined when one may. */
  readonly forbidden?: string | undefined;
}

/** The TLS keys of devices: each lets into one account of the server. */
export interface TlsKeys {
  add(key: TlsKey, cause: Cause): Promise<RegisteredTlsKey | Refusal>;
  change(
    fingerprint: string,
    changes: TlsKeyChanges,
    cause: Cause,
  ): Promise<RegisteredTlsKey | Refusal>;
  /** Gives what was removed. */
  remove(fingerprint: string, cause: Cause): Promise<RegisteredTlsKey | Refusal>;
  get(fingerprint: string): RegisteredTlsKey | undefined;
  /** By account, in the order in which they were added; of one account when it is named. */
  list(account?: string): readonly RegisteredTlsKey[] | Refusal;
}

export interface RegisteredTlsKey extends TlsKey {
  readonly accountId: AccountId;
  /** Name of the account. */
  readonly account: string;
  readonly addedAt: Instant;
}

/** What is left out stays as it is. */
export type TlsKeyChanges = Partial<Pick<TlsKey, 'name' | 'noImapPreauth' | 'login'>>;

/** Attempts and connections per source, over windows. */
export interface Rates {
  /** Counts a new connection; false when the source has too many. */
  admitConnection(ip: string): boolean;
  releaseConnection(ip: string): void;
  failedLogin(ip: string): void;
  successfulLogin(ip: string): void;
  /** False when the source has failed too often lately. */
  mayLogin(ip: string): boolean;
}

/** Where mail for an address goes; answers from the directory. */
export interface Directory {
  /** Whom an address (canonical rules applied) delivers to. */
  target(localpart: string, domain: string): MailTarget;
  /** The accounts that may send as the address. */
  sendersAs(localpart: string, domain: string): readonly AccountId[];
  /** True for a domain of ours of which no mail goes or comes for now. */
  isDisabled(domain: string): boolean;
  /** The characters that end an account's part of a localpart; '' where there are none. */
  separatorsOf(domain: string): string;
  /** True when what is handed in under the login gets a MAIL FROM of its own per recipient. */
  usesFromIds(accountId: AccountId, login: string): boolean;
}

/** Outgoing mail of all accounts that waits for its time; kept up to date with the log. */
export interface Queue {
  /** Domains of recipients with something due, the longest due first. */
  dueDestinations(now: Instant, limit: number): readonly string[];
  /** Items of a destination that are due and neither held nor in an attempt. */
  due(destination: string, now: Instant, limit: number): readonly DueItem[];
  /** When something is due next that is not due at `now`. */
  nextDueAfter(now: Instant): Instant | undefined;
  /** Accounts with attempts that have begun and not ended. */
  accountsInAttempt(): readonly AccountId[];
  /** Accounts with finished items that were to be remembered until before now. */
  accountsToForget(now: Instant): readonly AccountId[];
  /** Items came, or are due at another time than before. */
  readonly changes: Observable<void>;
}

export interface DueItem {
  readonly accountId: AccountId;
  readonly queueId: QueueId;
}

/** What TLS made of a connection. */
export interface TlsFacts {
  /** `TLSv1.3` */
  readonly version: string;
  readonly cipher: string;
  /** RFC 9266 tls-exporter for TLS 1.3, RFC 5929 tls-unique for TLS 1.2. */
  readonly channelBinding: { readonly type: 'tls-exporter' | 'tls-unique'; readonly data: Buffer };
  /** Of the peer, where we asked for a certificate and got one. */
  readonly peerKey?: PeerKey;
}

/** How a client has shown a certificate. */
export interface CertificateShown {
  readonly ip: string;
  readonly localIp: string;
  readonly tls: Pick<TlsFacts, 'version' | 'cipher'>;
  /** In an earlier handshake that this session goes on from. */
  readonly resumed: boolean;
}

/** The key of the certificate that a client has shown; nothing else of the certificate counts. */
export interface PeerKey {
  /** SHA-256 over the DER of its SubjectPublicKeyInfo, base64url. */
  readonly fingerprint: string;
  /** The session goes on from an earlier handshake: the key was shown then. */
  readonly resumed: boolean;
}

/** A connection, opened by us or to us: a socket, or a pipe in tests. */
export interface Wire {
  readonly stream: Duplex;
  readonly remoteIp: string;
  readonly localIp: string;
  /** Undefined without TLS. */
  readonly tls: TlsFacts | undefined;
  /**
   * Undefined when STARTTLS is not offered here. Octets already read from `stream` behind the
   * command line are handed back as part of the handshake. Afterwards `stream` is dead.
   */
  readonly startTls: ((alreadyRead: Buffer) => Promise<Wire>) | undefined;
  /** Ends at once, whatever is still to be written. */
  destroy(): void;
}

/** Opens connections to others. */
export interface Dialer {
  /** Throws the Fault CannotConnect, or TlsHandshakeFailed; leaves nothing open then. */
  dial(target: DialTarget): Promise<Wire>;
}

export interface DialTarget {
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
  /** `implicit`: TLS from the first octet; `starttls`: when `startTls` of the wire is called. */
  readonly tls: 'none' | 'starttls' | 'implicit';
  readonly trust?: TlsTrust;
  /** What we show of ourselves when the server asks for a certificate. */
  readonly clientKey?: ClientKey;
  /** For connecting, and again for the handshake. */
  readonly timeoutMs: number;
  /** Gives up connecting; of no effect on a wire that is there. */
  readonly signal?: AbortSignal;
}

/** Whom we believe to be the server. */
export interface TlsTrust {
  /** The name in the certificate; the host when absent. */
  readonly serverName?: string;
  /** Certificates in PEM that are trusted instead of those of the system. */
  readonly authorities?: readonly string[];
  /** Any certificate will do: protects from listeners, not from somebody in between. */
  readonly anyCertificate?: boolean;
  /** Decides instead of the usual check: gives the reason when it is not the server we want. */
  readonly judge?: (shown: ServerCertificates) => string | undefined;
}

/** What a server has shown in the handshake, and what the usual check thinks of it. */
export interface ServerCertificates {
  /** DER: that of the server itself, then what it sent along. */
  readonly chain: readonly Buffer[];
  /** Why the usual check fails, `CERT_HAS_EXPIRED`; undefined when it does not. */
  readonly problem: string | undefined;
}

/** A private key and a certificate for it, in PEM. */
export interface ClientKey {
  readonly key: string;
  readonly cert: string;
}
