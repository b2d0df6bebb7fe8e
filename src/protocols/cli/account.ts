/**
 * `config account`: what is set for an account, asked of the running server.
 */

import type { ShownAccount } from './account-record.ts';
import type { AccountSetFlags, RunningFlags } from './flags.ts';
import { askServer, type Tools } from './tools.ts';

export async function showAccount(
  account: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  const shown = await askServer('account.show', flags, tools, { account });
  tellAccount(shown as ShownAccount, flags, tools);
}

export async function setAccount(
  account: string,
  flags: AccountSetFlags,
  tools: Tools,
): Promise<void> {
  const { quota, queueLimit, keepRetired, hideCapability, fromIdLogin } = flags;
  const { dailyRecipients, dailyNewRecipients, keepRetiredWebhooks } = flags;
  const changes = {
    ...(quota === undefined ? {} : { quotaBytes: quota }),
    ...(queueLimit === undefined ? {} : { queueBytesMax: queueLimit }),
    ...(dailyRecipients === undefined ? {} : { recipientsPerDayMax: dailyRecipients }),
    ...(dailyNewRecipients === undefined ? {} : { newRecipientsPerDayMax: dailyNewRecipients }),
    ...(keepRetired === undefined ? {} : { keepRetiredMs: keepRetired }),
    ...(keepRetiredWebhooks === undefined ? {} : { keepRetiredHooksMs: keepRetiredWebhooks }),
    ...(fromIdLogin === undefined ? {} : { fromIdLogins: namesIn(fromIdLogin) }),
    ...(hideCapability === undefined ? {} : { hiddenCapabilities: namesIn(hideCapability) }),
  };
  if (Object.keys(changes).length === 0) throw new Error('There is nothing to set.');
  const shown = await askServer('account.set', flags, tools, { account, ...changes });
  tellAccount(shown as ShownAccount, flags, tools);
}

/** `none` is how nothing is written. */
function namesIn(given: readonly string[]): readonly string[] {
  return given.length === 1 && given[0] === 'none' ? [] : given;
}

export function tellAccount(
  shown: ShownAccount,
  { json }: RunningFlags,
  { terminal }: Tools,
): void {
  if (json) return terminal.out(JSON.stringify(shown));
  // No limit is written like that in the flags too.
  const limits = {
    QuotaMessageSize: shown.QuotaMessageSize || null,
    QueueMessageSize: shown.QueueMessageSize || null,
  };
  for (const [key, value] of Object.entries({ ...shown, ...limits })) {
    terminal.out(`${key}: ${textOf(value) || 'none'}`);
  }
}

/** `https://x.example/hook, with an Authorization, of failed suppressed` */
function textOf(value: ShownAccount[keyof ShownAccount]): string {
  if (value === null) return '';
  if (typeof value !== 'object') return String(value);
  if (!('URL' in value)) return value.join(' ');
  const authorized = value.Authorization ? ', with an Authorization' : '';
  const events = 'Events' in value && value.Events.length > 0 ? value.Events : undefined;
  return `${value.URL}${authorized}${events === undefined ? '' : `, of ${events.join(' ')}`}`;
}
