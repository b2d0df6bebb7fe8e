/**
 * A call to try a receiver with: made at once, with an example, and recorded nowhere.
 *
 * Invariant: it looks like the first attempt of webhook 1, whose number no webhook has.
 */

import { Buffer } from 'node:buffer';
import type { OutgoingOccasion, WebhookAnswer } from '#domain/webhook/events';
import type { Instant } from '#domain/values/ids';
import type { HookDirection } from '../ports-webhook.ts';
import { callHook, type HookCall, type HookClientPorts } from './client.ts';
import { incomingPayload } from './payload-incoming.ts';
import { outgoingPayload } from './payload-outgoing.ts';

export function testHook(
  direction: HookDirection,
  target: Pick<HookCall, 'url' | 'authorization'>,
  ports: HookClientPorts,
): Promise<WebhookAnswer> {
  const at = ports.clock.now();
  const example = direction === 'outgoing' ? outgoingExample(at) : incomingExample(at);
  const payload = JSON.stringify(JSON.parse(example), undefined, 2);
  return callHook({ ...target, hookId: 1, attempt: 1, payload }, ports);
}

const DELIVERED: OutgoingOccasion = {
  type: 'outgoing',
  event: 'delivered',
  isDsn: false,
  suppressing: false,
  queueId: 1,
  headerId: '<test@localhost>',
  body: '',
  code: 0,
  enhancedCode: '',
  text: '',
};

function outgoingExample(at: Instant): string {
  return outgoingPayload(DELIVERED, at, Buffer.from('Subject: test\r\n\r\n'));
}

const MESSAGE = [
  'From: <sender@example.org>',
  'To: <recipient@example.org>',
  'Subject: test',
  'Message-ID: <test@localhost>',
  '',
  'This is a test.',
  '',
].join('\r\n');

function incomingExample(receivedAt: Instant): string {
  return incomingPayload(Buffer.from(MESSAGE), {
    messageId: 1,
    mailFrom: 'sender@example.org',
    mailFromValidated: false,
    msgFromValidated: false,
    rcptTo: 'recipient@example.org',
    dkimDomains: [],
    ip: '127.0.0.1',
    receivedAt,
    mailbox: 'Inbox',
  });
}
