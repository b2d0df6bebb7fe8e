/**
 * What webhooks need from the world. Ports like those of `ports.ts`.
 */

import type { Buffer } from 'node:buffer';

/** HTTP to receivers of webhooks. */
export interface HttpPost {
  /** One request; a redirect is an answer like others. Never throws for what receivers do. */
  post(request: PostRequest): Promise<Posted>;
}

export interface PostRequest {
  /** http or https. */
  readonly url: URL;
  /** Besides Host and Content-Length. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** How much of the answer is wanted; the rest is not read. */
  readonly answerBytesMax: number;
  /** For everything together. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export type Posted =
  | {
      readonly type: 'answer';
      readonly status: number;
      /** What the receiver calls the status; may be ''. */
      readonly reason: string;
      /** As it stands in the header; '' when there is none. */
      readonly location: string;
      readonly body: Buffer;
    }
  | {
      readonly type: 'failed';
      readonly why: 'unreachable' | 'timeout' | 'cancelled';
      readonly text: string;
    };
