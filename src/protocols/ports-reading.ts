/**
 * Reading a message from beginning to end, which takes the longer the larger it is: whoever wants
 * to know something that only all of it can tell asks here, and nobody else waits meanwhile.
 */

import type { AccountId, BodyHash } from '#domain/values/ids';
import type { FoundBinary, PartExtent, Span } from './message/section.ts';
import type { WantedText } from './message/text.ts';
import type { IncomingMail } from './webhook/payload-incoming.ts';

/** A message of an account, as its reader sees it. */
export interface WholeMessage {
  readonly body: BodyHash;
  /** What was put before the body here. */
  readonly prefix: string;
  /** Of both. */
  readonly sizeBytes: number;
}

/** What somebody wants to know of a message. */
export type Reading =
  | { readonly type: 'payload'; readonly mail: IncomingMail }
  | { readonly type: 'extents' }
  | {
      readonly type: 'binary';
      readonly part: readonly number[];
      /** What of the part is wanted, if not all of it. */
      readonly range: Span | undefined;
    }
  | { readonly type: 'texts'; readonly wanted: readonly WantedText[] };

export interface ReadingAnswers {
  /** The body of a webhook call about it. */
  readonly payload: string;
  readonly extents: PartExtent;
  readonly binary: FoundBinary;
  /** Which of the texts it has. */
  readonly texts: readonly boolean[];
}

/** Finds out what is wanted of the octets of a message. */
export type ReadMessage = (message: Buffer, wanted: Reading) => ReadingAnswers[Reading['type']];

export interface MessageReader {
  /** Undefined when the body is gone. */
  read<Type extends Reading['type']>(
    accountId: AccountId,
    message: WholeMessage,
    wanted: Extract<Reading, { readonly type: Type }>,
  ): Promise<ReadingAnswers[Type] | undefined>;
}
