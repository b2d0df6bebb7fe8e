/**
 * `config webhook`: whom an account has called, asked of the running server.
 *
 * Invariant: an Authorization comes in by standard input alone, where neither a list of processes
 * nor the history of a shell shows it.
 */

import type { HookDirection } from '../ports-webhook.ts';
import { tellAccount } from './account.ts';
import type { ShownAccount } from './account-record.ts';
import type { RunningFlags, WebhookSetFlags } from './flags.ts';
import { inOneLine } from './lists.ts';
import { askServer, type Tools } from './tools.ts';
import type { TestCallRecord } from './webhook-settings-control.ts';

export async function setWebhook(
  direction: HookDirection,
  account: string,
  flags: WebhookSetFlags,
  tools: Tools,
): Promise<void> {
  const { url, events } = flags;
  const changes = {
    ...(url === undefined ? {} : { url }),
    ...(events === undefined ? {} : { events: isAll(events) ? [] : events }),
    ...(await authorizationOf(flags, tools)),
  };
  if (Object.keys(changes).length === 0) throw new Error('There is nothing to set.');
  const fields = { account, direction, ...changes };
  const shown = await askServer('webhook.set', flags, tools, fields);
  tellAccount(shown as ShownAccount, flags, tools);
}

export async function removeWebhook(
  direction: HookDirection,
  account: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  const shown = await askServer('webhook.remove', flags, tools, { account, direction });
  tellAccount(shown as ShownAccount, flags, tools);
}

/** Whatever the answer is, the call was made. */
export async function testWebhook(
  direction: HookDirection,
  account: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  const answer = await askServer('webhook.test', flags, tools, { account, direction });
  const record = answer as TestCallRecord;
  if (flags.json) return tools.terminal.out(JSON.stringify(record));
  const { Code, Error: error, Response } = record;
  const about = [Code === 0 ? 'no answer' : String(Code), error, Response];
  tools.terminal.out(
    about
      .filter((text) => text !== '')
      .map(inOneLine)
      .join('\t'),
  );
}

async function authorizationOf(
  { authorization }: WebhookSetFlags,
  { terminal }: Tools,
): Promise<{ readonly authorization?: string }> {
  if (authorization === undefined) return {};
  if (!authorization) return { authorization: '' };
  const text = (await terminal.input()).replace(/\r?\n$/, '');
  if (text === '') throw new Error('There is no Authorization on standard input.');
  return { authorization: text };
}

function isAll(events: readonly string[]): boolean {
  return events.length === 1 && events[0] === 'all';
}
