/**
 * The commands about webhooks that wait or have ended: `queue webhook` and what stands below it.
 *
 * Diagnostics: what cannot be a time, a bound or a number is wrong usage, before anybody is asked.
 */

import { Option, type Command } from 'commander';
import type { RunningFlags } from './flags.ts';
import { bound, numberFromOne, numbers, span, wholeNumber } from './option-values.ts';
import type { Tools } from './tools.ts';
import { below, type Add, type TreeParts } from './tree.ts';
import type {
  HookChangeFlags,
  HookListFlags,
  HookScheduleFlags,
  RetiredHookListFlags,
} from './webhook-flags.ts';

const EVENTS =
  'incoming, delivered, suppressed, delayed, failed, relayed, expanded, canceled or unrecognized';

export function addWebhooks(queue: Command, parts: TreeParts): void {
  const { tools } = parts;
  const webhook = queue.command('webhook').description('calls that tell what happened to mail');
  addPending(below(webhook, parts), tools);
  const retired = webhook.command('retired').description('webhooks that wait no more');
  addRetired(below(retired, parts), tools);
}

function addPending(command: Add, tools: Tools): void {
  paged(filtered(command('list', 'show what waits, what is due last first')))
    .addOption(sortOption('nextattempt'))
    .action(async (flags: HookListFlags) => {
      await (await import('./webhooks.ts')).listHooks(flags, tools);
    });
  command('print', 'print all that is known of one, in JSON, and what its receiver is told')
    .argument('<id>', 'number of the webhook', wholeNumber)
    .action(async (id: number, flags: RunningFlags) => {
      await (await import('./webhooks.ts')).printHook('queue.webhook.print', id, flags, tools);
    });
  changing(command('schedule', 'move the next call by a time, 1h or -30m'))
    .argument('<duration>', 'how far', span)
    // A time may begin with a minus sign and is no option then.
    .allowUnknownOption()
    .option('--now', 'from now, and not from when each is due', false)
    .action(async (duration: string, flags: HookScheduleFlags) => {
      await (await import('./webhooks.ts')).scheduleHooks(duration, flags, tools);
    });
  changing(command('cancel', 'tell nobody any more')).action(async (flags: HookChangeFlags) => {
    await (await import('./webhooks.ts')).cancelHooks(flags, tools);
  });
}

function addRetired(command: Add, tools: Tools): void {
  paged(narrowed(command('list', 'show what has ended, the latest activity first')))
    .option('--lastactivity <bound>', 'when something last happened, like <-1h', bound)
    .addOption(sortOption('lastactivity'))
    .action(async (flags: RetiredHookListFlags) => {
      await (await import('./webhooks.ts')).listRetiredHooks(flags, tools);
    });
  command('print', 'print all that is known of one, in JSON, and what its receiver was told')
    .argument('<id>', 'number of the webhook', wholeNumber)
    .action(async (id: number, flags: RunningFlags) => {
      const { printHook } = await import('./webhooks.ts');
      await printHook('queue.webhook.retired.print', id, flags, tools);
    });
}

/** What is common to all lists of webhooks. */
function narrowed(command: Command): Command {
  return command
    .option('--ids <numbers>', 'only these webhooks: 1,2,3', numbers)
    .option('-n, --max <number>', 'so many at most', numberFromOne)
    .option('--account <name>', 'only of this account')
    .option('--submitted <bound>', 'when it was made, like <-1h: more than an hour ago', bound)
    .option('--event <event>', `what it tells: ${EVENTS}`);
}

function filtered(command: Command): Command {
  const description = 'when it is due, like <1h: within the hour';
  return narrowed(command).option('--nextattempt <bound>', description, bound);
}

function changing(command: Command): Command {
  return filtered(command).option('--all', 'all webhooks, where nothing else is said', false);
}

function paged(command: Command): Command {
  return command
    .option('--asc', 'the earliest first', false)
    .option('--last-id <number>', 'go on behind this webhook', wholeNumber)
    .option('--last <time>', 'the time in it that is sorted by');
}

/** `queued` and `submitted` are the same. */
function sortOption(usual: string): Option {
  return new Option('--sort <field>', 'by what').choices([usual, 'submitted', 'queued']);
}
