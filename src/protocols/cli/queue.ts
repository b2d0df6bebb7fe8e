/**
 * `queue`: outgoing mail of all accounts, asked of the running server.
 *
 * Lists are fetched page by page, so that neither end holds more than a page of a long queue.
 */

import { Buffer } from 'node:buffer';
import type { RunningFlags } from './flags.ts';
import { changeThose, lastErrorOf, pagesOf, printList } from './lists.ts';
import type { DumpedMessage } from './queue-control.ts';
import type {
  HoldRuleFlags,
  OfAccountFlags,
  QueueChangeFlags,
  QueueFilterFlags,
  QueueListFlags,
  RetiredListFlags,
  ScheduleFlags,
} from './queue-flags.ts';
import { tellPause } from './queue-pause.ts';
import type {
  HoldRuleRecord,
  QueuedRecord,
  RetiredRecord,
  SuppressionRecord,
} from './queue-records.ts';
import { askQuietly, askServer, type Tools } from './tools.ts';

export async function listQueue(flags: QueueListFlags, tools: Tools): Promise<void> {
  const { sort = 'nextattempt' } = flags;
  const time = sort === 'queued' ? 'Queued' : 'NextAttempt';
  const columns =
    '# id, queued, account, from, to, attempts, next attempt, last attempt, last error, hold, ' +
    'transport';
  const fields = { ...filterOf(flags), sort, ascending: flags.asc, whole: flags.json };
  await tellPause(flags, tools);
  const pages = pagesOf<QueuedRecord>('queue.list', fields, time, flags, tools);
  await printList(pages, columns, queuedRow, flags, tools);
}

export async function listRetired(flags: RetiredListFlags, tools: Tools): Promise<void> {
  const { sort = 'lastactivity', lastactivity, result } = flags;
  const time = sort === 'queued' ? 'Queued' : 'LastActivity';
  const columns =
    '# id, queued, account, from, to, attempts, outcome, last activity, last attempt, ' +
    'last error, transport';
  const fields = {
    ...filterOf(flags),
    ...(lastactivity === undefined ? {} : { lastActivity: lastactivity }),
    ...(result === undefined ? {} : { success: result === 'success' }),
    sort,
    ascending: flags.asc,
  };
  const pages = pagesOf<RetiredRecord>('queue.retired.list', fields, time, flags, tools);
  await printList(pages, columns, retiredRow, flags, tools);
}

export async function printRetired(id: number, flags: RunningFlags, tools: Tools): Promise<void> {
  const record = await askServer('queue.retired.print', flags, tools, { id });
  tools.terminal.out(JSON.stringify(record, undefined, flags.json ? undefined : 2));
}

/** Piece by piece, so that the server does not stand still for a large message. */
export async function dumpMessage(id: number, flags: RunningFlags, tools: Tools): Promise<void> {
  const { terminal } = tools;
  let base64 = '';
  for (let start = 0, isLast = false; !isLast;) {
    const piece = (await askServer('queue.dump', flags, tools, { id, start })) as DumpedMessage;
    const octets = Buffer.from(piece.base64, 'base64');
    if (flags.json) base64 += piece.base64;
    else terminal.out(octets);
    start += octets.length;
    isLast = piece.isLast;
  }
  if (flags.json) terminal.out(JSON.stringify({ base64 }));
}

export async function holdMessages(flags: QueueChangeFlags, tools: Tools): Promise<void> {
  await change('hold', {}, (count) => `${count} messages changed`, flags, tools);
}

export async function releaseMessages(flags: QueueChangeFlags, tools: Tools): Promise<void> {
  await change('unhold', {}, (count) => `${count} messages changed`, flags, tools);
}

export async function scheduleMessages(
  duration: string,
  flags: ScheduleFlags,
  tools: Tools,
): Promise<void> {
  const fields = { duration, now: flags.now };
  await change('schedule', fields, (count) => `${count} message(s) rescheduled`, flags, tools);
}

export async function forceTransport(
  name: string,
  flags: QueueChangeFlags,
  tools: Tools,
): Promise<void> {
  await change('transport', { name }, (count) => `${count} messages changed`, flags, tools);
}

export async function setRequireTls(
  value: 'yes' | 'no' | 'default',
  flags: QueueChangeFlags,
  tools: Tools,
): Promise<void> {
  const fields = value === 'default' ? {} : { requireTls: value === 'yes' };
  await change('requiretls', fields, (count) => `${count} messages changed`, flags, tools);
}

export async function failMessages(flags: QueueChangeFlags, tools: Tools): Promise<void> {
  await change('fail', {}, (count) => `${count} message(s) marked as failed`, flags, tools);
}

export async function dropMessages(flags: QueueChangeFlags, tools: Tools): Promise<void> {
  await change('drop', {}, (count) => `${count} message(s) dropped`, flags, tools);
}

export async function listHoldRules(flags: RunningFlags, tools: Tools): Promise<void> {
  const rules = (await askServer(
    'queue.holdrules.list',
    flags,
    tools,
    {},
  )) as readonly HoldRuleRecord[];
  const columns = '# id, account, sender, recipient';
  await printList([rules], columns, holdRuleRow, flags, tools);
}

