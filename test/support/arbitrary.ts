/**
 * Random histories of an account: commands that make sense where they stand, drawn from numbers.
 *
 * fast-check draws and shrinks the numbers; `commandOf` turns one draw into a command about
 * mailboxes, messages, outgoing mail and webhooks that exist at that moment, so that most commands
 * change something and some are refused. The same draws always make the same history.
 */

import fc from 'fast-check';
import { hookCommandOf } from './arbitrary-hooks.ts';
import { queueCommandOf } from './arbitrary-queue.ts';
import { ARRIVAL, recorded, stored } from './given.ts';
import { BOTH } from './hooks.ts';
import { decideAccount, type AccountCommand } from '#domain/account';
import { emptyAccountState, evolveAccount, type AccountRecords } from '#domain/account-state';
import { DEFAULT_POLICY, DEFAULT_SETTINGS, type AccountPolicy } from '#domain/directory/settings';
import type { AccountFact } from '#domain/log/streams';
import type { MailboxRecord } from '#domain/mailbox/state';
import type { StoredMessage } from '#domain/message/enter';
import type { AccountId, ModSeq } from '#domain/values/ids';
import { uidSetOf, type UidSet } from '#domain/values/uid-set';

/** Five numbers from which one command is made. */
export interface Draw {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly bits: number;
}

const number = fc.nat({ max: 999 });

const KINDS_MAX = 155;
/** Draws from here on are about outgoing mail. */
const QUEUE_KINDS = 100;
/** And from here on about webhooks. */
const HOOK_KINDS = 140;

function arbitraryDraw(kindMin: number): fc.Arbitrary<Draw> {
  return fc.record({
    kind: fc.integer({ min: kindMin, max: KINDS_MAX }),
    a: number,
    b: number,
    c: number,
    bits: fc.nat({ max: 2 ** 20 - 1 }),
  });
}

/** Draws for up to `max` commands. */
export function arbitraryDraws(max: number): fc.Arbitrary<readonly Draw[]> {
  return fc.array(arbitraryDraw(0), { maxLength: max, size: 'max' });
}

const NAMES = ['a', 'a/b', 'a/b/c', 'b', 'Inbox/x', 'Old', 'Projects/2026', 'Ärger'];
const FLAGS = ['\\Seen', '\\Deleted', '\\Flagged', '$Junk', '$NotJunk', 'work', 'later'];
const OPS = ['add', 'remove', 'replace'] as const;
const USES = [undefined, undefined, '\\Archive', '\\Sent', '\\Junk'] as const;

function flagsOf(draw: Draw): readonly string[] {
  return FLAGS.filter((_, i) => (draw.bits & (1 << i)) !== 0);
}

function mailboxes(state: AccountRecords): readonly MailboxRecord[] {
  return [...state.mailboxRecords.mailboxes.values()];
}

/** One of the mailboxes, the first ones more often. */
function mailboxAt(state: AccountRecords, n: number): MailboxRecord {
  const all = mailboxes(state);
  const found = all[(n % 3 === 0 ? n : n % 3) % all.length];
  if (found === undefined) throw new Error('the account has no mailbox yet');
  return found;
}

/** Some of the UIDs of a mailbox that were given out, and one that was not. */
function uidsIn(mailbox: MailboxRecord, draw: Draw): UidSet {
  if (draw.c % 4 === 0) return [[1, mailbox.uidNext]];
  const uids: number[] = [];
  for (let uid = 1; uid <= mailbox.uidNext; uid++) {
    if (((draw.bits >> (uid % 20)) & 1) === 1) uids.push(uid);
  }
  return uidSetOf(uids);
}

function storedMessage(draw: Draw, i: number): StoredMessage {
  const digit = ((draw.a + i) % 16).toString(16);
  return {
    ...stored(...flagsOf({ ...draw, bits: draw.bits >> i })),
    body: digit.repeat(64),
    sizeBytes: 1 + draw.b,
    receivedAt: 900_000_000 + draw.c * 86_400_000,
    zoneMinutes: 60 * (draw.c % 3),
  };
}

function unchangedSince(draw: Draw, head: ModSeq): { readonly unchangedSince?: ModSeq } {
  return draw.b % 3 === 0 ? { unchangedSince: draw.b % (head + 1) } : {};
}

