/**
 * Ids that outlive names and UIDs, as clients see them. A letter tells the kinds apart.
 *
 * RFC 8474 §4.1, §7: 1–255 characters of a small alphabet, never reused.
 */

import type { MailboxId } from '#domain/values/ids';
import type { MessageIdentity } from '#projections/listing-reads';

export function mailboxObjectId(mailboxId: MailboxId): string {
  return `F${mailboxId}`;
}

/** The content: that of the body, and of what was put in front of it on arrival. */
export function emailObjectId({
  body,
  arrival,
}: Pick<MessageIdentity, 'body' | 'arrival'>): string {
  return arrival === 0 ? `M${body}` : `M${body}-${arrival}`;
}

/** What `emailObjectId` was made of; undefined when no message can have that id. */
export function contentOfObjectId(
  id: string,
): Pick<MessageIdentity, 'body' | 'arrival'> | undefined {
  const match = /^M([0-9a-f]{64})(?:-([1-9][0-9]{0,14}))?$/.exec(id);
  return match === null ? undefined : { body: match[1] ?? '', arrival: Number(match[2] ?? 0) };
}

export function threadObjectId({ thread }: Pick<MessageIdentity, 'thread'>): string {
  return `T${thread}`;
}

/** What `threadObjectId` was made of; undefined when no message can have that id. */
export function threadOfObjectId(id: string): string | undefined {
  return id.startsWith('T') ? id.slice(1) : undefined;
}
