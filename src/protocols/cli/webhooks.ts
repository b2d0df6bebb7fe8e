/**
 * `queue webhook`: webhooks of all accounts, asked of the running server.
 */

import type { RunningFlags } from './flags.ts';
import { tellPause } from './queue-pause.ts';
import { changeThose, lastErrorOf, pagesOf, printList } from './lists.ts';
import { askServer, type Tools } from './tools.ts';
import type {
  HookChangeFlags,
  HookFilterFlags,
  HookListFlags,
  HookScheduleFlags,
  RetiredHookListFlags,
} from './webhook-flags.ts';
import type { PendingHookRecord, RetiredHookRecord, WithPayload } from './webhook-records.ts';

export async function listHooks(flags: HookListFlags, tools: Tools): Promise<void> {
  const { sort = 'nextattempt' } = flags;
  const time = sort === 'nextattempt' ? 'NextAttempt' : 'Submitted';
  const columns =
    '# id, submitted, account, event, message, attempts, next attempt, last error, url';
  const fields = { ...filterOf(flags), sort, ascending: flags.asc };
  await tellPause(flags, tools);
  const pages = pagesOf<PendingHookRecord>('queue.webhook.list', fields, time, flags, tools);
  await printList(pages, columns, pendingRow, flags, tools);
}

export async function listRetiredHooks(flags: RetiredHookListFlags, tools: Tools): Promise<void> {
  const { sort = 'lastactivity', lastactivity } = flags;
  const time = sort === 'lastactivity' ? 'LastActivity' : 'Submitted';
  const columns =
    '# id, submitted, account, event, message, attempts, outcome, last activity, last error, url';
  const fields = {
    ...filterOf(flags),
    ...(lastactivity === undefined ? {} : { lastActivity: lastactivity }),
    sort,
    ascending: flags.asc,
  };
  const command = 'queue.webhook.retired.list';
  const pages = pagesOf<RetiredHookRecord>(command, fields, time, flags, tools);
  await printList(pages, columns, retiredRow, flags, tools);
}

export async function printHook(
  command: 'queue.webhook.print' | 'queue.webhook.retired.print',
  id: number,
  flags: RunningFlags,
  { terminal, ...tools }: Tools,
): Promise<void> {
  const record = (await askServer(command, flags, tools, { id })) as WithPayload;
  if (flags.json) return terminal.out(JSON.stringify(record));
  // The payload as people read it, as the rest of the record.
  const payload: unknown = JSON.parse(record.Payload);
  terminal.out(JSON.stringify({ ...record, Payload: payload }, undefined, 2));
}

export async function scheduleHooks(
  duration: string,
  flags: HookScheduleFlags,
  tools: Tools,
): Promise<void> {
  const fields = { duration, now: flags.now };
  await change('schedule', fields, (count) => `${count} webhook(s) rescheduled`, flags, tools);
}

export async function cancelHooks(flags: HookChangeFlags, tools: Tools): Promise<void> {
  await change('cancel', {}, (count) => `${count} webhook(s) canceled`, flags, tools);
}

function filterOf({ ids, account, submitted, nextattempt, event }: HookFilterFlags): object {
  return {
    ...(ids === undefined ? {} : { ids }),
    ...(account === undefined ? {} : { account }),
    ...(submitted === undefined ? {} : { submitted }),
    ...(nextattempt === undefined ? {} : { nextAttempt: nextattempt }),
    ...(event === undefined ? {} : { event }),
  };
}

async function change(
  command: string,
  fields: object,
  sentence: (count: number) => string,
  flags: HookChangeFlags,
  tools: Tools,
): Promise<void> {
  const asked = { ...filterOf(flags), ...fields };
  await changeThose(`queue.webhook.${command}`, asked, sentence, flags, tools);
}

function pendingRow(hook: PendingHookRecord): readonly unknown[] {
  return [...beginning(hook), hook.NextAttempt, lastErrorOf(hook), hook.URL];
}

function retiredRow(hook: RetiredHookRecord): readonly unknown[] {
  return [...beginning(hook), hook.Outcome, hook.LastActivity, lastErrorOf(hook), hook.URL];
}

function beginning(hook: PendingHookRecord | RetiredHookRecord): readonly unknown[] {
  const { ID, Submitted, Account, OutgoingEvent, QueueMsgID, Attempts } = hook;
  const event = OutgoingEvent === '' ? 'incoming' : OutgoingEvent;
  return [ID, Submitted, Account, event, QueueMsgID === 0 ? '' : QueueMsgID, Attempts];
}
