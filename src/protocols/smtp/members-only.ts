/**
 * Aliases that only their members may write to: who a message is from, and whether that is proven.
 *
 * Invariants: a member is whoever may send as the address in From, and proves it with a signature
 * of ours: mail that was handed in here bears one, and its From was checked then. A From that
 * several accounts may use is a member's when all of them are members.
 */

import type { Buffer } from 'node:buffer';
import type { Address } from '#domain/values/address';
import type { AccountId } from '#domain/values/ids';
import { readHeader } from '../message/header.ts';
import { OwnSignatures } from '../trust/own-signatures.ts';
import type { Head } from './incoming.ts';
import { fromOf } from './message-from.ts';
import type { Recipient, Session, Transaction } from './session.ts';

/** What is known of the sender when the header is there. */
export interface Sender {
  /** Accounts that From or the reverse-path names; others may have written it. */
  readonly accounts: readonly AccountId[];
  /** Accounts that may send as the address in From. */
  readonly fromAccounts: readonly AccountId[];
  /** Undefined when nobody has to prove anything. */
  readonly proof: OwnSignatures | undefined;
}

const ANYBODY: Sender = { accounts: [], fromAccounts: [], proof: undefined };

export async function senderOf(
  { ports }: Session,
  { mailFrom, recipients }: Transaction,
  { octets, complete }: Head,
): Promise<Sender> {
  const aliases = [...recipients.values()].filter(({ target }) => target.type === 'alias');
  if (aliases.length === 0) return ANYBODY;
  const { directory, signing, clock } = ports;
  const header = readHeader(octets.toString('latin1'));
  const from = fromOf(header);
  const accountsAs = ({ localpart, domain }: Address): readonly AccountId[] =>
    directory.sendersAs(localpart, domain);
  const fromAccounts = from === undefined ? [] : accountsAs(from);
  // As an alias any member may have sent it.
  const accounts = [fromAccounts, accountsAs(mailFrom)].filter(({ length }) => length === 1).flat();
  const mustProve = aliases.some(isMembersOnly);
  if (from === undefined || fromAccounts.length === 0 || !mustProve || !complete) {
    return { accounts, fromAccounts, proof: undefined };
  }
  const { domain } = from;
  const selectors = await signing.signingKeys(domain);
  const proof = new OwnSignatures(header, { domain, selectors }, clock.now());
  return { accounts, fromAccounts, proof };
}

function isMembersOnly({ target }: Recipient): boolean {
  return target.type === 'alias' && !target.postPublic;
}

/** The message as it passes, seen by the proof; `headerBytes` of it are its header. */
export function watched(
  { proof }: Sender,
  octets: AsyncGenerator<Buffer>,
  headerBytes: number,
): AsyncGenerator<Buffer> {
  return proof === undefined ? octets : proof.watching(octets, headerBytes);
}

/** How many recipients the sender may not write to; to be called when the body has passed. */
export async function closedRecipients(
  { proof, fromAccounts }: Sender,
  { recipients }: Transaction,
): Promise<number> {
  const closed = [...recipients.values()].filter(isMembersOnly);
  if (closed.length === 0) return 0;
  if (proof === undefined || !(await proof.areRight())) return closed.length;
  return closed.filter(({ target }) => {
    const members = target.type === 'alias' ? target.members : [];
    const isMember = (account: AccountId): boolean =>
      members.some(({ accountId }) => accountId === account);
    return !fromAccounts.every(isMember);
  }).length;
}
