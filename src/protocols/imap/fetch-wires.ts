/**
 * FETCH items that the views answer with a text: it is read for many messages at once and copied.
 *
 * RFC 9051 §7.5.2; RFC 8474 §5 (EMAILID, THREADID)
 */

import type { Uid } from '#domain/values/ids';
import type { UidSet } from '#domain/values/uid-set';
import type { MessageWire } from '#projections/account-views';
import { emailObjectId, threadObjectId } from './object-ids.ts';
import type { Session } from './session.ts';
import type { FetchItem } from './words.ts';

const WIRE_ITEMS = {
  ENVELOPE: 'envelope',
  BODY: 'body',
  BODYSTRUCTURE: 'bodyStructure',
  EMAILID: 'email',
  THREADID: 'thread',
} as const;

type WireName = keyof typeof WIRE_ITEMS;
export type WireFetchItem = FetchItem & { readonly type: WireName };
export type Wires = ReadonlyMap<WireName, readonly MessageWire[]>;

export function isWireItem(item: FetchItem): item is WireFetchItem {
  return Object.hasOwn(WIRE_ITEMS, item.type);
}

/** The texts of a chunk of messages, item by item, in the order of the messages. */
export function wiresOf(items: readonly FetchItem[], chunk: UidSet, session: Session): Wires {
  const wires = new Map<WireName, readonly MessageWire[]>();
  for (const item of items) {
    if (isWireItem(item)) wires.set(item.type, textsOf(item.type, chunk, session));
  }
  return wires;
}

function textsOf(name: WireName, chunk: UidSet, session: Session): readonly MessageWire[] {
  const { views } = session.account;
  const { mailboxId } = session.mailbox;
  const item = WIRE_ITEMS[name];
  if (item !== 'email' && item !== 'thread') return views.wire(mailboxId, chunk, item);
  const idOf = item === 'email' ? emailObjectId : threadObjectId;
  return views
    .identities(mailboxId, chunk)
    .map((identity) => ({ uid: identity.uid, text: `(${idOf(identity)})` }));
}

/** The text of the message that is the `index`-th of its chunk. */
export function wireTextOf(
  wires: readonly MessageWire[] | undefined,
  index: number,
  uid: Uid,
): string {
  const wire = wires?.[index];
  if (wire?.uid === uid) return wire.text;
  // A message without facts, or one that went between the two reads.
  return wires?.find((each) => each.uid === uid)?.text ?? 'NIL';
}
