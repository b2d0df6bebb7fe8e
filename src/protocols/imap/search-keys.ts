/**
 * What SEARCH and its kin ask for: return options, charset, and the tree of keys.
 *
 * Diagnostics: BadCharset when texts are in a charset we do not read; all else is BadSyntax.
 *
 * RFC 9051 §6.4.4 and §9 (search-key), RFC 4731 (RETURN), RFC 5032 (OLDER, YOUNGER), RFC 5182
 * (SAVE), RFC 7162 §3.1.5 (MODSEQ), RFC 8474 §6 (EMAILID), RFC 8514 §4.3 (SAVEDATE), RFC 9394 §3.1
 * (PARTIAL), RFC 9586 §3.5 (UIDAFTER, UIDBEFORE)
 */

import { IMAP_SEARCH_KEYS_MAX } from '../limits.ts';
import { BadSyntax, type Parser } from './parser.ts';
import { resultRange } from './partial.ts';
import { canonicalFlag } from '#domain/values/flags';
import { uidRange } from '#domain/values/uid-set';
import {
  UID_MAX,
  type ResultRange,
  type ReturnWords,
  type SearchKey,
  type SearchReturn,
  type SearchWords,
} from './words.ts';

/** Ends as NO [BADCHARSET (US-ASCII UTF-8)]. RFC 9051 §6.4.4 */
export class BadCharset extends Error {
  override readonly name = 'BadCharset';
  /** RFC 5182 §2.1: the search was to be saved, so what was saved before is forgotten. */
  readonly saves: boolean;

  constructor(saves: boolean) {
    super('Only US-ASCII and UTF-8 are known here.');
    this.saves = saves;
  }
}

const RETURNS: Readonly<Record<SearchReturn, true>> = {
  MIN: true,
  MAX: true,
  ALL: true,
  COUNT: true,
  SAVE: true,
};

function isReturn(word: string): word is SearchReturn {
  return Object.hasOwn(RETURNS, word);
}

/** SEARCH and UID SEARCH. */
export function search(p: Parser): SearchWords {
  p.space();
  return searchProgram(p);
}

/** RFC 7377 §4: return options, charset and keys. */
export function searchProgram(p: Parser): SearchWords {
  const returned = searchReturns(p);
  if (p.tryWord('CHARSET')) {
    p.space();
    charset(p, returned);
    p.space();
  }
  return { ...returned, key: searchKeys(p) };
}

/** RETURN with its options and the space behind them, if it comes next. */
export function searchReturns(p: Parser): ReturnWords {
  if (!p.tryWord('RETURN')) return {};
  p.space();
  const returns = new Set<SearchReturn>();
  let partial: ResultRange | undefined;
  p.list(() => {
    const word = p.word();
    if (word === 'PARTIAL' && partial === undefined) {
      p.space();
      partial = resultRange(p);
    } else if (isReturn(word)) returns.add(word);
    else throw new BadSyntax('The return option is not known, or occurs twice.');
  }, 'may be empty');
  p.space();
  if (partial === undefined) {
    // RFC 9051 §6.4.4: no options at all means ALL.
    return { returns: returns.size === 0 ? returns.add('ALL') : returns };
  }
  // RFC 9394 §3.1
  if (returns.has('ALL')) throw new BadSyntax('PARTIAL and ALL exclude each other.');
  return { returns, partial };
}

/** The name of a charset that we read. Throws BadCharset for any other. */
export function charset(p: Parser, { returns }: ReturnWords = {}): void {
  const name = p.astring().toUpperCase();
  if (name === 'US-ASCII' || name === 'UTF-8') return;
  // Where nothing follows, the charset itself was left out.
  p.expect(' ');
  throw new BadCharset(returns?.has('SAVE') === true);
}

/** The keys up to the end of the command. */
export function searchKeys(p: Parser): SearchKey {
  const key = new KeyReader(p).keys();
  p.end();
  return key;
}

/** Keys that are the same word everywhere. */
const SIMPLE_KEYS: Readonly<Record<string, SearchKey>> = {
  ALL: { type: 'ALL' },
  NEW: { type: 'NEW' },
  OLD: { type: 'OLD' },
  RECENT: { type: 'RECENT' },
  SAVEDATESUPPORTED: { type: 'SAVEDATESUPPORTED' },
  ANSWERED: { type: 'FLAG', flag: '\\Answered' },
  DELETED: { type: 'FLAG', flag: '\\Deleted' },
  DRAFT: { type: 'FLAG', flag: '\\Draft' },
  FLAGGED: { type: 'FLAG', flag: '\\Flagged' },
  SEEN: { type: 'FLAG', flag: '\\Seen' },
  UNANSWERED: { type: 'NOT', key: { type: 'FLAG', flag: '\\Answered' } },
  UNDELETED: { type: 'NOT', key: { type: 'FLAG', flag: '\\Deleted' } },
  UNDRAFT: { type: 'NOT', key: { type: 'FLAG', flag: '\\Draft' } },
  UNFLAGGED: { type: 'NOT', key: { type: 'FLAG', flag: '\\Flagged' } },
  UNSEEN: { type: 'NOT', key: { type: 'FLAG', flag: '\\Seen' } },
};

