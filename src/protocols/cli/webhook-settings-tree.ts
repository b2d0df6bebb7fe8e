/**
 * The commands about whom accounts have called: `config webhook`.
 */

import { Argument, type Command } from 'commander';
import type { HookDirection } from '../ports-webhook.ts';
import type { RunningFlags, WebhookSetFlags } from './flags.ts';
import { below, type TreeParts } from './tree.ts';

const EVENTS = [
  'delivered',
  'suppressed',
  'delayed',
  'failed',
  'relayed',
  'expanded',
  'canceled',
  'unrecognized',
];

export function addWebhookSettings(config: Command, parts: TreeParts): void {
  const { tools } = parts;
  const webhook = config
    .command('webhook')
    .description('applications that are told what happens to mail of an account');
  const command = below(webhook, parts, 'as JSON');
  const setting = (direction: HookDirection, description: string): Command =>
    command(`${direction} <account>`, `${description}; what is not named stays`)
      .option('--url <url>', 'whom to call')
      .option('--authorization', 'take the text of the Authorization field from standard input')
      .option('--no-authorization', 'call without one')
      .action(async (account: string, flags: WebhookSetFlags) => {
        const { setWebhook } = await import('./webhook-settings.ts');
        await setWebhook(direction, account, flags, tools);
      });

  setting('outgoing', 'set who is told what became of mail that was sent').option(
    '--events <events...>',
    `what is told, or all: ${EVENTS.join(' ')}`,
  );
  setting('incoming', 'set who is told of mail that comes in');
  const directed = (name: string, description: string): Command =>
    command(name, description)
      .addArgument(new Argument('<direction>').choices(['outgoing', 'incoming']))
      .argument('<account>');
  directed('test', 'call with an example, and print status and answer').action(
    async (direction: HookDirection, account: string, flags: RunningFlags) => {
      await (await import('./webhook-settings.ts')).testWebhook(direction, account, flags, tools);
    },
  );
  directed('remove', 'tell nobody any more, but what waits to be told').action(
    async (direction: HookDirection, account: string, flags: RunningFlags) => {
      await (await import('./webhook-settings.ts')).removeWebhook(direction, account, flags, tools);
    },
  );
}
