/**
 * Attempts to log in, as protocols tell of them.
 */

import type { AttemptedLogin, LoginAttempts } from '#protocols/ports';

export interface NotedAttempts extends LoginAttempts {
  readonly noted: readonly AttemptedLogin[];
}

/** Keeps what it is told. */
export function notedAttempts(): NotedAttempts {
  const noted: AttemptedLogin[] = [];
  return { noted, record: (attempt) => void noted.push(attempt) };
}
