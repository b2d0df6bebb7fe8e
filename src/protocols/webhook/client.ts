/**
 * One webhook call: a POST with what receivers need to know it again, and what came of it.
 *
 * Invariants: only 200 is a success, since other codes may come from somebody who did not take it;
 * redirects are followed only where they ask for the same request again, and the Authorization
 * goes to nobody but the origin that it was set for. Diagnostics: whatever goes wrong is a sentence
 * in the answer. RFC 9110 §15.3.1 (200), §15.4.8 (307), §15.4.9 (308), RFC 6454 §4 (origin).
 */

import { Buffer } from 'node:buffer';
import { HOOK_RESPONSE_OCTETS_MAX, keptAnswer } from '#domain/webhook/answer';
import type { WebhookAnswer } from '#domain/webhook/events';
import { HOOK_CALL_MS, HOOK_REDIRECTS_MAX } from '../limits.ts';
import type { Clock } from '../ports.ts';
import type { HttpPost, Posted } from '../ports-webhook.ts';

export interface HookCall {
  readonly url: string;
  /** The text of the Authorization field, where there is one. */
  readonly authorization?: string | undefined;
  /** The same for all attempts of a webhook. */
  readonly hookId: number;
  /** Counted from 1. */
  readonly attempt: number;
  /** JSON. */
  readonly payload: string;
}

export interface HookClientPorts {
  readonly http: HttpPost;
  readonly clock: Clock;
  readonly version: string;
}

type PostedAnswer = Extract<Posted, { readonly type: 'answer' }>;

const TAKEN = 200;

/** Never throws for what receivers do; `stop` ends it at once. */
export async function callHook(
  call: HookCall,
  ports: HookClientPorts,
  stop?: AbortSignal,
): Promise<WebhookAnswer> {
  const startAt = ports.clock.now();
  const told = await tell(call, ports, startAt + HOOK_CALL_MS, stop);
  return keptAnswer({ ...told, durationMs: Math.max(ports.clock.now() - startAt, 0) });
}

type Told = Omit<WebhookAnswer, 'durationMs'>;

async function tell(
  call: HookCall,
  { http, clock, version }: HookClientPorts,
  deadlineAt: number,
  signal: AbortSignal | undefined,
): Promise<Told> {
  const body = Buffer.from(call.payload);
  const origin = httpUrl(call.url)?.origin;
  let target = call.url;
  for (let redirects = 0; ; redirects++) {
    const url = httpUrl(target);
    if (url === undefined) return unanswered(`${shown(target)} is no URL of http or https.`);
    const headers = headersOf(call, version, url.origin === origin);
    if (headers === undefined) return unanswered('The Authorization cannot stand in a header.');
    const timeoutMs = Math.max(deadlineAt - clock.now(), 0);
    // One more tells whether the last character is whole.
    const answerBytesMax = HOOK_RESPONSE_OCTETS_MAX + 1;
    const posted = await http.post({ url, headers, body, answerBytesMax, timeoutMs, signal });
    if (posted.type === 'failed') return unanswered(posted.text);
    if (!redirectsPost(posted)) return answered(posted);
    if (redirects === HOOK_REDIRECTS_MAX) {
      return { ...answered(posted), error: `There were more than ${redirects} redirects.` };
    }
    target = URL.parse(posted.location, url)?.href ?? posted.location;
  }
}

/** RFC 9110 §15.4: the other redirects may turn a POST into a GET, which tells nobody anything. */
function redirectsPost({ status, location }: PostedAnswer): boolean {
  return (status === 307 || status === 308) && location !== '';
}

function httpUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined;
}

/** Undefined when the Authorization would end its line, or is not of octets. */
function headersOf(
  { authorization = '', hookId, attempt }: HookCall,
  version: string,
  isOwnOrigin: boolean,
): Readonly<Record<string, string>> | undefined {
  // RFC 9110 §5.5
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(authorization)) return undefined;
  return {
    'Content-Type': 'application/json; charset=utf-8',
    'User-Agent': `daybook/${version} (webhook)`,
    'X-Mox-Webhook-ID': String(hookId),
    'X-Mox-Webhook-Attempt': String(attempt),
    ...(authorization === '' || !isOwnOrigin ? {} : { Authorization: authorization }),
  };
}

function answered({ status, reason, body }: PostedAnswer): Told {
  const name = shown(reason);
  return {
    code: status,
    error: status === TAKEN ? '' : `http status "${`${status} ${name}`.trim()}", expected 200`,
    response: body.toString('utf8'),
  };
}

function unanswered(error: string): Told {
  return { code: 0, error, response: '' };
}

/** What a receiver wrote, fit for a sentence. */
function shown(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200);
}
