/**
 * One answer of a server, read into a value: typed where the client knows what it is, a name and a
 * text where not.
 *
 * Diagnostics: BadSyntax, and nothing else, for what cannot be told apart from noise; the
 * conversation is over then. What stands behind the end of a known answer is not looked at.
 *
 * RFC 9051 §7, RFC 7162 §3.2.10 (VANISHED), §3.1.5 (MODSEQ of SEARCH), RFC 4731 (ESEARCH)
 */

import { normalUidSet } from '#domain/values/uid-set';
import { capabilities, statusText } from './client-codes.ts';
import { fetchedMessage } from './client-parser-fetch.ts';
import {
  astringText,
  flag,
  lenientText,
  mailboxText,
  nstringText,
  skipValue,
} from './client-tokens.ts';
import type {
  ExtendedSearch,
  ListedMailbox,
  MailboxStatus,
  Response,
  ServerNews,
} from './client-words.ts';
import { BadSyntax, Parser, type ParserModes } from './parser.ts';
import { begun, type Command } from './reader.ts';
import { STATUS_ITEMS, type StatusItem } from './words.ts';

/** Answers that end in a text for people, which may look like the mark of a literal. */
const WITH_TEXT = /^(?:\+|\* (?:OK|NO|BAD|BYE|PREAUTH)\b|[^ *+]+ (?:OK|NO|BAD)\b)/i;

/** The answer that begins with a line; its literals are still to be read. */
export function responseBegun(line: string): Command {
  return WITH_TEXT.test(line) ? { lines: [line], literals: [], open: undefined } : begun(line);
}

/** `modes.utf8`: names of mailboxes are UTF-8 and not modified UTF-7. */
export function parseResponse(command: Command, modes: ParserModes): Response {
  if (command.lines.at(-1)?.endsWith('\n') === true) throw new BadSyntax('A line lacks its CR.');
  // Whatever is enabled, servers write eight-bit characters where they should not.
  const p = new Parser(command, { utf8: true });
  if (p.tryChar('+')) {
    p.trySpace();
    return { type: 'continuation', text: p.rest() };
  }
  if (p.tryChar('*')) {
    p.space();
    return p.seesDigit() ? numbered(p) : named(p, modes);
  }
  const tag = p.tag();
  p.space();
  const status = p.word();
  if (status !== 'OK' && status !== 'NO' && status !== 'BAD') {
    throw new BadSyntax('The answer to a command is neither OK nor NO nor BAD.');
  }
  p.trySpace();
  return { type: 'tagged', tag, status, ...statusText(p.rest()) };
}

/** `* 5 EXISTS` */
function numbered(p: Parser): ServerNews {
  const number = p.number();
  p.space();
  const name = p.word();
  switch (name) {
    case 'EXISTS':
      return { type: 'exists', count: number };
    case 'RECENT':
      return { type: 'recent', count: number };
    case 'EXPUNGE':
      return { type: 'expunge', seq: number };
    case 'FETCH':
      p.space();
      return { type: 'fetch', ...fetchedMessage(p, number) };
    case 'UIDFETCH':
      // RFC 9586 §3.3: the number is the UID.
      p.space();
      return { type: 'fetch', ...fetchedMessage(p, 0), uid: number };
    default:
      return { type: 'other', name, text: `${number}${lenientText(p.rest())}` };
  }
}

