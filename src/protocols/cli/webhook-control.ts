/**
 * What the running server does to webhooks when the command line asks it to.
 *
 * Diagnostics: a filter that nobody understands, or one that is empty where everything would be
 * changed, is refused by a sentence that names the field.
 */

import type { Instant } from '#domain/values/ids';
import type { ToldEvent } from '#projections/server-webhooks';
import type { EndedSort, WaitingSort } from '#projections/list-pages';
import type { RetiredWebhookFilter, WebhookFilter } from '#projections/webhook-lists';
import { isOutgoingEvent } from '#domain/webhook/target';
import type { Clock } from '../ports.ts';
import type { ByAccountName } from '../ports-queue.ts';
import type { AdministeredWebhooks, WebhookChange } from '../ports-webhook.ts';
import { payloadOf, type PayloadPorts } from '../webhook/payload.ts';
import { ControlError, type ControlCommands } from './control.ts';
import { CAUSE, granted } from './control-answers.ts';
import { commandsOf, type CommandTable, type ControlFields } from './control-fields.ts';
import {
  FIRST,
  readIds,
  readOnlyId,
  readPage,
  readRescheduling,
  readSelection,
  readTimeBound,
  wrongField,
  type ChangedCount,
} from './control-lists.ts';
import {
  pendingHookRecord,
  retiredHookRecord,
  type PendingHookRecord,
  type RetiredHookRecord,
  type WithPayload,
} from './webhook-records.ts';

export interface WebhookControlParts extends PayloadPorts {
  readonly webhooks: AdministeredWebhooks;
  readonly clock: Clock;
}

type Table = CommandTable<WebhookControlParts>;

const COMMANDS: Table = {
  'queue.webhook.list': (fields, { webhooks, clock }): readonly PendingHookRecord[] => {
    const page = readPage(fields, PENDING_SORTS);
    const filter = readPendingFilter(fields, clock.now());
    fields.end();
    return granted(webhooks.pending(filter, page)).map(pendingHookRecord);
  },
  'queue.webhook.print': async (fields, parts): Promise<PendingHookRecord & WithPayload> => {
    const hookId = readOnlyId(fields);
    const [hook] = granted(parts.webhooks.pending({ hookIds: [hookId] }, FIRST));
    if (hook === undefined) {
      throw new ControlError('NoSuchWebhook', `No such webhook waits: ${hookId}`);
    }
    return { ...pendingHookRecord(hook), Payload: await payloadOf(hook.accountId, hook, parts) };
  },
  'queue.webhook.schedule': changing((fields, now) => ({
    type: 'reschedule',
    to: readRescheduling(fields, now),
  })),
  'queue.webhook.cancel': changing(() => ({ type: 'cancel' })),
  'queue.webhook.retired.list': (fields, { webhooks, clock }): readonly RetiredHookRecord[] => {
    const page = readPage(fields, RETIRED_SORTS);
    const filter = readRetiredFilter(fields, clock.now());
    fields.end();
    return granted(webhooks.retired(filter, page)).map(retiredHookRecord);
  },
  'queue.webhook.retired.print': async (
    fields,
    parts,
  ): Promise<RetiredHookRecord & WithPayload> => {
    const hookId = readOnlyId(fields);
    const [hook] = granted(parts.webhooks.retired({ hookIds: [hookId] }, FIRST));
    if (hook === undefined) {
      throw new ControlError('NoSuchWebhook', `No such webhook is remembered: ${hookId}`);
    }
    return { ...retiredHookRecord(hook), Payload: await payloadOf(hook.accountId, hook, parts) };
  },
};

export function webhookCommands(parts: WebhookControlParts): ControlCommands {
  return commandsOf(COMMANDS, parts);
}

/** A change of whatever fits; of everything only when that is said. */
function changing(read: (fields: ControlFields, now: Instant) => WebhookChange): Table[string] {
  return async (fields, { webhooks, clock }): Promise<ChangedCount> => {
    const now = clock.now();
    const change = read(fields, now);
    const { filter, limit } = readSelection(fields, now, readPendingFilter, 'webhooks');
    return { affected: granted(await webhooks.change(filter, limit, change, CAUSE)) };
  };
}

function readPendingFilter(fields: ControlFields, now: Instant): ByAccountName<WebhookFilter> {
  const nextAttempt = readTimeBound(fields, 'nextAttempt', now);
  return {
    ...readCommonFilter(fields, now),
    ...(nextAttempt === undefined ? {} : { nextAttempt }),
  };
}

function readRetiredFilter(
  fields: ControlFields,
  now: Instant,
): ByAccountName<RetiredWebhookFilter> {
  const lastActivity = readTimeBound(fields, 'lastActivity', now);
  return {
    ...readCommonFilter(fields, now),
    ...(lastActivity === undefined ? {} : { lastActivity }),
  };
}

type Common = ByAccountName<Omit<WebhookFilter, 'nextAttempt'>>;

function readCommonFilter(fields: ControlFields, now: Instant): Common {
  const hookIds = readIds(fields);
  const account = fields.optionalText('account');
  const queued = readTimeBound(fields, 'submitted', now);
  const event = readEvent(fields);
  return {
    ...(hookIds === undefined ? {} : { hookIds }),
    ...(account === undefined ? {} : { account }),
    ...(queued === undefined ? {} : { queued }),
    ...(event === undefined ? {} : { event }),
  };
}

function readEvent(fields: ControlFields): ToldEvent | undefined {
  const event = fields.optionalText('event');
  if (event === undefined || event === '') return undefined;
  if (event === 'incoming' || isOutgoingEvent(event)) return event;
  throw wrongField('event', 'incoming, or an event of mail that was sent');
}

const PENDING_SORTS: Readonly<Record<string, WaitingSort>> = {
  nextattempt: 'nextAttempt',
  queued: 'queued',
  submitted: 'queued',
  '': 'nextAttempt',
};
const RETIRED_SORTS: Readonly<Record<string, EndedSort>> = {
  lastactivity: 'lastActivity',
  queued: 'queued',
  submitted: 'queued',
  '': 'lastActivity',
};
