/**
 * SEARCH, in the extended form where the server has it; either way with the same result.
 *
 * RFC 9051 §6.4.4, RFC 4731 (ESEARCH), RFC 5182 (SAVE), RFC 7162 §3.1.5 (MODSEQ)
 */

import type { ModSeq } from '#domain/values/ids';
import { highestUid, lowestUid, uidCount, uidSetOf, type UidSet } from '#domain/values/uid-set';
import type { Conversation } from './client-conversation.ts';
import { ImapClientError } from './client-error.ts';
import { Gathered } from './client-gathered.ts';
import { badArgument, CommandLine, setText } from './client-line.ts';
import type { ServerNews } from './client-words.ts';
import type { SearchKey, SearchReturn, SequenceSet } from './words.ts';

export interface SearchOptions {
  /** Results, and no others, as sequence numbers instead of UIDs. */
  readonly bySeq?: boolean;
  /** What to tell of the result; all of it when absent. */
  readonly returns?: readonly SearchReturn[];
  readonly signal?: AbortSignal;
}

/** What was asked for; `min` and `max` are undefined when nothing was found. */
export interface SearchResult {
  readonly all?: UidSet;
  readonly min?: number;
  readonly max?: number;
  readonly count?: number;
  /** The highest mod-sequence of what is told, where the search was for mod-sequences. */
  readonly modSeq?: ModSeq;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DEPTH_MAX = 50;

export async function search(
  conversation: Conversation,
  key: SearchKey,
  options: SearchOptions = {},
): Promise<SearchResult> {
  const { bySeq = false, returns = ['ALL'], signal } = options;
  const { capabilities } = conversation;
  const isExtended = capabilities.has('ESEARCH') || capabilities.has('IMAP4REV2');
  if (returns.includes('SAVE') && !isExtended) {
    throw new ImapClientError('NotOffered', 'The server does not offer SEARCHRES.');
  }
  const line = new CommandLine(bySeq ? 'SEARCH' : 'UID SEARCH');
  if (isExtended) line.put(` RETURN (${returns.join(' ')})`);
  const keyLine = new CommandLine('');
  putKey(keyLine, key, 0);
  // RFC 9051 §6.4.4: without it the texts are US-ASCII for servers of IMAP4rev1.
  const isPlain = keyLine.pieces.every((piece) => typeof piece === 'string');
  if (!isPlain && !conversation.utf8) line.put(' CHARSET UTF-8');
  line.put(' ').pieces.push(...keyLine.pieces.slice(1));
  const found = new Found(conversation);
  await conversation.run(
    {
      line,
      namesSeqs: true,
      keepsSeqs: bySeq,
      takes: ['search', 'esearch'],
      take: (news) => found.take(news),
    },
    signal,
  );
  return found.result(returns);
}

/** Results of either form. */
class Found {
  readonly #numbers: Gathered<number>;
  #extended: (ServerNews & { readonly type: 'esearch' }) | undefined;
  #modSeq: ModSeq | undefined;

  constructor(conversation: Conversation) {
    this.#numbers = new Gathered(conversation);
  }

  take(news: ServerNews): boolean {
    if (news.type === 'esearch') this.#extended = news;
    else if (news.type !== 'search') return false;
    else {
      this.#numbers.add(...news.numbers);
      if (news.modSeq !== undefined) this.#modSeq = Math.max(this.#modSeq ?? 0, news.modSeq);
    }
    return true;
  }

  result(returns: readonly SearchReturn[]): SearchResult {
    const all = this.#extended?.all ?? uidSetOf(this.#numbers.items);
    const {
      min,
      max,
      count,
      modSeq = this.#modSeq,
    } = this.#extended ?? {
      min: lowestUid(all),
      max: highestUid(all),
      count: uidCount(all),
    };
    return {
      ...(returns.includes('ALL') && { all }),
      ...(returns.includes('MIN') && min !== undefined && { min }),
      ...(returns.includes('MAX') && max !== undefined && { max }),
      ...(returns.includes('COUNT') && { count: count ?? 0 }),
      ...(modSeq !== undefined && { modSeq }),
    };
  }
}

function putKey(line: CommandLine, key: SearchKey, depth: number): void {
  if (depth > DEPTH_MAX) throw badArgument('The search is nested too deeply.');
  switch (key.type) {
    case 'AND':
      return putAll(line, key.keys, depth);
    case 'OR':
      line.put('OR ');
      putKey(line, key.left, depth + 1);
      line.put(' ');
      return putKey(line, key.right, depth + 1);
    case 'NOT':
      line.put('NOT ');
      return putKey(line, key.key, depth + 1);
    case 'SEQUENCE':
      return void line.put(sequenceText(key.set));
    case 'UID':
      return void line.put(`UID ${sequenceText(key.set)}`);
    case 'FLAG':
      return putFlag(line, key.flag);
    case 'HEADER':
      return void line.put('HEADER ').string(key.field).put(' ').string(key.text);
    case 'LARGER':
    case 'SMALLER':
      return void line.put(`${key.type} ${key.bytes}`);
    case 'OLDER':
    case 'YOUNGER':
      return void line.put(`${key.type} ${key.seconds}`);
    case 'MODSEQ':
      return void line.put(`MODSEQ ${key.atLeast}`);
    case 'EMAILID':
    case 'THREADID':
      return void line.put(`${key.type} `).atom(key.id);
    default:
      line.put(key.type);
      if ('text' in key) line.put(' ').string(key.text);
      else if ('day' in key) line.put(` ${dayText(key.day)}`);
  }
}

function putAll(line: CommandLine, keys: readonly SearchKey[], depth: number): void {
  if (keys.length === 0) return void line.put('ALL');
  line.put('(');
  for (const [i, key] of keys.entries()) {
    if (i > 0) line.put(' ');
    putKey(line, key, depth + 1);
  }
  line.put(')');
}

/** RFC 9051 §6.4.4: system flags have keys of their own, without the backslash. */
function putFlag(line: CommandLine, flag: string): void {
  if (flag.startsWith('\\')) line.atom(flag.slice(1).toUpperCase());
  else line.put('KEYWORD ').atom(flag);
}

function sequenceText(set: SequenceSet): string {
  return setText({ seqs: set.type === 'saved' ? '$' : set.ranges });
}

/** `1-Jan-2022` of 20220101. */
function dayText(day: number): string {
  const month = MONTHS[(Math.floor(day / 100) % 100) - 1];
  if (month === undefined) throw badArgument(`This is no day: ${day}`);
  return `${day % 100}-${month}-${String(Math.floor(day / 10_000)).padStart(4, '0')}`;
}
