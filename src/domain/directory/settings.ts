/**
 * What is set for an account, and what a decision about the account has to know of it.
 *
 * Settings are the administrator's decisions: they stand in the stream `directory`, and a decision
 * of an account sees them as they are when it is made.
 */

import type { IncomingWebhook, OutgoingWebhook } from '../webhook/target.ts';
import type { HoldRule } from './hold-rules.ts';

export interface AccountSettings {
  /** Octets that all messages together may have; 0 for as many as there is room for. */
  readonly quotaBytes: number;
  /** Octets that may wait in the queue, a message counted once per recipient; 0 for no limit. */
  readonly queueBytesMax: number;
  /** Recipients of all messages in 24 hours; 0 for no limit. */
  readonly recipientsPerDayMax: number;
  /** Of these, addresses that were never written to before; 0 for no limit. */
  readonly newRecipientsPerDayMax: number;
  /** IMAP capabilities, in upper case, that the account's clients neither see nor enable. */
  readonly hiddenCapabilities: readonly string[];
  /** How long mail that left the queue is remembered; 0 for not at all. */
  readonly keepRetiredMs: number;
  /** Login addresses whose mail gets a MAIL FROM of its own for each recipient. */
  readonly fromIdLogins: readonly string[];
  /** Whom to tell what became of mail that was sent; null for nobody. */
  readonly outgoingWebhook: OutgoingWebhook | null;
  /** Whom to tell of mail that comes in; null for nobody. */
  readonly incomingWebhook: IncomingWebhook | null;
  /** How long webhooks are remembered that are done with; 0 for not at all. */
  readonly keepRetiredHooksMs: number;
}

export const DEFAULT_SETTINGS: AccountSettings = {
  quotaBytes: 0,
  queueBytesMax: 0,
  recipientsPerDayMax: 1000,
  newRecipientsPerDayMax: 200,
  hiddenCapabilities: [],
  keepRetiredMs: 0,
  fromIdLogins: [],
  outgoingWebhook: null,
  incomingWebhook: null,
  keepRetiredHooksMs: 0,
};

export interface AccountPolicy {
  readonly settings: AccountSettings;
  /** Of the whole server; those of other accounts match nothing here. */
  readonly holdRules: readonly HoldRule[];
  /** The account is being removed, or was: nothing new begins. */
  readonly isClosed: boolean;
}

export const DEFAULT_POLICY: AccountPolicy = {
  settings: DEFAULT_SETTINGS,
  holdRules: [],
  isClosed: false,
};

/** The settings that are really others; a list is compared item by item. */
export function changedSettings(
  settings: AccountSettings,
  changes: Partial<AccountSettings>,
): Partial<AccountSettings> {
  const changed = Object.entries(changes).filter(
    ([name, value]) =>
      JSON.stringify(settings[name as keyof AccountSettings]) !== JSON.stringify(value),
  );
  return Object.fromEntries(changed);
}
