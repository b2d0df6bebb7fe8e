/**
 * An account as administrators get it, under the names of its settings.
 *
 * Invariant: of an Authorization nobody learns more than that there is one.
 */

import type { WebhookTarget } from '#domain/webhook/events';
import type { AdministeredAccount } from '../ports-admin.ts';
import { formatDuration } from './quantities.ts';

export interface ShownWebhook {
  readonly URL: string;
  /** There is one. */
  readonly Authorization: boolean;
}

export interface ShownOutgoingWebhook extends ShownWebhook {
  /** Empty for all. */
  readonly Events: readonly string[];
}

/** An account, in the words of its settings, as it goes over the control socket. */
export interface ShownAccount {
  readonly Account: string;
  /** Octets; 0 for no limit. */
  readonly QuotaMessageSize: number;
  readonly UsedMessageSize: number;
  readonly QueueMessageSize: number;
  /** 0 for no limit. */
  readonly MaxOutgoingMessagesPerDay: number;
  readonly MaxFirstTimeRecipientsPerDay: number;
  readonly KeepRetiredMessagePeriod: string;
  readonly KeepRetiredWebhookPeriod: string;
  readonly FromIDLoginAddresses: readonly string[];
  readonly HiddenCapabilities: readonly string[];
  /** Null where nobody is called. */
  readonly OutgoingWebhook: ShownOutgoingWebhook | null;
  readonly IncomingWebhook: ShownWebhook | null;
}

export function accountShown({ name, settings, usedBytes }: AdministeredAccount): ShownAccount {
  const { outgoingWebhook, incomingWebhook } = settings;
  return {
    Account: name,
    QuotaMessageSize: settings.quotaBytes,
    UsedMessageSize: usedBytes,
    QueueMessageSize: settings.queueBytesMax,
    MaxOutgoingMessagesPerDay: settings.recipientsPerDayMax,
    MaxFirstTimeRecipientsPerDay: settings.newRecipientsPerDayMax,
    KeepRetiredMessagePeriod: formatDuration(settings.keepRetiredMs),
    KeepRetiredWebhookPeriod: formatDuration(settings.keepRetiredHooksMs),
    FromIDLoginAddresses: settings.fromIdLogins,
    HiddenCapabilities: settings.hiddenCapabilities,
    OutgoingWebhook: outgoingWebhook && {
      ...shownWebhook(outgoingWebhook),
      Events: outgoingWebhook.events,
    },
    IncomingWebhook: incomingWebhook && shownWebhook(incomingWebhook),
  };
}

function shownWebhook({ url, authorization }: WebhookTarget): ShownWebhook {
  return { URL: url, Authorization: authorization !== undefined };
}
