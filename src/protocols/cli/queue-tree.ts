/**
 * The commands about outgoing mail: `queue` and what stands below it.
 *
 * Diagnostics: what cannot be a time, a bound or a number is wrong usage, before anybody is asked.
 */

import { Option, type Command } from 'commander';
import type { RunningFlags } from './flags.ts';
import { bound, numberFromOne, numbers, oneOf, span, truth, wholeNumber } from './option-values.ts';
import type {
  HoldRuleFlags,
  OfAccountFlags,
  QueueChangeFlags,
  QueueListFlags,
  RetiredListFlags,
  ScheduleFlags,
} from './queue-flags.ts';
import type { Tools } from './tools.ts';
import { below, type Add, type TreeParts } from './tree.ts';
import { addWebhooks } from './webhook-tree.ts';

export function addQueue(program: Command, parts: TreeParts): void {
  const { tools } = parts;
  const queue = program.command('queue').description('outgoing mail');
  const command = below(queue, parts);
  addLists(command, tools);
  addPause(command, tools);
  addChanges(command, tools);
  addEnds(command, tools);
  const retired = queue.command('retired').description('outgoing mail that has left the queue');
  addRetired(below(retired, parts), tools);
  const rules = queue.command('holdrules').description('which new mail is held');
  addHoldRules(below(rules, parts), tools);
  const suppress = queue.command('suppress').description('addresses that are not written to');
  addSuppressions(below(suppress, parts), tools);
  addWebhooks(queue, parts);
}

function addLists(command: Add, tools: Tools): void {
  paged(filtered(command('list', 'show what waits, what is due last first')))
    .addOption(new Option('--sort <field>', 'by what').choices(['nextattempt', 'queued']))
    .action(async (flags: QueueListFlags) => {
      await (await import('./queue.ts')).listQueue(flags, tools);
    });
  command('dump', 'print a message as it goes to the next hop')
    .argument('<id>', 'number of the message', wholeNumber)
    .action(async (id: number, flags: RunningFlags) => {
      await (await import('./queue.ts')).dumpMessage(id, flags, tools);
    });
}

function addPause(command: Add, tools: Tools): void {
  command('pause', 'send nothing any more: what runs ends, what waits keeps its time').action(
    async (flags: RunningFlags) => {
      await (await import('./queue-pause.ts')).pauseDelivery(flags, tools);
    },
  );
  command('resume', 'send what waits when it is due').action(async (flags: RunningFlags) => {
    await (await import('./queue-pause.ts')).resumeDelivery(flags, tools);
  });
}

function addChanges(command: Add, tools: Tools): void {
  changing(command('hold', 'keep messages from going')).action(async (flags: QueueChangeFlags) => {
    await (await import('./queue.ts')).holdMessages(flags, tools);
  });
  changing(command('unhold', 'let messages go again')).action(async (flags: QueueChangeFlags) => {
    await (await import('./queue.ts')).releaseMessages(flags, tools);
  });
  changing(command('schedule', 'move the next attempt by a time, 1h or -30m'))
    .argument('<duration>', 'how far', span)
    // A time may begin with a minus sign and is no option then.
    .allowUnknownOption()
    .option('--now', 'from now, and not from when each message is due', false)
    .action(async (duration: string, flags: ScheduleFlags) => {
      await (await import('./queue.ts')).scheduleMessages(duration, flags, tools);
    });
  changing(command('transport', 'let messages go by a transport; "" for the routes again'))
    .argument('<name>', 'name of the transport')
    .action(async (name: string, flags: QueueChangeFlags) => {
      await (await import('./queue.ts')).forceTransport(name, flags, tools);
    });
  changing(command('requiretls', 'require TLS all the way, do without, or as usual'))
    .argument('<value>', 'yes, no or default', oneOf('yes', 'no', 'default'))
    .action(async (value: 'yes' | 'no' | 'default', flags: QueueChangeFlags) => {
      await (await import('./queue.ts')).setRequireTls(value, flags, tools);
    });
}

