/**
 * Ids that outlive names and UIDs, as clients see them. A letter tells the kinds apart.
 *
 * RFC 8474 §4.1, §7: 1–255 characters of a small alphabet, never reused.
 */

import type { MailboxId } from '#domain/values/ids';

export function mailboxObjectId(mailboxId: MailboxId): string {
  return `F${mailboxId}`;
}
