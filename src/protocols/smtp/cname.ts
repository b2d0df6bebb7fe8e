/**
 * Follows CNAME records step by step, because of each step it must be known whether it is proven.
 *
 * RFC 1034 §3.6.2 (CNAME), RFC 7672 §2.2.2 and §2.2.3 (why each step counts).
 */

import type { Resolver } from '../ports-remote.ts';

export type Followed =
  | {
      readonly type: 'name';
      /** Where they lead: the name itself when there is none. */
      readonly name: string;
      /** DNSSEC has proven every step. */
      readonly authentic: boolean;
      /** DNSSEC has proven the first step. */
      readonly firstAuthentic: boolean;
    }
  | { readonly type: 'failed'; readonly circle: boolean; readonly text: string };

export async function followCnames(
  name: string,
  how: {
    readonly resolver: Resolver;
    readonly stepsMax: number;
    readonly signal: AbortSignal | undefined;
  },
): Promise<Followed> {
  const seen = new Set([name]);
  let at = name;
  let authentic = true;
  let firstAuthentic = true;
  for (;;) {
    const answer = await how.resolver.lookup('CNAME', at, how.signal);
    if (answer.type === 'failed') {
      return {
        type: 'failed',
        circle: false,
        text: 'DNS does not tell now whether it has a CNAME record.',
      };
    }
    const next = answer.type === 'found' ? answer.records[0] : undefined;
    // Whether the name at the end exists, the next question tells.
    if (next === undefined) return { type: 'name', name: at, authentic, firstAuthentic };
    authentic &&= answer.authentic;
    if (seen.size === 1) firstAuthentic = answer.authentic;
    if (seen.has(next))
      return { type: 'failed', circle: true, text: 'The CNAME records lead in a circle.' };
    seen.add(next);
    if (seen.size > how.stepsMax + 1) {
      return { type: 'failed', circle: true, text: 'There are too many CNAME records.' };
    }
    at = next;
  }
}
