/**
 * Follows aliases in DNS step by step, because of each step it must be known whether it is proven.
 *
 * RFC 1034 §3.6.2 (aliases), RFC 7672 §2.2.2 and §2.2.3 (why each step counts).
 */

import type { Resolver } from '../ports-remote.ts';

export type Followed =
  | {
      readonly type: 'name';
      /** Where the aliases end: the name itself when there is none. */
      readonly name: string;
      /** DNSSEC has proven every step. */
      readonly authentic: boolean;
      /** DNSSEC has proven the first step. */
      readonly firstAuthentic: boolean;
    }
  | { readonly type: 'failed'; readonly circle: boolean; readonly text: string };

export async function followAliases(
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
        text: 'DNS does not tell now whether it is an alias.',
      };
    }
    const next = answer.type === 'found' ? answer.records[0] : undefined;
    // Whether the name at the end exists, the next question tells.
    if (next === undefined) return { type: 'name', name: at, authentic, firstAuthentic };
    authentic &&= answer.authentic;
    if (seen.size === 1) firstAuthentic = answer.authentic;
    if (seen.has(next))
      return { type: 'failed', circle: true, text: 'The aliases lead in a circle.' };
    seen.add(next);
    if (seen.size > how.stepsMax + 1) {
      return { type: 'failed', circle: true, text: 'There are too many aliases.' };
    }
    at = next;
  }
}
