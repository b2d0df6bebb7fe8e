/**
 * What the command line is given: a terminal, and ways to open the server or its data. The command
 * line never builds these itself, so it stays below the root of the program.
 */

import type { Duplex } from 'node:stream';
import type { RecordedEvent } from '#domain/log/event';
import type { Submission } from './submission.ts';

export interface Terminal {
  /** Results, one line each, to standard output; octets as they stand. */
  out(line: string | Uint8Array): void;
  /** Progress and errors, to standard error. */
  err(line: string): void;
  /** All of standard input, up to a bound. */
  input(): Promise<string>;
  /** A secret: typed without being shown, or the first line of standard input. */
  password(prompt: string): Promise<string>;
  /** Resolves when somebody asks the program to end (SIGINT, SIGTERM, a lost parent). */
  stopAsked(): Promise<void>;
}

export interface ServerOptions {
  /** Where configuration and data live. */
  readonly dir: string;
  readonly logLevel?: string;
}

export interface LocalServerOptions extends ServerOptions {
  /** The loopback address to listen on; absent: those of the configuration. */
  readonly ip?: string;
  /** Apply the limits per address that a public server has. */
  readonly limits: boolean;
}

export interface Listening {
  readonly service: 'smtp' | 'submission' | 'submissions' | 'imap' | 'imaps' | 'metrics';
  readonly host: string;
  readonly port: number;
  readonly tls: 'none' | 'starttls' | 'implicit';
}

export interface RunningServer {
  readonly listening: readonly Listening[];
  /** Finishes what runs, within seconds, and closes everything. */
  stop(): Promise<void>;
}

/** Views of an account, of the server, or the full-text index of an account. */
export type RebuiltAccount = {
  readonly account: string;
  readonly milliseconds: number;
} & ({ readonly events: number } | { readonly texts: number });

/** Every mailbox of an account has a new UIDVALIDITY. */
export interface RenumberedAccount {
  readonly account: string;
  readonly mailboxes: number;
}

export interface Finding {
  /** What was looked at: the log, a body, a view. */
  readonly where: string;
  readonly what: string;
}

export interface TailOptions {
  readonly account?: number;
  readonly type?: string;
  /** Begin after this position; absent: with the events to come. */
  readonly after?: number;
  readonly follow: boolean;
}

export interface BackupRequest {
  readonly target: string;
  /** A backup that this one needs and does not repeat. */
  readonly since?: string;
  /** No server may run meanwhile. */
  readonly offline: boolean;
  readonly withKeys: boolean;
  /** Called again and again while it is made; what it throws ends it. */
  readonly goOn: () => Promise<void>;
  readonly note: (text: string) => void;
  /** Hears what a person should know. */
  readonly warn: (sentence: string) => void;
}

export type RestorePoint =
  | { readonly type: 'position'; readonly position: number }
  | { readonly type: 'time'; readonly time: number };

export interface RestoreRequest {
  /** The folder of the new server. */
  readonly target: string;
  /** Where backups are that this one needs, if not where they were. */
  readonly priors: readonly string[];
  /** Leave out what came later. */
  readonly at?: RestorePoint;
  /** Add nothing to the log. */
  readonly exact: boolean;
  readonly note: (text: string) => void;
}

export interface RestoredServer {
  /** Of the last event that came from the backup. */
  readonly position: number;
  readonly bodies: number;
  /** What a person has to do before the server can start, a sentence each. */
  readonly toDo: readonly string[];
}

/** The data directory without a server on it. */
export interface Store {
  rebuild(): AsyncIterable<RebuiltAccount>;
  /** Gives mailboxes of one account, or of all, new UIDVALIDITYs; makes their views anew. */
  renumber(account: string | undefined): AsyncIterable<RenumberedAccount>;
  /** Everything that is wrong; nothing when all is well. `note` tells what was looked at. */
  verify(note: (text: string) => void): AsyncIterable<Finding>;
  close(): Promise<void>;
}

export interface Openers {
  /** Makes what is missing of configuration, keys and the first account. True when new. */
  prepareLocal(options: LocalServerOptions): Promise<boolean>;
  openLocalServer(options: LocalServerOptions): Promise<RunningServer>;
  /** Mail goes out to the world, and comes from there. */
  openWorldServer(options: ServerOptions): Promise<RunningServer>;
  /** Throws when a server runs on the directory. */
  openStore(dir: string): Promise<Store>;
  /** Makes a backup, or continues one; gives what should be in it and is nowhere. */
  backup(dir: string, request: BackupRequest): Promise<readonly string[]>;
  restore(backup: string, request: RestoreRequest): Promise<RestoredServer>;
  /** Everything that is wrong with a backup; `priors` as in RestoreRequest. */
  verifyBackup(
    backup: string,
    priors: readonly string[],
    note: (text: string) => void,
  ): AsyncIterable<Finding>;
  /** Events in the order of the log; works beside a running server. Ends with `signal`. */
  tailLog(dir: string, options: TailOptions, signal: AbortSignal): AsyncIterable<RecordedEvent>;
  /** A connection to the server that runs on the folder. Throws, naming the socket, without one. */
  openControl(dir: string): Promise<Duplex>;
  /** What sendmail works with; throws when its file (a usual one when absent) cannot be used. */
  openSubmission(file: string | undefined): Promise<Submission>;
  /** Where localserve keeps its data when nobody says otherwise. */
  defaultDir(): string;
  version(): string;
}
