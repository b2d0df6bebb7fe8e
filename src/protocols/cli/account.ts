/**
 * `config account`: what is set for an account, asked of the running server.
 */

import type { ShownAccount } from './control-commands.ts';
import type { AccountSetFlags, RunningFlags } from './flags.ts';
import { askServer, type Tools } from './tools.ts';

export async function showAccount(
  account: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  const shown = await askServer('account.show', flags, tools, { account });
  tell(shown as ShownAccount, flags, tools);
}

export async function setAccount(
  account: string,
  flags: AccountSetFlags,
  tools: Tools,
): Promise<void> {
  const { quota, queueLimit, keepRetired, hideCapability, fromIdLogin } = flags;
  const { dailyRecipients, dailyNewRecipients } = flags;
  const changes = {
    ...(quota === undefined ? {} : { quotaBytes: quota }),
    ...(queueLimit === undefined ? {} : { queueBytesMax: queueLimit }),
    ...(dailyRecipients === undefined ? {} : { recipientsPerDayMax: dailyRecipients }),
    ...(dailyNewRecipients === undefined ? {} : { newRecipientsPerDayMax: dailyNewRecipients }),
    ...(keepRetired === undefined ? {} : { keepRetiredMs: keepRetired }),
    ...(fromIdLogin === undefined ? {} : { fromIdLogins: namesIn(fromIdLogin) }),
    ...(hideCapability === undefined ? {} : { hiddenCapabilities: namesIn(hideCapability) }),
  };
  if (Object.keys(changes).length === 0) throw new Error('There is nothing to set.');
  const shown = await askServer('account.set', flags, tools, { account, ...changes });
  tell(shown as ShownAccount, flags, tools);
}

/** `none` is how nothing is written. */
function namesIn(given: readonly string[]): readonly string[] {
  return given.length === 1 && given[0] === 'none' ? [] : given;
}

function tell(shown: ShownAccount, flags: RunningFlags, { terminal }: Tools): void {
  if (flags.json) return terminal.out(JSON.stringify(shown));
  for (const [key, value] of Object.entries(shown)) {
    const text = Array.isArray(value) ? value.join(' ') : String(value);
    terminal.out(`${key}: ${text === '' ? 'none' : text}`);
  }
}
