/**
 * Routes: by which transport an item goes, asked anew for every attempt.
 *
 * Invariants: the first route that matches decides, routes of the account before those of the
 * sender's domain before those of the server; without one, mail is delivered directly.
 */

export interface Route {
  /** Domains of senders, A-labels; empty for any. */
  readonly fromDomain: readonly string[];
  /** Domains of recipients, A-labels; empty for any. */
  readonly toDomain: readonly string[];
  /** Attempts that must have been made before. */
  readonly minimumAttempts: number;
  /** Its name. */
  readonly transport: string;
}

/** What routes look at. Domains as in `Route`; '' for the null reverse-path and for addresses. */
export interface Routed {
  readonly fromDomain: string;
  readonly toDomain: string;
  /** Made so far. */
  readonly attempts: number;
}

/** The transport of the first route that matches; undefined is direct delivery. */
export function transportByRoute(
  lists: readonly (readonly Route[])[],
  routed: Routed,
): string | undefined {
  for (const routes of lists) {
    const route = routes.find((one) => matches(one, routed));
    if (route !== undefined) return route.transport;
  }
  return undefined;
}

function matches(route: Route, { fromDomain, toDomain, attempts }: Routed): boolean {
  return (
    attempts >= route.minimumAttempts &&
    isAmong(fromDomain, route.fromDomain) &&
    isAmong(toDomain, route.toDomain)
  );
}

/** A pattern is a domain; with a leading dot, also every domain below it. */
function isAmong(domain: string, patterns: readonly string[]): boolean {
  if (patterns.length === 0) return true;
  return patterns.some((pattern) => {
    if (!pattern.startsWith('.')) return domain === pattern;
    const above = pattern.slice(1);
    // A lone dot is above nothing but itself.
    return domain === above || (above !== '' && domain.endsWith(pattern));
  });
}
