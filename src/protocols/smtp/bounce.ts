/**
 * What mail that comes in says about mail that went out: as an answer to the reverse-path of one
 * recipient, or as a report about a delivery.
 *
 * Invariants: the mail is delivered whatever stands here; what only a next hop could know counts
 * more than what every reader of the message knows. Whose mail it is about, the account decides.
 * RFC 3464, RFC 3461 §6.3 (Original-Envelope-ID).
 */

import { Buffer } from 'node:buffer';
import { domainToASCII } from 'node:url';
import type { AttemptReply, BounceAction } from '#domain/queue/events';
import type { ReceivedBounce, SentReference } from '#domain/queue/state';
import { formatAddress, parseAddress, type Address } from '#domain/values/address';
import type { MessageFacts } from '#domain/values/facts';
import type { AccountId, BodyHash } from '#domain/values/ids';
import { REPORT_BYTES_MAX } from '../limits.ts';
import {
  readDeliveryReport,
  type DeliveryReport,
  type ReportedRecipient,
} from '../message/dsn-read.ts';
import type { Bodies, Directory } from '../ports.ts';
import { fromIdReferences } from './from-id.ts';

/** How a structure shows that a part, or the whole, is a report about a delivery. */
const REPORT = /"(?:global-)?delivery-status"/i;
const TEXT_CHARS_MAX = 1000;

/** The report that a body is; undefined for any other mail. */
export async function reportIn(
  bodies: Pick<Bodies, 'stream'>,
  accountId: AccountId,
  body: BodyHash,
  facts: Pick<MessageFacts, 'bodyStructure'> | undefined,
): Promise<DeliveryReport | undefined> {
  if (facts === undefined || !REPORT.test(facts.bodyStructure)) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  // What is said stands in front of the message that comes back.
  for await (const chunk of bodies.stream(accountId, body)) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes >= REPORT_BYTES_MAX) break;
  }
  return readDeliveryReport(Buffer.concat(chunks).subarray(0, REPORT_BYTES_MAX));
}

/** Undefined when the mail names nothing that could have been sent. */
export function bounceOf(
  rcptTo: Address,
  report: DeliveryReport | undefined,
  directory: Pick<Directory, 'separatorsOf'>,
): ReceivedBounce | undefined {
  const byFromId = fromIdReferences(rcptTo, directory.separatorsOf(rcptTo.domain));
  const { recipients = [] } = report ?? {};
  const [recipient, ...more] = recipients;
  if (report === undefined || recipient === undefined || more.length > 0) {
    if (byFromId.length === 0) return undefined;
    return {
      references: byFromId,
      isDsn: report !== undefined,
      action: 'unrecognized',
      reply: withoutReply(
        report === undefined
          ? 'incoming message not a dsn'
          : `incoming dsn has ${recipients.length} recipients, expecting 1`,
      ),
    };
  }
  const references = [...byFromId, ...reportReferences(report, recipient)];
  if (references.length === 0) return undefined;
  const { action = 'unrecognized' } = recipient;
  return { references, isDsn: true, action, reply: replyIn(recipient, action) };
}

function withoutReply(text: string): AttemptReply {
  return { code: 0, enhancedCode: '', text };
}

/** What a report says that has no answer of a server in it. */
const REPORTED: Readonly<Record<BounceAction, string>> = {
  failed: 'the remote reported a failure without saying why',
  delayed: 'the remote reported a delay without saying why',
  delivered: 'the remote reported the delivery',
  relayed: 'the remote passed the message on',
  expanded: 'the remote passed the message on to several',
  unrecognized: 'the remote reported nothing that is known',
};

function replyIn(
  { code, enhancedCode, diagnostic, status }: ReportedRecipient,
  action: BounceAction,
): AttemptReply {
  const reported = status === '' ? REPORTED[action] : `${REPORTED[action]} (${status})`;
  const text = diagnostic === '' ? reported : diagnostic.slice(0, TEXT_CHARS_MAX);
  return { code, enhancedCode, text };
}

/** In the order of trust: every recipient knows the Message-ID, only next hops the envelope's. */
function reportReferences(
  { envelopeId, originalId: headerId }: DeliveryReport,
  { originalRecipient, finalRecipient }: ReportedRecipient,
): readonly SentReference[] {
  const found = [originalRecipient, finalRecipient]
    .map((text) => parseAddress(text, domainToASCII))
    .filter((address) => address !== undefined);
  const recipients = [...new Set(found.map(formatAddress))];
  return [
    ...(envelopeId === '' ? [] : recipients).map((recipient): SentReference => ({
      type: 'envelope-id',
      envelopeId,
      recipient,
    })),
    ...(headerId === '' ? [] : recipients).map((recipient): SentReference => ({
      type: 'header-id',
      headerId,
      recipient,
    })),
  ];
}
