/**
 * Random commands about outgoing mail and suppressed addresses, drawn from numbers as in
 * `arbitrary.ts`: about items that are in the queue or were, in an attempt or not.
 */

import type { Draw } from './arbitrary.ts';
import { notice, REFUSAL, REPLY, SUBMISSION } from './queued.ts';
import type { AccountCommand } from '#domain/account';
import type { AccountRecords } from '#domain/account-state';
import type { AttemptOutcome } from '#domain/queue/attempts';
import type { QueueMessage } from '#domain/queue/enqueue';
import type { AttemptReply } from '#domain/queue/events';
import type { ReceivedBounce, SentReference } from '#domain/queue/state';
import type { QueueId } from '#domain/values/ids';

const RECIPIENTS = [
  'a@example.org',
  'A.b+c@example.org',
  'b-x@example.org',
  'c@held.example',
  'd@other.example',
];
const REPLIES: readonly AttemptReply[] = [
  REPLY,
  REFUSAL,
  { code: 0, enhancedCode: '', text: 'no answer' },
  { code: 554, enhancedCode: '5.0.0', text: 'no' },
];
const ACTIONS = ['failed', 'delayed', 'delivered', 'unrecognized'] as const;

function recipientAt(n: number): string {
  return RECIPIENTS[n % RECIPIENTS.length] ?? 'a@example.org';
}

/** Ids of items, in an attempt or not, as the draw says; sometimes of none, and one twice. */
function idsIn(state: AccountRecords, draw: Draw, inAttempt?: boolean): readonly QueueId[] {
  const items = [...state.queueRecords.items.values()].filter(
    (item) => inAttempt === undefined || item.inAttempt === inAttempt,
  );
  const ids = items.filter((_, i) => (draw.bits >> (i % 20)) & 1).map(({ queueId }) => queueId);
  return draw.a % 7 === 0 ? [...ids, ...ids.slice(0, 1), 1] : ids;
}

export function queueCommandOf(draw: Draw, state: AccountRecords): AccountCommand {
  const kind = draw.kind % 40;
  if (kind < 8) return queueing(draw);
  if (kind < 16) {
    return {
      type: 'StartAttempt',
      queueIds: idsIn(state, draw, draw.b % 9 === 0 ? undefined : false),
      nextAttemptAt: 1_000_000_000 + draw.c * 6_000,
      transport: '',
    };
  }
  if (kind < 27) return finishing(draw, state);
  return managing(draw, state);
}

function queueing(draw: Draw): QueueMessage {
  const recipients = Array.from({ length: 1 + (draw.a % 3) }, (_, i) => recipientAt(draw.b + i));
  const id = `k${draw.c % 5}`;
  const fromId = { id, mailFrom: `daybook+${id}@localhost` };
  return {
    type: 'QueueMessage',
    recipients: [...new Set(recipients)].map((recipient, i) => ({
      recipient,
      ...(draw.c % 3 === 0 && i === 0 ? { fromId } : {}),
    })),
    ...SUBMISSION,
    sizeBytes: 1 + draw.a,
    headerId: `<${draw.c % 4}@localhost>`,
    options: {
      ...(draw.bits % 2 === 0 ? { attemptsMax: 2, envelopeId: `e${draw.c % 3}` } : {}),
      ...(draw.bits % 5 === 0 ? { report: 'tls' as const } : {}),
    },
  };
}

function finishing(draw: Draw, state: AccountRecords): AccountCommand {
  const open = state.openAttempts();
  const item = open[draw.a % Math.max(1, open.length)];
  return {
    type: 'FinishAttempt',
    queueId: item?.queueId ?? 1,
    attempt: (item?.attempts ?? 1) + (draw.b % 11 === 0 ? 1 : 0),
    attemptsMax: 3,
    outcome: outcomeOf(draw),
  };
}

function outcomeOf(draw: Draw): AttemptOutcome {
  const reply = REPLIES[draw.c % REPLIES.length] ?? REPLY;
  const remote = { host: 'mx.example.org', ip: `192.0.2.${draw.b % 4}` };
  const notices = { failed: notice(), delayed: notice('none') };
  switch (draw.bits % 5) {
    case 0:
      return { type: 'delivered', reply: { ...reply, code: 250 }, remote };
    case 1:
      return { type: 'suppressed', notices };
    case 2:
      return { type: 'failed', reply, permanent: true, notices, dialed: [remote] };
    default:
      return { type: 'failed', reply, permanent: false, remote, dialed: [remote, remote] };
  }
}

function managing(draw: Draw, state: AccountRecords): AccountCommand {
  const queueIds = idsIn(state, draw);
  switch (draw.kind % 13) {
    case 0:
      return { type: 'HoldMessages', queueIds, ...(draw.c % 2 === 0 ? { ruleId: 1 } : {}) };
    case 1:
    case 2:
      return { type: 'ReleaseMessages', queueIds };
    case 3: {
      const to = draw.c % 2 === 0 ? { at: 1_000_000_000 } : { byMs: (draw.b - 500) * 1_000 };
      return { type: 'RescheduleMessages', queueIds, to };
    }
    case 4:
      return { type: 'ForceTransport', queueIds, transport: draw.c % 2 === 0 ? 'smarthost' : '' };
    case 5: {
      const requireTls = [true, false, null][draw.c % 3] ?? null;
      return { type: 'SetTlsRequirement', queueIds, requireTls };
    }
    case 6:
      return { type: 'FailMessage', queueId: queueIds[0] ?? 1, notice: notice() };
    case 7:
      return { type: 'DropMessages', queueIds };
    case 8:
      return { type: 'CloseInterruptedAttempts' };
    case 9:
      return { type: 'ForgetRetired' };
    case 10:
      return { type: 'SuppressAddress', address: recipientAt(draw.b), reason: 'asked for' };
    case 11:
      return { type: 'UnsuppressAddress', address: recipientAt(draw.b) };
    default:
      return { ...notice(), bounce: bounceOf(draw) };
  }
}

function bounceOf(draw: Draw): ReceivedBounce {
  const recipient = recipientAt(draw.a);
  const references: readonly SentReference[] = [
    { type: 'from-id', fromId: `k${draw.b % 5}` },
    { type: 'envelope-id', envelopeId: `e${draw.b % 3}`, recipient },
    { type: 'header-id', headerId: `<${draw.b % 4}@localhost>`, recipient },
  ];
  return {
    references: references.slice(draw.c % 3),
    isDsn: draw.bits % 2 === 0,
    action: ACTIONS[draw.c % ACTIONS.length] ?? 'failed',
    reply: REPLIES[draw.a % REPLIES.length] ?? REPLY,
  };
}