export async function addHoldRule(flags: HoldRuleFlags, tools: Tools): Promise<void> {
  const { account, senderdom: sender, recipientdom: recipient } = flags;
  const rule = {
    ...(account === undefined ? {} : { account }),
    ...(sender === undefined ? {} : { sender }),
    ...(recipient === undefined ? {} : { recipient }),
  };
  const added = (await askServer('queue.holdrules.add', flags, tools, rule)) as {
    readonly ruleId: number;
    readonly held: number;
  };
  const text = `hold rule ${added.ruleId}, ${added.held} messages changed`;
  tools.terminal.out(flags.json ? JSON.stringify(added) : text);
}

export async function removeHoldRule(id: number, flags: RunningFlags, tools: Tools): Promise<void> {
  await askQuietly('queue.holdrules.remove', flags, tools, { id });
}

export async function listSuppressions(flags: OfAccountFlags, tools: Tools): Promise<void> {
  const found = await askServer('queue.suppress.list', flags, tools, accountOf(flags));
  await printSuppressions(found as readonly SuppressionRecord[], flags, tools);
}

export async function lookUpSuppression(
  address: string,
  flags: OfAccountFlags,
  tools: Tools,
): Promise<void> {
  const fields = { address, ...accountOf(flags) };
  const found = (await askServer(
    'queue.suppress.lookup',
    flags,
    tools,
    fields,
  )) as SuppressionRecord[];
  if (found.length === 0 && !flags.json) return tools.terminal.out('not present');
  await printSuppressions(found, flags, tools);
}

export async function changeSuppression(
  command: 'add' | 'remove',
  account: string,
  address: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  await askQuietly(`queue.suppress.${command}`, flags, tools, { account, address });
}

function accountOf({ account }: OfAccountFlags): object {
  return account === undefined ? {} : { account };
}

function filterOf(flags: QueueFilterFlags): object {
  const { ids, account, from, to, submitted, nextattempt, transport, hold } = flags;
  return {
    ...(ids === undefined ? {} : { ids }),
    ...(account === undefined ? {} : { account }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(submitted === undefined ? {} : { submitted }),
    ...(nextattempt === undefined ? {} : { nextAttempt: nextattempt }),
    ...(transport === undefined ? {} : { transport }),
    ...(hold === undefined ? {} : { hold }),
  };
}

async function change(
  command: string,
  fields: object,
  sentence: (count: number) => string,
  flags: QueueChangeFlags,
  tools: Tools,
): Promise<void> {
  const asked = { ...filterOf(flags), ...fields };
  await changeThose(`queue.${command}`, asked, sentence, flags, tools);
}

async function printSuppressions(
  found: readonly SuppressionRecord[],
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  const columns = '# account, base address, address, manual, added, reason';
  await printList([found], columns, suppressionRow, flags, tools);
}

function senderOf({ SenderLocalpart, SenderDomainStr }: QueuedRecord | RetiredRecord): string {
  return SenderDomainStr === '' ? '<>' : `${SenderLocalpart}@${SenderDomainStr}`;
}

function recipientOf({ RecipientLocalpart, RecipientDomainStr }: QueuedRecord): string {
  return `${RecipientLocalpart}@${RecipientDomainStr}`;
}

function queuedRow(item: QueuedRecord): readonly unknown[] {
  const { ID, Queued, SenderAccount, Attempts, NextAttempt, LastAttempt, Hold, Transport } = item;
  const times = [NextAttempt, LastAttempt ?? ''];
  const way = [Hold ? 'hold' : '', Transport];
  const whose = [ID, Queued, SenderAccount, senderOf(item), recipientOf(item)];
  return [...whose, Attempts, ...times, lastErrorOf(item), ...way];
}

function retiredRow(item: RetiredRecord): readonly unknown[] {
  const { ID, Queued, SenderAccount, Attempts, Outcome, LastActivity, LastAttempt } = item;
  const whose = [ID, Queued, SenderAccount, senderOf(item), item.RecipientAddress];
  const times = [LastActivity, LastAttempt ?? ''];
  return [...whose, Attempts, Outcome, ...times, lastErrorOf(item), item.Transport];
}

function holdRuleRow(rule: HoldRuleRecord): readonly unknown[] {
  const { SenderLocalpart, SenderDomainStr, RecipientLocalpart, RecipientDomainStr } = rule;
  const sender = addressOrDomain(SenderLocalpart, SenderDomainStr);
  const recipient = addressOrDomain(RecipientLocalpart, RecipientDomainStr);
  return [rule.ID, rule.Account, sender, recipient];
}

function addressOrDomain(localpart: string, domain: string): string {
  return localpart === '' ? domain : `${localpart}@${domain}`;
}

function suppressionRow(record: SuppressionRecord): readonly unknown[] {
  const { Account, BaseAddress, OriginalAddress, Manual, Created, Reason } = record;
  return [Account, BaseAddress, OriginalAddress, Manual ? 'manual' : '', Created, Reason];
}
