/**
 * The words of APPEND, REPLACE, STORE, COPY, MOVE and UID EXPUNGE, behind tag and verb.
 *
 * APPEND and REPLACE are read in steps, because messages are streamed: up to each literal, then on
 * behind it. The others read the space before their first argument and insist on the end of the
 * command.
 *
 * RFC 9051 §9, RFC 3502 (several messages), RFC 6855 §4 (UTF8), RFC 7162 §3.1.3
 */

import { BadSyntax, type Parser } from './parser.ts';
import type { Command, LiteralMark } from './reader.ts';
import { STAR, type AppendWords, type SequenceSet, type StoreWords } from './words.ts';
import type { ModSeq } from '#domain/values/ids';

/** True when the first line ends where the name of the mailbox should stand. */
export function appendMailboxIsLiteral(command: Command): boolean {
  const line = command.lines[0] ?? '';
  return command.open !== undefined && /^[^ ]+ (APPEND|(UID )?REPLACE [^ ]+) $/i.test(line);
}

export function appendMailbox(p: Parser): string {
  p.space();
  return p.mailbox();
}

export interface AppendMessageWords {
  readonly words: AppendWords;
  /** The literal, still to be read, that holds the message. */
  readonly literal: LiteralMark;
  /** RFC 6855 §4: `UTF8 (~{n}…)`; a parenthesis follows the message. */
  readonly wrapped: boolean;
}

/** One message, up to its literal. */
export function appendMessage(p: Parser): AppendMessageWords {
  p.space();
  let flags: readonly string[] = [];
  if (p.sees('(')) {
    flags = p.flagList();
    p.space();
  }
  const received = p.sees('"') ? p.dateTime() : undefined;
  if (received !== undefined) p.space();
  const wrapped = p.tryWord('UTF8');
  if (wrapped) {
    p.space();
    p.expect('(');
  }
  const literal = p.openLiteral();
  if (literal === undefined) throw new BadSyntax('Expected the message as a literal.');
  if (wrapped && !literal.binary) throw new BadSyntax('UTF8 wants a literal8.');
  const words: AppendWords = {
    flags,
    ...(received !== undefined && {
      receivedAt: received.at,
      zoneMinutes: received.zoneMinutes,
    }),
  };
  return { words, literal, wrapped };
}

/** On the line behind a message: true when another message follows. RFC 3502 §6.3.11 */
export function appendMore(p: Parser, wrapped: boolean): boolean {
  if (wrapped) p.expect(')');
  return !p.atEnd();
}

/** STORE and UID STORE. */
export function store(p: Parser): StoreWords {
  p.space();
  const set = p.sequenceSet();
  p.space();
  let unchangedSince: ModSeq | undefined;
  if (p.sees('(')) {
    p.list(() => {
      if (unchangedSince !== undefined || !p.tryWord('UNCHANGEDSINCE')) {
        throw new BadSyntax('The modifier is not known, or occurs twice.');
      }
      p.space();
      unchangedSince = p.modSeqOrZero();
    });
    p.space();
  }
  const match = /^([+-]?)FLAGS(\.SILENT)?$/.exec(p.word());
  if (match === null) throw new BadSyntax('Expected FLAGS, +FLAGS or -FLAGS.');
  p.space();
  const flags = p.sees('(') ? p.flagList() : bareFlags(p);
  p.end();
  return {
    set,
    op: match[1] === '+' ? 'add' : match[1] === '-' ? 'remove' : 'replace',
    silent: match[2] !== undefined,
    flags: [...new Set(flags)],
    ...(unchangedSince !== undefined && { unchangedSince }),
  };
}

function bareFlags(p: Parser): string[] {
  const flags: string[] = [];
  do flags.push(p.flag());
  while (p.trySpace());
  return flags;
}

/** RFC 8508 §3.4: what is replaced, up to the name of the target. `*` is STAR. */
export function replacedNumber(p: Parser): number {
  p.space();
  if (p.tryChar('*')) return STAR;
  return p.nzNumber();
}

export interface CopyWords {
  readonly set: SequenceSet;
  readonly mailbox: string;
}

/** COPY, MOVE and their UID forms. */
export function copy(p: Parser): CopyWords {
  p.space();
  const set = p.sequenceSet();
  p.space();
  const mailbox = p.mailbox();
  p.end();
  return { set, mailbox };
}

export function uidExpunge(p: Parser): SequenceSet {
  p.space();
  const set = p.sequenceSet();
  p.end();
  return set;
}
