/**
 * Mail from our users is signed for the domain in its From, with every key that the domain has.
 *
 * Invariants: what is signed is what is sent: the fields that we add, then the header and the body
 * as they are stored. Diagnostics: where it cannot be signed the mail goes without, and the log
 * says so.
 */

import { Buffer } from 'node:buffer';
import { Fault } from '#domain/values/fault';
import type { AccountId, BodyHash } from '#domain/values/ids';
import { signMessage } from '../trust/dkim.ts';
import type { Session } from './session.ts';

interface Unsigned {
  /** Of From, A-labels. */
  readonly domain: string;
  /** Fields of ours that stand above the header. */
  readonly added: string;
  /** The header as it is stored, with its empty line, one character per octet. */
  readonly travelling: string;
  /** That header and what follows it. */
  readonly body: BodyHash;
}

/** The fields to put above all that is signed; '' where nothing signs. */
export async function signaturesOf(
  { ports, receipt }: Session,
  accountId: AccountId,
  { domain, added, travelling, body }: Unsigned,
): Promise<string> {
  try {
    const selectors = await ports.signing.signingKeys(domain);
    if (selectors.length === 0) return '';
    const bodyStart = Buffer.byteLength(travelling, 'latin1');
    return await signMessage({
      selectors,
      domain,
      header: Buffer.from(added, 'utf8').toString('latin1') + travelling,
      bodyOctets: ports.bodies.stream(accountId, body, bodyStart),
      at: ports.clock.now(),
    });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    ports.log.error({ receipt, domain, err: error }, 'message not signed');
    return '';
  }
}
