/**
 * Who wrote to an alias, and whether that is proven: members only may write to some, and senders
 * need no copy.
 *
 * Invariants: the proof is a signature of ours: mail that was handed in here bears one, and its
 * From was checked then. A From that several accounts may use is a member's when all of them are
 * members. Where the domain signs nobody misses a message because others wrote it in their name.
 */

import type { Buffer } from 'node:buffer';
import type { Address } from '#domain/values/address';
import type { AccountId } from '#domain/values/ids';
import { readHeader } from '../message/header.ts';
import { OwnSignatures } from '../trust/own-signatures.ts';
import type { Head } from './incoming.ts';
import { fromOf } from './message-from.ts';
import type { Recipient, Session, Transaction } from './session.ts';
import { isMembersOnly } from './targets.ts';

/** What the header says; others may have written it. */
export interface ClaimedSender {
  /** Accounts that may send as the address in From. */
  readonly fromAccounts: readonly AccountId[];
  /** The accounts that From and the reverse-path name, where it is one each. */
  readonly named: readonly AccountId[];
  /** What these send bears a signature. */
  readonly canProve: boolean;
  /** Undefined when there is nothing to prove. */
  readonly proof: OwnSignatures | undefined;
}

/** What is known when the body has passed. */
export interface KnownSender {
  /** Accounts that need no copy of what they have sent. */
  readonly accounts: readonly AccountId[];
  /** Accounts of which one has sent it for sure; empty when nobody can say. */
  readonly provenAs: readonly AccountId[];
}

const ANYBODY: ClaimedSender = {
  fromAccounts: [],
  named: [],
  canProve: false,
  proof: undefined,
};

export function claimedSender(
  { ports: { directory, signing, clock } }: Session,
  { mailFrom, recipients }: Transaction,
  { octets, complete }: Head,
): ClaimedSender {
  if (!recipients.values().some(({ target }) => target.type === 'alias')) return ANYBODY;
  const header = readHeader(octets.toString('latin1'));
  const from = fromOf(header);
  const accountsAs = ({ localpart, domain }: Address): readonly AccountId[] =>
    directory.sendersAs(localpart, domain);
  const fromAccounts = from === undefined ? [] : accountsAs(from);
  // As an alias any member may have sent it.
  const named = [fromAccounts, accountsAs(mailFrom)].filter(({ length }) => length === 1).flat();
  const isFromOurs = from !== undefined && fromAccounts.length > 0;
  if (!isFromOurs && named.length === 0) return ANYBODY;
  const { domain } = isFromOurs ? from : mailFrom;
  const selectors = signing.provingKeys(domain);
  const proof =
    isFromOurs && complete
      ? new OwnSignatures(header, { domain, selectors }, clock.now())
      : undefined;
  return { fromAccounts, named, canProve: selectors.some(({ signs }) => signs), proof };
}

/** The message as it passes, seen by the proof; `headerBytes` of it are its header. */
export function watched(
  { proof }: ClaimedSender,
  octets: AsyncGenerator<Buffer>,
  headerBytes: number,
): AsyncGenerator<Buffer> {
  return proof === undefined ? octets : proof.watching(octets, headerBytes);
}

/** To be called once, when the body has passed. */
export async function knownSender(claimed: ClaimedSender): Promise<KnownSender> {
  const { fromAccounts, named, canProve, proof } = claimed;
  if (proof !== undefined && (await proof.areRight())) {
    // The reverse-path may be one that somebody else has sent the message again with.
    const accounts = named.filter((accountId) => fromAccounts.includes(accountId));
    return { accounts, provenAs: fromAccounts };
  }
  return { accounts: canProve ? [] : named, provenAs: [] };
}

/** True when one of the recipients is an alias to which the sender may not write. */
export function isClosedTo({ provenAs }: KnownSender, recipients: readonly Recipient[]): boolean {
  return recipients.some(({ target }) => {
    if (target.type !== 'alias' || !isMembersOnly(target)) return false;
    const members = new Set(target.members.map(({ accountId }) => accountId));
    return provenAs.length === 0 || !provenAs.every((accountId) => members.has(accountId));
  });
}