function addEnds(command: Add, tools: Tools): void {
  changing(command('fail', 'give messages up, and tell their senders')).action(
    async (flags: QueueChangeFlags) => {
      await (await import('./queue.ts')).failMessages(flags, tools);
    },
  );
  changing(command('drop', 'give messages up without a word')).action(
    async (flags: QueueChangeFlags) => {
      await (await import('./queue.ts')).dropMessages(flags, tools);
    },
  );
}

function addRetired(command: Add, tools: Tools): void {
  const items = narrowed(command('list', 'show what has left, the latest activity first'));
  paged(items)
    .option('--lastactivity <bound>', 'when something last happened, like <-1h', bound)
    .addOption(new Option('--result <result>', 'how it ended').choices(['success', 'failure']))
    .addOption(new Option('--sort <field>', 'by what').choices(['lastactivity', 'queued']))
    .action(async (flags: RetiredListFlags) => {
      await (await import('./queue.ts')).listRetired(flags, tools);
    });
  command('print', 'print all that is known of a message, in JSON')
    .argument('<id>', 'number of the message', wholeNumber)
    .action(async (id: number, flags: RunningFlags) => {
      await (await import('./queue.ts')).printRetired(id, flags, tools);
    });
}

function addHoldRules(command: Add, tools: Tools): void {
  command('list', 'show the rules').action(async (flags: RunningFlags) => {
    await (await import('./queue.ts')).listHoldRules(flags, tools);
  });
  command('add', 'hold what waits and what will come, if all that is named fits')
    .option('--account <name>', 'mail of this account')
    .option('--senderdom <domain>', 'mail from this domain, or from this address')
    .option('--recipientdom <domain>', 'mail to this domain, or to this address')
    .action(async (flags: HoldRuleFlags) => {
      await (await import('./queue.ts')).addHoldRule(flags, tools);
    });
  command('remove', 'remove a rule; what it held stays held')
    .argument('<id>', 'number of the rule', wholeNumber)
    .action(async (id: number, flags: RunningFlags) => {
      await (await import('./queue.ts')).removeHoldRule(id, flags, tools);
    });
}

function addSuppressions(command: Add, tools: Tools): void {
  command('list', 'show the addresses')
    .option('--account <name>', 'only those of this account')
    .action(async (flags: OfAccountFlags) => {
      await (await import('./queue.ts')).listSuppressions(flags, tools);
    });
  command('lookup <address>', 'show whether an address, or its base, is among them')
    .option('--account <name>', 'only for this account')
    .action(async (address: string, flags: OfAccountFlags) => {
      await (await import('./queue.ts')).lookUpSuppression(address, flags, tools);
    });
  for (const [verb, description] of [
    ['add', 'have an account not write to an address'],
    ['remove', 'let an account write to an address again'],
  ] as const) {
    command(`${verb} <account> <address>`, description).action(
      async (account: string, address: string, flags: RunningFlags) => {
        const { changeSuppression } = await import('./queue.ts');
        await changeSuppression(verb, account, address, flags, tools);
      },
    );
  }
}

/** What is common to all lists of messages. */
function narrowed(command: Command): Command {
  return command
    .option('--ids <numbers>', 'only these messages: 1,2,3', numbers)
    .option('-n, --max <number>', 'so many at most', numberFromOne)
    .option('--account <name>', 'only of this account')
    .option('--from <text>', 'what stands in the sender’s address; @example.org for a domain')
    .option('--to <text>', 'what stands in the recipient’s address')
    .option('--submitted <bound>', 'when it was queued, like <-1h: more than an hour ago', bound)
    .option('--transport <name>', 'that go by this transport; "" for those that follow the routes');
}

function filtered(command: Command): Command {
  return narrowed(command)
    .option('--nextattempt <bound>', 'when it is due, like <1h: within the hour', bound)
    .option('--hold <boolean>', 'only those that are held (true), or that are not', truth);
}

function changing(command: Command): Command {
  return filtered(command).option('--all', 'all messages, where nothing else is said', false);
}

function paged(command: Command): Command {
  return command
    .option('--asc', 'the earliest first', false)
    .option('--last-id <number>', 'go on behind this message', wholeNumber)
    .option('--last <time>', 'the time in it that is sorted by');
}
