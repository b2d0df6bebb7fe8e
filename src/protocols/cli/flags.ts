/**
 * What the flags of each command say, once they are read.
 */

import type { RestorePoint } from './openers.ts';

export interface LocalserveFlags {
  readonly dir: string;
  readonly ip?: string;
  readonly initOnly: boolean;
  readonly limits: boolean;
  readonly logLevel?: string;
}

export interface ServeFlags {
  readonly dir: string;
  readonly logLevel?: string;
}

export interface DataFlags {
  readonly dir: string;
  readonly json: boolean;
}

export interface VerifyFlags extends DataFlags {
  /** A backup instead of the data. */
  readonly backup?: string;
  readonly prior?: readonly string[];
}

export interface BackupFlags {
  readonly dir: string;
  readonly since?: string;
  readonly offline: boolean;
  readonly withKeys: boolean;
  readonly verbose: boolean;
}

export interface RestoreFlags {
  readonly at?: RestorePoint | undefined;
  readonly prior?: readonly string[];
  readonly exact: boolean;
  readonly verbose: boolean;
}

export interface TailFlags extends DataFlags {
  readonly account?: number;
  readonly type?: string;
  readonly after?: number;
  readonly follow: boolean;
}

/** Of commands that ask the running server. */
export interface RunningFlags {
  readonly dir: string;
  readonly json: boolean;
}

export interface AttemptFlags extends RunningFlags {
  readonly account?: string;
  readonly failed: boolean;
  readonly limit?: number;
}

export interface TlsResultFlags extends RunningFlags {
  readonly domain?: string;
  readonly day?: string;
  readonly limit?: number;
}

/** Sizes in octets, times in milliseconds. */
export interface AccountSetFlags extends RunningFlags {
  readonly quota?: number;
  readonly queueLimit?: number;
  readonly dailyRecipients?: number;
  readonly dailyNewRecipients?: number;
  readonly keepRetired?: number;
  readonly keepRetiredWebhooks?: number;
  readonly hideCapability?: readonly string[];
  readonly fromIdLogin?: readonly string[];
}

export interface WebhookSetFlags extends RunningFlags {
  readonly url?: string;
  /** True: it stands on standard input. False: there is to be none. */
  readonly authorization?: boolean;
  readonly events?: readonly string[];
}

export interface KeyAddFlags extends RunningFlags {
  readonly name?: string;
  readonly imapPreauth: boolean;
}

export interface KeyChangeFlags extends RunningFlags {
  readonly name?: string;
  readonly login?: string;
  readonly imapPreauth?: boolean;
}

/** RFC 1122 §3.2.1.3: 127/8 never leaves the machine; the known password is for nobody else. */
export function isLoopbackAddress(text: string): boolean {
  return text === '::1' || /^127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(text);
}
