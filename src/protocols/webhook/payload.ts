/**
 * The body of a call: made when it is needed, from the fact that queued the webhook and from what
 * the message says.
 */

import { Buffer } from 'node:buffer';
import type { Webhook } from '#domain/webhook/state';
import type { IncomingOccasion } from '#domain/webhook/events';
import type { AccountId } from '#domain/values/ids';
import type { Bodies } from '../ports.ts';
import { incomingPayload } from './payload-incoming.ts';
import { outgoingPayload } from './payload-outgoing.ts';

type ReadBodies = Pick<Bodies, 'read' | 'header'>;

/** The same octets each time, as long as the message is there. Throws a Fault of the disk. */
export function payloadOf(
  accountId: AccountId,
  { occasion, queuedAt }: Pick<Webhook, 'occasion' | 'queuedAt'>,
  bodies: ReadBodies,
): string {
  return occasion.type === 'outgoing'
    ? outgoingPayload(occasion, queuedAt, bodies.header(accountId, occasion.body))
    : payloadOfArrival(accountId, occasion, bodies);
}

function payloadOfArrival(
  accountId: AccountId,
  { messageId, mailbox, arrival, receivedAt, body, prefix }: IncomingOccasion,
  bodies: ReadBodies,
): string {
  const octets = bodies.read(accountId, body);
  // Of a message that is gone there is still to tell that it came.
  const message = Buffer.concat([Buffer.from(prefix), octets ?? Buffer.from('\r\n')]);
  return incomingPayload(message, {
    messageId,
    mailFrom: arrival.mailFrom,
    rcptTo: arrival.rcptTo,
    ip: arrival.ip,
    receivedAt,
    mailbox,
    // Nobody looks yet at who really sent mail: nothing is proven.
    mailFromValidated: false,
    msgFromValidated: false,
    dkimDomains: [],
  });
}