/** Reads keys and counts them: a search grows with the line, but not without bound. */
class KeyReader {
  readonly #p: Parser;
  #count = 0;

  constructor(p: Parser) {
    this.#p = p;
  }

  /** One key or more, all of which must match. */
  keys(): SearchKey {
    const keys: SearchKey[] = [];
    do keys.push(this.#key());
    while (this.#p.trySpace());
    return keys.length === 1 && keys[0] !== undefined ? keys[0] : { type: 'AND', keys };
  }

  #key(): SearchKey {
    const p = this.#p;
    if (++this.#count > IMAP_SEARCH_KEYS_MAX) throw new BadSyntax('There are too many keys.');
    if (p.tryChar('(')) {
      const key = p.deeper(() => this.keys());
      p.expect(')');
      return key;
    }
    if (p.seesDigit() || p.sees('*') || p.sees('$')) {
      return { type: 'SEQUENCE', set: p.sequenceSet() };
    }
    const name = p.word();
    return (
      (Object.hasOwn(SIMPLE_KEYS, name) ? SIMPLE_KEYS[name] : undefined) ??
      this.#withArguments(name)
    );
  }

  #withArguments(name: string): SearchKey {
    const p = this.#p;
    // RFC 9051 §9: all keys that remain have an argument.
    p.space();
    switch (name) {
      case 'NOT':
        return { type: 'NOT', key: this.#key() };
      case 'OR': {
        const left = this.#key();
        p.space();
        return { type: 'OR', left, right: this.#key() };
      }
      case 'UID':
        return { type: 'UID', set: p.sequenceSet() };
      case 'KEYWORD':
        return { type: 'FLAG', flag: keyword(p) };
      case 'UNKEYWORD':
        return { type: 'NOT', key: { type: 'FLAG', flag: keyword(p) } };
      case 'HEADER': {
        const field = p.astring();
        p.space();
        return { type: name, field, text: p.astring() };
      }
      case 'SUBJECT':
      case 'FROM':
      case 'TO':
      case 'CC':
      case 'BCC':
      case 'BODY':
      case 'TEXT':
        return { type: name, text: p.astring() };
      default:
        return valueKey(p, name);
    }
  }
}

/** Keys about one number, date or id. */
function valueKey(p: Parser, name: string): SearchKey {
  switch (name) {
    case 'LARGER':
    case 'SMALLER':
      return { type: name, bytes: p.number64() };
    case 'BEFORE':
    case 'ON':
    case 'SINCE':
    case 'SENTBEFORE':
    case 'SENTON':
    case 'SENTSINCE':
    case 'SAVEDBEFORE':
    case 'SAVEDON':
    case 'SAVEDSINCE':
      return { type: name, day: p.date() };
    case 'UIDAFTER':
      return uidKey(p.nzNumber() + 1, UID_MAX);
    case 'UIDBEFORE':
      return uidKey(1, p.nzNumber() - 1);
    case 'OLDER':
    case 'YOUNGER':
      return { type: name, seconds: p.nzNumber() };
    case 'MODSEQ':
      return modSeqKey(p);
    case 'EMAILID':
    case 'THREADID':
      return { type: name, id: objectId(p) };
    default:
      throw new BadSyntax('The search key is not known.');
  }
}

function uidKey(first: number, last: number): SearchKey {
  return { type: 'UID', set: { type: 'numbers', ranges: uidRange(first, last) } };
}

function keyword(p: Parser): string {
  const flag = canonicalFlag(p.atom());
  if (flag === undefined) throw new BadSyntax('The keyword is not one that a message can have.');
  return flag;
}

/** RFC 7162 §3.1.5: an entry is told, but all flags of a message share one mod-sequence here. */
function modSeqKey(p: Parser): SearchKey {
  if (p.sees('"')) {
    if (!/^\/flags\/\\?[^\\/ ]+$/i.test(p.string())) throw new BadSyntax('Expected a flag entry.');
    p.space();
    if (!p.tryWord('PRIV') && !p.tryWord('SHARED') && !p.tryWord('ALL')) {
      throw new BadSyntax('Expected priv, shared or all.');
    }
    p.space();
  }
  return { type: 'MODSEQ', atLeast: p.modSeqOrZero() };
}

/** RFC 8474 §7 objectid */
function objectId(p: Parser): string {
  const id = p.atom();
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(id)) throw new BadSyntax('Expected an object id.');
  return id;
}