function named(p: Parser, modes: ParserModes): ServerNews {
  const name = p.word();
  p.trySpace();
  switch (name) {
    case 'OK':
    case 'NO':
    case 'BAD':
    case 'BYE':
    case 'PREAUTH':
      return { type: 'status', status: name, ...statusText(p.rest()) };
    case 'CAPABILITY':
      return { type: 'capability', capabilities: capabilities(p.rest()) };
    case 'ENABLED':
      return { type: 'enabled', capabilities: capabilities(p.rest()) };
    case 'FLAGS':
      return { type: 'flags', flags: p.list(() => flag(p), 'may be empty') };
    case 'VANISHED':
      return { type: 'vanished', earlier: p.tryText('(EARLIER) '), uids: uidSet(p) };
    case 'LIST':
      return { type: 'list', ...listed(p, modes) };
    case 'STATUS':
      return { type: 'mailbox-status', ...mailboxStatus(p, modes) };
    case 'SEARCH':
      return searched(p);
    case 'ESEARCH':
      return { type: 'esearch', ...extendedSearch(p) };
    case 'ID':
      return { type: 'id', fields: idFields(p) };
    default:
      return { type: 'other', name, text: lenientText(p.rest()) };
  }
}

function uidSet(p: Parser): ReturnType<typeof normalUidSet> {
  return normalUidSet(p.ranges());
}

function listed(p: Parser, modes: ParserModes): ListedMailbox {
  const attributes = p.list(() => flag(p), 'may be empty');
  p.space();
  const separator = nstringText(p);
  p.space();
  const name = mailboxText(p, modes.utf8);
  const childInfo: string[] = [];
  if (p.trySpace()) {
    // RFC 5258 §6 mbox-list-extended
    p.list(() => {
      const item = astringText(p).toUpperCase();
      p.space();
      if (item === 'CHILDINFO') childInfo.push(...p.list(() => astringText(p).toUpperCase()));
      else skipValue(p);
    }, 'may be empty');
  }
  return { name, attributes, separator, childInfo };
}

function mailboxStatus(p: Parser, modes: ParserModes): MailboxStatus {
  const mailbox = mailboxText(p, modes.utf8);
  p.space();
  const values: Partial<Record<StatusItem, number>> = {};
  let objectId: string | undefined;
  p.list(() => {
    const name = p.word();
    p.space();
    const item = STATUS_ITEMS.find((one) => one === name);
    if (item === 'MAILBOXID') objectId = p.list(() => p.astring())[0];
    else if (item !== undefined && p.seesDigit()) values[item] = p.number64();
    else skipValue(p);
  }, 'may be empty');
  const { MAILBOXID: _, ...numbers } = values;
  return {
    mailbox,
    values: { ...numbers, ...(objectId !== undefined && { MAILBOXID: objectId }) },
  };
}

function searched(p: Parser): ServerNews {
  const numbers: number[] = [];
  while (p.seesDigit()) {
    numbers.push(p.number());
    p.trySpace();
  }
  if (!p.tryText('(MODSEQ ')) return { type: 'search', numbers };
  return { type: 'search', numbers, modSeq: p.modSeqOrZero() };
}

function extendedSearch(p: Parser): ExtendedSearch {
  let tag: string | undefined;
  if (p.tryText('(TAG ')) {
    tag = astringText(p);
    p.expect(')');
    p.trySpace();
  }
  const uid = p.tryWord('UID');
  if (uid) p.trySpace();
  const found: { -readonly [Name in keyof ExtendedSearch]: ExtendedSearch[Name] } = { uid };
  if (tag !== undefined) found.tag = tag;
  while (!p.atEnd()) {
    const name = p.word();
    p.space();
    if (name === 'MIN') found.min = p.number();
    else if (name === 'MAX') found.max = p.number();
    else if (name === 'COUNT') found.count = p.number();
    else if (name === 'ALL') found.all = uidSet(p);
    else if (name === 'MODSEQ') found.modSeq = p.modSeqOrZero();
    else skipValue(p);
    p.trySpace();
  }
  return found;
}

/** RFC 2971 §3.3: NIL, or names with values of which each may be NIL. */
function idFields(p: Parser): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  if (p.tryWord('NIL')) return fields;
  p.list(() => {
    const name = astringText(p).toLowerCase();
    p.space();
    const value = nstringText(p);
    if (value !== undefined) fields.set(name, value);
  }, 'may be empty');
  return fields;
}
