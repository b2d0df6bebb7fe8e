/**
 * Samples of what is recorded about outgoing mail, and of what applications are told.
 */

import { BODY, type SamplesOf } from './sample-kinds.ts';
import type { QueueEvent } from '#domain/queue/events';
import type { SuppressionEvent } from '#domain/suppression/events';
import type { WebhookEvent, WebhookTarget } from '#domain/webhook/events';

const QUEUE_ID = 4_294_967_297;

const ATTEMPT = {
  queueId: QUEUE_ID,
  attempt: 1,
  code: 451,
  enhancedCode: '4.3.0',
  text: 'Please try again later',
  remote: { host: 'mx.example.org', ip: '192.0.2.25' },
  dialed: [{ host: 'mx.example.org', ip: '192.0.2.25' }],
} as const;

const HOOK_ID = 4_294_967_298;

export const HOOK_TARGET: Required<WebhookTarget> = {
  url: 'https://app.example.org/mail',
  authorization: '4b3c6f0e-0000-4000-8000-000000000000',
};

export const OUTGOING_SAMPLES: SamplesOf<QueueEvent | SuppressionEvent | WebhookEvent> = {
  MessageQueued: {
    type: 'MessageQueued',
    items: [
      {
        queueId: QUEUE_ID,
        recipient: 'friend@example.org',
        fromId: { id: 'k3v4', mailFrom: 'daybook+k3v4@localhost' },
        heldBy: 1,
      },
    ],
    baseId: QUEUE_ID,
    mailFrom: 'daybook@localhost',
    body: BODY,
    prefix: 'Received: from client.example.org\r\n',
    sizeBytes: 4096,
    headerId: '<1@client.example.org>',
    smtpUtf8: false,
    eightBit: true,
    nextAttemptAt: 1_767_225_600_000,
    transport: 'smarthost',
    requireTls: true,
    futureRelease: 'for;60',
    attemptsMax: 5,
    report: 'dmarc',
    extra: { order: '17' },
    envelopeId: 'Qx7w',
  },
  MessagesHeld: { type: 'MessagesHeld', queueIds: [QUEUE_ID], ruleId: 1 },
  MessagesReleased: { type: 'MessagesReleased', queueIds: [QUEUE_ID] },
  MessagesRescheduled: {
    type: 'MessagesRescheduled',
    items: [{ queueId: QUEUE_ID, nextAttemptAt: 1_767_229_200_000 }],
  },
  TransportForced: { type: 'TransportForced', queueIds: [QUEUE_ID], transport: 'smarthost' },
  TlsRequirementSet: { type: 'TlsRequirementSet', queueIds: [QUEUE_ID], requireTls: false },
  AttemptStarted: {
    type: 'AttemptStarted',
    queueIds: [QUEUE_ID],
    attempt: 1,
    nextAttemptAt: 1_767_226_050_000,
    transport: 'smarthost',
  },
  AttemptSucceeded: { type: 'AttemptSucceeded', ...ATTEMPT },
  AttemptFailed: {
    type: 'AttemptFailed',
    ...ATTEMPT,
    permanent: false,
    mayBeTaken: true,
    nextAttemptAt: 1_767_226_050_000,
  },
  AttemptInterrupted: { type: 'AttemptInterrupted', queueId: QUEUE_ID, attempt: 1 },
  CancelRequested: { type: 'CancelRequested', queueIds: [QUEUE_ID], how: 'drop' },
  DeliveryCanceled: { type: 'DeliveryCanceled', queueId: QUEUE_ID, how: 'fail' },
  MessageRetired: {
    type: 'MessageRetired',
    queueId: QUEUE_ID,
    outcome: 'delivered',
    keepUntil: 1_767_484_800_000,
  },
  BounceRelated: {
    type: 'BounceRelated',
    queueId: QUEUE_ID,
    action: 'failed',
    isDsn: true,
    mayBeForged: true,
    code: 550,
    enhancedCode: '5.1.1',
    text: 'No such user',
    messageId: 42,
  },
  RetiredForgotten: { type: 'RetiredForgotten', upTo: 1_767_484_800_000 },
  AddressSuppressed: {
    type: 'AddressSuppressed',
    baseAddress: 'friend@example.org',
    address: 'Friend+shop@example.org',
    reason: 'delivery failure from queue with smtp code 550, enhanced code "1.1"',
    manual: false,
    queueId: QUEUE_ID,
  },
  AddressUnsuppressed: { type: 'AddressUnsuppressed', baseAddress: 'friend@example.org' },
  WebhookQueued: {
    type: 'WebhookQueued',
    hookId: HOOK_ID,
    ...HOOK_TARGET,
    occasion: {
      type: 'outgoing',
      event: 'failed',
      isDsn: true,
      mayBeForged: true,
      suppressing: true,
      code: 550,
      enhancedCode: '5.1.1',
      text: 'No such user here',
      queueId: QUEUE_ID,
      fromId: 'k3jv7a5mz2qf6xw4td',
      headerId: '<1.abc@localhost>',
      extra: { Order: '4711' },
      body: BODY,
    },
  },
  WebhookAttemptStarted: {
    type: 'WebhookAttemptStarted',
    hookId: HOOK_ID,
    attempt: 1,
    nextAttemptAt: 1_767_225_660_000,
  },
  WebhookAttemptEnded: {
    type: 'WebhookAttemptEnded',
    hookId: HOOK_ID,
    attempt: 1,
    success: false,
    code: 503,
    error: 'The server answered 503, not 200.',
    response: 'busy',
    durationMs: 12,
  },
  WebhookAttemptInterrupted: { type: 'WebhookAttemptInterrupted', hookId: HOOK_ID, attempt: 1 },
  WebhooksRescheduled: {
    type: 'WebhooksRescheduled',
    hooks: [{ hookId: HOOK_ID, nextAttemptAt: 1_767_225_660_000 }],
  },
  WebhookRetired: {
    type: 'WebhookRetired',
    hookId: HOOK_ID,
    outcome: 'superseded',
    supersededBy: 4_294_967_299,
    keepUntil: 1_767_484_800_000,
  },
};
