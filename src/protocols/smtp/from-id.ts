/**
 * A reverse-path for each recipient: `alice+<id>@example.org`. What comes back to it is about that
 * recipient's copy and about nothing else.
 *
 * Invariants: an id that we make cannot be guessed, and survives servers that fold localparts to
 * lower case; the localpart stays within the 64 octets that every server takes (RFC 5321
 * §4.5.3.1.1), else the reverse-path stays as it is.
 */

import type { QueuedRecipient } from '#domain/queue/enqueue';
import type { SentReference } from '#domain/queue/state';
import { formatAddress, splitLocalpart, type Address } from '#domain/values/address';
import { utf8Length } from '#domain/values/text';
import type { Random } from '../ports.ts';

const ID_BYTES = 16;
const ID_CHARS = 26;
const LOCALPART_BYTES_MAX = 64;
/** RFC 4648 §6, in lower case. */
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** 26 characters of base32. */
export function newFromId(random: Random): string {
  // 16 octets are 128 bits, 26 characters stand for 130.
  let rest = BigInt(`0x${random.bytes(ID_BYTES).toString('hex')}`) << 2n;
  let id = '';
  for (let i = 0; i < ID_CHARS; i++) {
    id = (BASE32[Number(rest & 31n)] as string) + id;
    rest >>= 5n;
  }
  return id;
}

/**
 * Recipients with the ids that `mailFrom` asks for: `alice@` gets one for each of them, `alice+id@`
 * has brought its own, `alice+@` wants none. Undefined when one id would be for several.
 */
export function withFromIds(
  mailFrom: Address,
  separators: string,
  recipients: readonly string[],
  random: Random,
): readonly QueuedRecipient[] | undefined {
  const { base, tag } = splitLocalpart(mailFrom.localpart, separators);
  if (tag === undefined) {
    return recipients.map((recipient) => {
      const id = newFromId(random);
      const localpart = `${base}${separators[0] ?? ''}${id}`;
      if (!canBeTagged(mailFrom, separators, localpart)) return { recipient };
      return { recipient, fromId: { id, mailFrom: formatAddress({ ...mailFrom, localpart }) } };
    });
  }
  if (tag === '') return recipients.map((recipient) => ({ recipient }));
  if (recipients.length > 1) return undefined;
  const fromId = { id: tag, mailFrom: formatAddress(mailFrom) };
  return recipients.map((recipient) => ({ recipient, fromId }));
}

function canBeTagged({ localpart }: Address, separators: string, tagged: string): boolean {
  return localpart !== '' && separators !== '' && utf8Length(tagged) <= LOCALPART_BYTES_MAX;
}

/** What mail to the address may be about, if it came back to such a reverse-path. */
export function fromIdReferences(
  { localpart }: Address,
  separators: string,
): readonly SentReference[] {
  const { tag = '' } = splitLocalpart(localpart, separators);
  if (tag === '') return [];
  // Ids that we made are in lower case, whatever became of them on the way.
  const ids = new Set([tag, tag.toLowerCase()]);
  return [...ids].map((fromId) => ({ type: 'from-id', fromId }));
}
