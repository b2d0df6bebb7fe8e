/**
 * The body of a call: made when it is needed, from the fact that queued the webhook and from what
 * the message says.
 */

import { Buffer } from 'node:buffer';
import type { Webhook } from '#domain/webhook/state';
import type { IncomingOccasion } from '#domain/webhook/events';
import type { AccountId } from '#domain/values/ids';
import type { Bodies } from '../ports.ts';
import type { MessageReader } from '../ports-reading.ts';
import { incomingPayload, type IncomingMail } from './payload-incoming.ts';
import { outgoingPayload } from './payload-outgoing.ts';

/** What payloads are made of. */
export interface PayloadPorts {
  readonly bodies: Pick<Bodies, 'header'>;
  readonly reader: MessageReader;
}

/** The same octets each time, as long as the message is there. Throws a Fault of the disk. */
export async function payloadOf(
  accountId: AccountId,
  { occasion, queuedAt }: Pick<Webhook, 'occasion' | 'queuedAt'>,
  { bodies, reader }: PayloadPorts,
): Promise<string> {
  if (occasion.type === 'outgoing') {
    return outgoingPayload(occasion, queuedAt, bodies.header(accountId, occasion.body));
  }
  const mail = mailOf(occasion);
  const payload = await reader.read(accountId, occasion, { type: 'payload', mail });
  // Of a message that is gone there is still to tell that it came.
  return payload ?? incomingPayload(Buffer.from(`${occasion.prefix}\r\n`), mail);
}

function mailOf({ messageId, mailbox, arrival, receivedAt }: IncomingOccasion): IncomingMail {
  return {
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
  };
}