/** The command that a draw means in this state, `head` being the highest modseq so far. */
export function commandOf(draw: Draw, state: AccountRecords, head: ModSeq): AccountCommand {
  if (mailboxes(state).length === 0) return { type: 'OpenAccount' };
  const { kind } = draw;
  if (kind >= HOOK_KINDS) return hookCommandOf(draw, state);
  if (kind >= QUEUE_KINDS) return queueCommandOf(draw, state);
  const source = mailboxAt(state, draw.a);
  const target = mailboxAt(state, draw.b).name;
  if (kind < 20) {
    const makeMailbox = draw.c % 5 === 0;
    return {
      type: 'DeliverMessage',
      mailbox: makeMailbox ? (NAMES[draw.b % NAMES.length] ?? 'a') : source.name,
      makeMailbox,
      message: storedMessage(draw, 0),
      arrival: ARRIVAL,
    };
  }
  if (kind < 35) {
    const messages = Array.from({ length: 1 + (draw.b % 4) }, (_, i) => storedMessage(draw, i));
    return { type: 'AppendMessages', mailbox: source.name, messages };
  }
  const uids = uidsIn(source, draw);
  const { mailboxId } = source;
  if (kind < 55) {
    const op = OPS[draw.c % OPS.length] ?? 'add';
    const flags = flagsOf(draw);
    return { type: 'ChangeFlags', mailboxId, uids, op, flags, ...unchangedSince(draw, head) };
  }
  if (kind < 63) return { type: 'CopyMessages', source: mailboxId, uids, target };
  if (kind < 73) return { type: 'MoveMessages', source: mailboxId, uids, target };
  if (kind < 77) return { type: 'ExpungeMessages', mailboxId };
  if (kind < 80) return { type: 'ExpungeMessages', mailboxId, uids };
  if (kind < 83) {
    const uid = uids[0]?.[0] ?? source.uidNext;
    return {
      type: 'ReplaceMessage',
      source: mailboxId,
      uid,
      target,
      message: storedMessage(draw, 0),
    };
  }
  return mailboxCommandOf(draw, source);
}

function mailboxCommandOf(draw: Draw, source: MailboxRecord): AccountCommand {
  const { kind } = draw;
  const name = NAMES[draw.b % NAMES.length] ?? 'a';
  if (kind < 89) {
    const specialUse = USES[draw.c % USES.length];
    return { type: 'CreateMailbox', name, ...(specialUse === undefined ? {} : { specialUse }) };
  }
  if (kind < 94) return { type: 'RenameMailbox', from: source.name, to: name };
  if (kind < 96) return { type: 'DeleteMailbox', name };
  if (kind < 97) return { type: 'UnsubscribeMailbox', name };
  if (kind < 99) return annotation(draw, source.name);
  return { type: 'SubscribeMailbox', name };
}

/** Some annotation of a mailbox or of the account gets a value, or has none any more. */
function annotation(draw: Draw, mailbox: string): AccountCommand {
  const value = draw.c % 3 === 0 ? null : 'x'.repeat(draw.b % 50);
  const entries = [{ name: `/private/${NAMES[draw.c % 3] ?? 'a'}`, value }];
  return { type: 'SetAnnotations', entries, ...(draw.a % 4 > 0 && { mailbox }) };
}

/** What happened to an account, and what is true in the end. */
export interface History {
  readonly commands: readonly AccountCommand[];
  readonly facts: readonly AccountFact[];
  readonly state: AccountRecords;
}

const POLICY: AccountPolicy = {
  ...DEFAULT_POLICY,
  settings: { ...DEFAULT_SETTINGS, ...BOTH, keepRetiredMs: 600_000, keepRetiredHooksMs: 400_000 },
  holdRules: [{ ruleId: 1, recipient: 'held.example' }],
};

/** Carries out OpenAccount and one command per draw; a minute passes between commands. */
function historyOf(draws: readonly Draw[], accountId: AccountId = 7): History {
  const state = emptyAccountState();
  const commands: AccountCommand[] = [];
  const facts: AccountFact[] = [];
  const start: Draw = { kind: 0, a: 0, b: 0, c: 0, bits: 0 };
  for (const [i, draw] of [start, ...draws].entries()) {
    const command = commandOf(draw, state, facts.length);
    const at = 1_000_000_000 + i * 60_000;
    const decision = decideAccount(command, state, { accountId, at, policy: POLICY });
    commands.push(command);
    if ('refused' in decision) continue;
    for (const fact of recorded(decision.events, facts.length, at)) {
      evolveAccount(state, fact);
      facts.push(fact);
    }
  }
  return { commands, facts, state };
}

/** Histories of up to `max` commands. */
export function arbitraryHistory(max: number): fc.Arbitrary<History> {
  return arbitraryDraws(max).map((draws) => historyOf(draws));
}

/** The same with nothing but outgoing mail. */
export function arbitraryQueueHistory(max: number): fc.Arbitrary<History> {
  const draws = fc.array(arbitraryDraw(QUEUE_KINDS), { maxLength: max, size: 'max' });
  return draws.map((list) => historyOf(list));
}

/** Sets of numbers 1 … `max`, with few or many gaps. */
export function arbitraryUidSet(max: number): fc.Arbitrary<UidSet> {
  return fc.array(fc.integer({ min: 1, max }), { maxLength: max }).map((uids) => uidSetOf(uids));
}
