/**
 * Every mechanism, strongest first: what a server offers, what a client picks.
 *
 * A new mechanism is one more entry here.
 */

import { needsTls, type ConnectionFacts, type Mechanism } from './mechanism.ts';
import { scramMechanism } from './scram.ts';
import { login, plain } from './simple.ts';

const MECHANISMS: readonly Mechanism[] = [
  scramMechanism('SCRAM-SHA-256-PLUS', 'sha256', true),
  scramMechanism('SCRAM-SHA-256', 'sha256', false),
  plain,
  login,
];

/** The mechanism of a name, in letters of any case. */
export function findMechanism(name: string): Mechanism | undefined {
  const wanted = name.toUpperCase();
  return MECHANISMS.find((mechanism) => mechanism.name === wanted);
}

/**
 * What a server offers on a connection. PLUS stands there without TLS too: a client that is shown
 * less than that knows that somebody took it away (RFC 5802 §6).
 */
export function offeredMechanisms(connection: ConnectionFacts): string[] {
  return MECHANISMS.filter((one) => one.bindsChannel || !needsTls(one, connection)).map(
    (one) => one.name,
  );
}

/** The strongest of the offered mechanisms that the connection allows. */
export function strongestMechanism(
  offered: readonly string[],
  connection: ConnectionFacts,
): Mechanism | undefined {
  const names = new Set(offered.map((name) => name.toUpperCase()));
  return MECHANISMS.find((one) => names.has(one.name) && !needsTls(one, connection));
}
