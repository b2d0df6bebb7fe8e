/**
 * What the running server does to outgoing mail when the command line asks it to.
 *
 * Diagnostics: a filter that nobody understands, or one that is empty where everything would be
 * changed, is refused by a sentence that names the field.
 */

import { domainToASCII } from 'node:url';
import { formatAddress, parseAddress, parseDomain } from '#domain/values/address';
import type { Instant } from '#domain/values/ids';
import type { EndedSort, WaitingSort } from '#projections/list-pages';
import type { QueuedItem, QueueFilter, RetiredFilter } from '#projections/queue-lists';
import type { Clock } from '../ports.ts';
import type {
  AdministeredItem,
  AdministeredQueue,
  ByAccountName,
  NamedHoldRule,
  QueueChange,
} from '../ports-queue.ts';
import { ControlError, type ControlCommands } from './control.ts';
import { CAUSE, granted } from './control-answers.ts';
import { commandsOf, type CommandTable, type ControlFields } from './control-fields.ts';
import {
  FIRST,
  readIds,
  readOnlyId,
  readPage,
  readRescheduling,
  readSelection,
  readTimeBound,
  wrongField,
  type ChangedCount,
} from './control-lists.ts';
import type { DeliveryRecord } from './queue-pause.ts';
import {
  holdRuleRecord,
  queuedRecord,
  retiredRecord,
  suppressionRecord,
  wholeRecord,
  type HoldRuleRecord,
  type SuppressionRecord,
  type WholeRecord,
} from './queue-records.ts';

/** Octets of a message. */
export interface DumpedMessage {
  /** Octets of it from those on that were asked for. */
  readonly base64: string;
  /** There are no more behind these. */
  readonly isLast: boolean;
}

interface Parts {
  readonly queue: AdministeredQueue;
  readonly clock: Clock;
}

type Table = CommandTable<Parts>;

/** What a dump gives at once; three octets are four letters of base64, so that pieces join. */
const DUMPED_BYTES: number = 3 * 256 * 1024;

const COMMANDS: Table = {
  'queue.list': async (fields, { queue, clock }) => {
    const page = readPage(fields, QUEUE_SORTS);
    const filter = readQueueFilter(fields, clock.now());
    const isWhole = fields.optionalBoolean('whole') ?? false;
    fields.end();
    const items = granted(queue.queued(filter, page));
    return isWhole ? await wholeRecords(items, queue) : items.map(queuedRecord);
  },
  'queue.hold': changing(() => ({ type: 'hold' })),
  'queue.unhold': changing(() => ({ type: 'release' })),
  'queue.schedule': changing((fields, now) => ({
    type: 'reschedule',
    to: readRescheduling(fields, now),
  })),
  'queue.transport': changing((fields) => ({
    type: 'transport',
    transport: fields.text('name'),
  })),
  'queue.requiretls': changing((fields) => ({
    type: 'require-tls',
    requireTls: fields.optionalBoolean('requireTls') ?? null,
  })),
  'queue.fail': changing(() => ({ type: 'fail' })),
  'queue.drop': changing(() => ({ type: 'drop' })),
  'queue.delivery': (fields, { queue }) => deliveryRecord(fields, queue),
  'queue.pause': async (fields, { queue }) => {
    fields.end();
    await queue.pause(CAUSE);
    return deliveryRecord(fields, queue);
  },
  'queue.resume': async (fields, { queue }) => {
    fields.end();
    await queue.resume(CAUSE);
    return deliveryRecord(fields, queue);
  },
  'queue.dump': async (fields, { queue }): Promise<DumpedMessage> => {
    const queueId = fields.count('id');
    const start = fields.count('start');
    fields.end();
    const octets = granted(await queue.dump(queueId, start, start + DUMPED_BYTES));
    return { base64: octets.toString('base64'), isLast: octets.length < DUMPED_BYTES };
  },
  'queue.retired.list': (fields, { queue, clock }) => {
    const page = readPage(fields, RETIRED_SORTS);
    const filter = readRetiredFilter(fields, clock.now());
    fields.end();
    return granted(queue.retired(filter, page)).map(retiredRecord);
  },
  'queue.retired.print': (fields, { queue }) => {
    const queueId = readOnlyId(fields);
    const [item] = granted(queue.retired({ queueIds: [queueId] }, FIRST));
    if (item !== undefined) return retiredRecord(item);
    throw new ControlError('NoSuchMessage', `No such message is remembered: ${queueId}`);
  },
  'queue.holdrules.list': (fields, { queue }): readonly HoldRuleRecord[] => {
    fields.end();
    return queue.holdRules().map(holdRuleRecord);
  },
  'queue.holdrules.add': async (fields, { queue }) =>
    granted(await queue.addHoldRule(readHoldRule(fields), CAUSE)),
  'queue.holdrules.remove': async (fields, { queue }) => {
    const ruleId = readOnlyId(fields);
    granted(await queue.removeHoldRule(ruleId, CAUSE));
    return {};
  },
  'queue.suppress.list': (fields, { queue }): readonly SuppressionRecord[] => {
    const account = fields.optionalText('account');
    fields.end();
    return granted(queue.suppressions(account, undefined)).map(suppressionRecord);
  },
  'queue.suppress.lookup': (fields, { queue }): readonly SuppressionRecord[] => {
    const account = fields.optionalText('account');
    const address = readListedAddress(fields);
    fields.end();
    return granted(queue.suppressions(account, address)).map(suppressionRecord);
  },
  'queue.suppress.add': async (fields, { queue }) => {
    const account = fields.text('account');
    const address = readAddress(fields);
    fields.end();
    granted(await queue.suppress(account, address, CAUSE));
    return {};
  },
  'queue.suppress.remove': async (fields, { queue }) => {
    const account = fields.text('account');
    const address = readListedAddress(fields);
    fields.end();
    granted(await queue.unsuppress(account, address, CAUSE));
    return {};
  },
};

