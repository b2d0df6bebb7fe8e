/**
 * What sendmail is given: the machine that it runs on, as far as mail is concerned.
 */

import type { ClientKey, Clock, Dialer, DialTarget, Log, Random } from '../ports.ts';

/** What sendmail has of the machine that it runs on. */
export interface Submission {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly dialer: Dialer;
  readonly settings: SubmissionSettings;
  /** The message on standard input. Throws when it is longer than allowed. */
  message(bytesMax: number): Promise<Buffer>;
  /** Keeps what was not taken, on the disk when this resolves; gives the name of the file. */
  keep(message: KeptMessage): Promise<string>;
  /** What is kept, the oldest first. */
  kept(): AsyncIterable<{ readonly file: string; readonly message: KeptMessage }>;
  forget(file: string): Promise<void>;
}

/** Where sendmail hands in its mail, and as whom. */
export interface SubmissionSettings {
  /** What we call ourselves. */
  readonly hostName: string;
  readonly host: string;
  readonly port: number;
  readonly tls: DialTarget['tls'];
  readonly anyCertificate: boolean;
  readonly login: string;
  readonly password: string | undefined;
  readonly clientKey: ClientKey | undefined;
  /** Name of the one SASL mechanism that may be used; the strongest when undefined. */
  readonly mechanism: string | undefined;
  readonly from: string;
  /** For recipients without a domain. */
  readonly defaultDestination: string | undefined;
  /** RFC 8689: insist on TLS all the way, or let the mail through without. */
  readonly requireTls: boolean | undefined;
}

/** A message that was not taken, as it came in, and to whom it still has to go. */
export interface KeptMessage {
  readonly octets: Buffer;
  readonly fromName?: string | undefined;
  readonly recipients: readonly string[];
}
