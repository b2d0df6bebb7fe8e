/**
 * HTTP and HTTPS requests that hand something over, to receivers that somebody here has named.
 *
 * Invariants: certificates must be valid for the host; no redirect is followed; time, header and
 * what is read of an answer are bounded. Connections are kept for the next request for a few
 * seconds. RFC 9110 §9.3.3 (POST), RFC 9112 §9.3.1 (a kept connection that ends meanwhile).
 */

import {
  Agent as HttpAgent,
  request as requestHttp,
  type ClientRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { Clock } from '#protocols/ports';
import type { HttpPost, Posted, PostRequest } from '#protocols/ports-webhook';

export interface HttpPostOptions {
  readonly clock: Clock;
  /** Certificates in PEM that are trusted instead of those of the system. */
  readonly authorities?: readonly string[];
}

export interface OpenHttpPost extends HttpPost {
  /** Ends connections that were kept. */
  close(): void;
}

const HEADER_BYTES_MAX = 16 * 1024;
/** Connections to one host that wait for the next request, and for how long. */
const KEPT_PER_HOST = 2;
const KEPT_MS = 5_000;

interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

export function openHttpPost({ clock, authorities }: HttpPostOptions): OpenHttpPost {
  const kept = { keepAlive: true, maxFreeSockets: KEPT_PER_HOST, timeout: KEPT_MS };
  const trust = authorities === undefined ? {} : { ca: [...authorities] };
  const agents: Agents = {
    http: new HttpAgent(kept),
    https: new HttpsAgent({ ...kept, ...trust, minVersion: 'TLSv1.2' }),
  };
  return {
    async post(wanted) {
      if (wanted.signal?.aborted === true) return failed('cancelled', CANCELLED);
      const exchange = new Exchange(wanted, agents);
      const cancelTimer = clock.after(wanted.timeoutMs, () =>
        exchange.giveUp('timeout', 'It took too long.'),
      );
      const onAbort = (): void => exchange.giveUp('cancelled', CANCELLED);
      wanted.signal?.addEventListener('abort', onAbort, { once: true });
      const posted = await exchange.ended;
      cancelTimer();
      wanted.signal?.removeEventListener('abort', onAbort);
      return posted;
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

/** One request and its answer. A status that came stays, whatever becomes of what is behind it. */
class Exchange {
  readonly ended: Promise<Posted>;
  readonly #settle: (posted: Posted) => void;
  readonly #wanted: PostRequest;
  readonly #agents: Agents;
  #asking: ClientRequest;
  #answer: IncomingMessage | undefined;
  readonly #pieces: Buffer[] = [];
  #bytes = 0;
  #isOver = false;

  constructor(wanted: PostRequest, agents: Agents) {
    const { promise, resolve } = Promise.withResolvers<Posted>();
    this.ended = promise;
    this.#settle = resolve;
    this.#wanted = wanted;
    this.#agents = agents;
    this.#asking = this.#ask(KEPT_PER_HOST);
  }

  giveUp(why: Failure, text: string): void {
    this.#end(this.#answer === undefined ? failed(why, text) : this.#answered(this.#answer));
  }

  #ask(retries: number): ClientRequest {
    const { url, headers, body } = this.#wanted;
    const isTls = url.protocol === 'https:';
    const asking = (isTls ? requestHttps : requestHttp)({
      agent: isTls ? this.#agents.https : this.#agents.http,
      method: 'POST',
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      ...(url.port === '' ? {} : { port: url.port }),
      path: `${url.pathname}${url.search}`,
      headers,
      maxHeaderSize: HEADER_BYTES_MAX,
    });
    asking.on('error', (error) => {
      // RFC 9112 §9.3.1: the receiver may end a kept connection just when we use it again.
      const isStale = asking.reusedSocket && 'code' in error && error.code === 'ECONNRESET';
      if (isStale && retries > 0 && !this.#isOver && this.#answer === undefined) {
        this.#asking = this.#ask(retries - 1);
      } else {
        this.giveUp('unreachable', sentenceOf(error));
      }
    });
    asking.on('response', (answer) => this.#gather(answer));
    // RFC 9110 §15.2.2: who switches protocols gives no answer, and that is no error here.
    asking.on('close', () => {
      const isAsked = asking === this.#asking && this.#answer === undefined;
      if (isAsked) this.giveUp('unreachable', 'There was no answer.');
    });
    asking.end(body);
    return asking;
  }

  #gather(answer: IncomingMessage): void {
    this.#answer = answer;
    answer.on('error', (error) => this.giveUp('unreachable', sentenceOf(error)));
    answer.on('data', (piece: Buffer) => {
      this.#pieces.push(piece);
      this.#bytes += piece.length;
      if (this.#bytes > this.#wanted.answerBytesMax) this.#end(this.#answered(answer));
    });
    // The connection is free for the next request: it stays.
    answer.on('end', () => this.#settle(this.#answered(answer)));
  }

  #answered({ statusCode = 0, statusMessage = '', headers }: IncomingMessage): Posted {
    return {
      type: 'answer',
      status: statusCode,
      reason: statusMessage,
      location: headers.location ?? '',
      body: Buffer.concat(this.#pieces).subarray(0, this.#wanted.answerBytesMax),
    };
  }

  #end(posted: Posted): void {
    this.#isOver = true;
    this.#settle(posted);
    this.#asking.destroy();
  }
}

const CANCELLED = 'It was cancelled.';

type Failure = Extract<Posted, { readonly type: 'failed' }>['why'];

function failed(why: Failure, text: string): Posted {
  return { type: 'failed', why, text };
}

/** Of several addresses that were tried in vain, what went wrong with each; always one line. */
function sentenceOf(error: Error): string {
  if (!(error instanceof AggregateError)) return error.message.replaceAll(/\s+/g, ' ').trim();
  return error.errors.map((each) => (each instanceof Error ? each.message : '')).join('; ');
}
