/**
 * Every mechanism, strongest first: what a server offers, what a client picks.
 *
 * A new mechanism is one more entry here.
 */

import { cramMd5 } from './cram-md5.ts';
import { external } from './external.ts';
import { hasKey, needsTls, type ConnectionFacts, type Mechanism } from './mechanism.ts';
import { scramMechanism } from './scram.ts';
import { login, plain } from './simple.ts';

const MECHANISMS: readonly Mechanism[] = [
  external,
  scramMechanism('SCRAM-SHA-256-PLUS', 'sha256', true),
  scramMechanism('SCRAM-SHA-256', 'sha256', false),
  scramMechanism('SCRAM-SHA-1-PLUS', 'sha1', true),
  scramMechanism('SCRAM-SHA-1', 'sha1', false),
  cramMd5,
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
  return MECHANISMS.filter((one) =>
    one.usesKey ? hasKey(connection) : one.bindsChannel || !needsTls(one, connection),
  ).map((one) => one.name);
}

/** The strongest of the offered mechanisms that the connection allows; EXTERNAL with a key. */
export function strongestMechanism(
  offered: readonly string[],
  connection: ConnectionFacts,
): Mechanism | undefined {
  const names = new Set(offered.map((name) => name.toUpperCase()));
  return MECHANISMS.find(
    (one) =>
      names.has(one.name) && !needsTls(one, connection) && (!one.usesKey || hasKey(connection)),
  );
}