export function queueCommands(parts: Parts): ControlCommands {
  return commandsOf(COMMANDS, parts);
}

function deliveryRecord(fields: ControlFields, queue: AdministeredQueue): DeliveryRecord {
  fields.end();
  const reason = queue.pausedFor();
  return { Paused: reason !== null, Reason: reason ?? '' };
}

/** A change of whatever fits; of everything only when that is said. */
function changing(read: (fields: ControlFields, now: Instant) => QueueChange): Table[string] {
  return async (fields, { queue, clock }): Promise<ChangedCount> => {
    const now = clock.now();
    const change = read(fields, now);
    const { filter, limit } = readSelection(fields, now, readQueueFilter, 'messages');
    return { affected: granted(await queue.change(filter, limit, change, CAUSE)) };
  };
}

function readQueueFilter(fields: ControlFields, now: Instant): ByAccountName<QueueFilter> {
  const isHeld = fields.optionalBoolean('hold');
  const nextAttempt = readTimeBound(fields, 'nextAttempt', now);
  return {
    ...readCommonFilter(fields, now),
    ...(isHeld === undefined ? {} : { isHeld }),
    ...(nextAttempt === undefined ? {} : { nextAttempt }),
  };
}

function readRetiredFilter(fields: ControlFields, now: Instant): ByAccountName<RetiredFilter> {
  const success = fields.optionalBoolean('success');
  const lastActivity = readTimeBound(fields, 'lastActivity', now);
  return {
    ...readCommonFilter(fields, now),
    ...(success === undefined ? {} : { success }),
    ...(lastActivity === undefined ? {} : { lastActivity }),
  };
}

type Common = ByAccountName<Omit<QueueFilter, 'isHeld' | 'nextAttempt'>>;

function readCommonFilter(fields: ControlFields, now: Instant): Common {
  const queueIds = readIds(fields);
  const account = fields.optionalText('account');
  const [from, fromDomain] = readPiece(fields, 'from');
  const [to, toDomain] = readPiece(fields, 'to');
  const queued = readTimeBound(fields, 'submitted', now);
  const transport = fields.optionalText('transport');
  return {
    ...(queueIds === undefined ? {} : { queueIds }),
    ...(account === undefined ? {} : { account }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(fromDomain === undefined ? {} : { fromDomain }),
    ...(toDomain === undefined ? {} : { toDomain }),
    ...(queued === undefined ? {} : { queued }),
    ...(transport === undefined ? {} : { transport }),
  };
}

/**
 * A piece of an address, and the same as labels of a domain where it may be either; A-labels are
 * stored.
 */
function readPiece(fields: ControlFields, name: string): readonly [string?, string?] {
  const piece = fields.optionalText(name);
  if (piece === undefined || piece === '') return [];
  const at = piece.lastIndexOf('@');
  const domain = parseDomain(piece.slice(at + 1), domainToASCII);
  if (domain === undefined) return [piece];
  return at < 0 ? [piece, domain] : [piece.slice(0, at + 1) + domain];
}

const QUEUE_SORTS: Readonly<Record<string, WaitingSort>> = {
  nextattempt: 'nextAttempt',
  queued: 'queued',
  '': 'nextAttempt',
};
const RETIRED_SORTS: Readonly<Record<string, EndedSort>> = {
  lastactivity: 'lastActivity',
  queued: 'queued',
  '': 'lastActivity',
};

/** The fields above a message stand in the views of its account, which may have to be opened. */
async function wholeRecords(
  items: readonly AdministeredItem<QueuedItem>[],
  queue: AdministeredQueue,
): Promise<readonly WholeRecord[]> {
  const records: WholeRecord[] = [];
  for (const item of items) {
    records.push(wholeRecord(item, await queue.prefixOf(item.queueId)));
  }
  return records;
}

function readHoldRule(fields: ControlFields): Omit<NamedHoldRule, 'ruleId'> {
  const account = fields.optionalText('account');
  const sender = readAddressOrDomain(fields, 'sender');
  const recipient = readAddressOrDomain(fields, 'recipient');
  fields.end();
  return {
    ...(account === undefined ? {} : { account }),
    ...(sender === undefined ? {} : { sender }),
    ...(recipient === undefined ? {} : { recipient }),
  };
}

function readAddressOrDomain(fields: ControlFields, name: string): string | undefined {
  const text = fields.optionalText(name);
  if (text === undefined || text === '') return undefined;
  if (!text.includes('@')) {
    const domain = parseDomain(text, domainToASCII);
    if (domain !== undefined) return domain;
  } else {
    const address = parseAddress(text, domainToASCII);
    if (address !== undefined) return formatAddress(address);
  }
  throw wrongField(name, 'a domain or an address');
}

/** Only addresses in domains have others beside them that are the same person's. */
function readAddress(fields: ControlFields): string {
  const address = readListedAddress(fields);
  if (address.endsWith(']')) throw wrongField('address', 'an address in a domain');
  return address;
}

/** An address literal too: a refusal from there may have put it on the list. */
function readListedAddress(fields: ControlFields): string {
  const address = parseAddress(fields.text('address'), domainToASCII);
  if (address === undefined) throw wrongField('address', 'an address');
  return formatAddress(address);
}
