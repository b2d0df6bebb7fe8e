/**
 * The words of commands about the session and about mailboxes, behind tag and verb.
 *
 * Each function reads the space before its first argument and insists on the end of the command.
 *
 * RFC 9051 §9, RFC 2971, RFC 4466, RFC 4959, RFC 5161, RFC 5258, RFC 5819, RFC 6154, RFC 7162,
 * RFC 9590
 */

import { IMAP_LIST_PATTERNS_MAX, IMAP_MATCH_PAIRS_MAX } from '../limits.ts';
import { entryNames } from './grammar-metadata.ts';
import { BadSyntax, type Parser } from './parser.ts';
import {
  STAR,
  STATUS_ITEMS,
  type ListWords,
  type QresyncWords,
  type SelectWords,
  type StatusItem,
  type StatusWords,
} from './words.ts';
import { SPECIAL_USES, type SpecialUse } from '#domain/mailbox/events';
import { normalUidSet, uidCount, type UidRange } from '#domain/values/uid-set';

export function noArguments(p: Parser): void {
  p.end();
}

interface LoginWords {
  readonly user: string;
  readonly password: string;
}

export function login(p: Parser): LoginWords {
  p.space();
  const user = p.astring();
  p.space();
  const password = p.astring();
  p.end();
  return { user, password };
}

interface AuthenticateWords {
  /** In capitals. */
  readonly mechanism: string;
  /** RFC 4959 §3: the initial response, which may be empty. */
  readonly initial?: Buffer;
}

export function authenticate(p: Parser): AuthenticateWords {
  p.space();
  const mechanism = p.atom().toUpperCase();
  if (!p.trySpace()) {
    p.end();
    return { mechanism };
  }
  if (p.tryChar('=')) {
    p.end();
    return { mechanism, initial: Buffer.alloc(0) };
  }
  const initial = base64(p.atom());
  p.end();
  return { mechanism, initial };
}

/** One response of the client within AUTHENTICATE. RFC 9051 §6.2.2: `*` gives up. */
export function saslResponse(line: string): Buffer | 'cancel' {
  return line === '*' ? 'cancel' : base64(line);
}

function base64(text: string): Buffer {
  const octets = Buffer.from(text, 'base64');
  if (octets.toString('base64') !== text) throw new BadSyntax('The response is not base64.');
  return octets;
}

/** RFC 2971 §3.3: more pairs must not be sent. */
const ID_PAIRS_MAX = 30;

/** Fields of the client, names in small letters; undefined for NIL. */
export function id(p: Parser): ReadonlyMap<string, string> | undefined {
  p.space();
  if (p.tryWord('NIL')) {
    p.end();
    return undefined;
  }
  const seen = new Set<string>();
  const fields = new Map<string, string>();
  p.list(() => {
    const name = p.string().toLowerCase();
    p.space();
    const value = p.nstring();
    if (seen.has(name)) throw new BadSyntax('A field occurs twice.');
    seen.add(name);
    if (seen.size > ID_PAIRS_MAX) throw new BadSyntax('There are more than 30 fields.');
    if (value !== undefined) fields.set(name, value);
  }, 'may be empty');
  p.end();
  return fields;
}

/** Names of capabilities, in capitals. */
export function enable(p: Parser): readonly string[] {
  const names: string[] = [];
  do {
    p.space();
    names.push(p.atom().toUpperCase());
  } while (!p.atEnd());
  return names;
}

/** The algorithm, in capitals. RFC 4978 §4 */
export function compress(p: Parser): string {
  p.space();
  const algorithm = p.atom().toUpperCase();
  p.end();
  return algorithm;
}

/** SELECT and EXAMINE. */
export function select(p: Parser): SelectWords {
  p.space();
  const mailbox = p.mailbox();
  let condstore = false;
  let resync: QresyncWords | undefined;
  if (p.trySpace()) {
    p.list(() => {
      if (!condstore && p.tryWord('CONDSTORE')) {
        condstore = true;
      } else if (resync === undefined && p.tryWord('QRESYNC')) {
        p.space();
        resync = qresync(p);
      } else {
        throw new BadSyntax('The parameter is not known, or occurs twice.');
      }
    });
  }
  p.end();
  return { mailbox, condstore, ...(resync !== undefined && { qresync: resync }) };
}

/** RFC 7162 §7 `(uidvalidity modseq [known-uids] [(known-seqs known-uids)])` */
function qresync(p: Parser): QresyncWords {
  p.expect('(');
  const uidValidity = p.nzNumber();
  p.space();
  const modSeq = p.modSeq();
  let known: UidRange[] | undefined;
  let match: QresyncWords['match'];
  if (p.trySpace()) {
    if (!p.sees('(')) known = knownRanges(p);
    if (known === undefined || p.trySpace()) match = matchData(p);
  }
  p.expect(')');
  return {
    uidValidity,
    modSeq,
    ...(known !== undefined && { knownUids: normalUidSet(known) }),
    ...(match !== undefined && { match }),
  };
}

function matchData(p: Parser): QresyncWords['match'] {
  p.expect('(');
  const seqs = ascending(knownRanges(p));
  p.space();
  const uids = ascending(knownRanges(p));
  p.expect(')');
  const count = uidCount(seqs);
  if (count !== uidCount(uids)) throw new BadSyntax('The sets differ in length.');
  // RFC 7162 §3.2.5.2: the pairs only save octets; so many of them cost more than they save.
  if (count > IMAP_MATCH_PAIRS_MAX) return undefined;
  return { seqs: members(seqs), uids: members(uids) };
}

/** RFC 7162 §7: neither `*` nor `$` stands in a set of what a client knows. */
function knownRanges(p: Parser): UidRange[] {
  const ranges = p.ranges();
  if (ranges.some(([, last]) => last === STAR)) throw new BadSyntax('"*" is not allowed here.');
  return ranges;
}

function ascending(ranges: UidRange[]): UidRange[] {
  let before = 0;
  for (const [first, last] of ranges) {
    if (first <= before) throw new BadSyntax('The set is not ascending.');
    before = last;
  }
  return ranges;
}

function members(ranges: readonly UidRange[]): number[] {
  const numbers: number[] = [];
  for (const [first, last] of ranges) for (let n = first; n <= last; n++) numbers.push(n);
  return numbers;
}

interface CreateWords {
  readonly mailbox: string;
  /** RFC 6154 §3: special uses that a mailbox of ours can have. */
  readonly uses: readonly SpecialUse[];
  /** A use was asked for that none of our mailboxes can have. */
  readonly unknownUse: boolean;
}

export function create(p: Parser): CreateWords {
  p.space();
  const mailbox = p.mailbox();
  const uses = new Set<SpecialUse>();
  let unknownUse = false;
  if (p.trySpace()) {
    let given = false;
    p.list(() => {
      if (given || !p.tryWord('USE')) {
        throw new BadSyntax('The parameter is not known, or occurs twice.');
      }
      given = true;
      p.space();
      p.list(() => {
        p.expect('\\');
        const name = `\\${p.atom()}`.toLowerCase();
        const use = SPECIAL_USES.find((known) => known.toLowerCase() === name);
        if (use === undefined) unknownUse = true;
        else uses.add(use);
      }, 'may be empty');
    });
  }
  p.end();
  return { mailbox, uses: [...uses], unknownUse };
}

/** DELETE, SUBSCRIBE, UNSUBSCRIBE. */
export function oneMailbox(p: Parser): string {
  p.space();
  const mailbox = p.mailbox();
  p.end();
  return mailbox;
}

interface RenameWords {
  readonly from: string;
  readonly to: string;
}

export function rename(p: Parser): RenameWords {
  p.space();
  const from = p.mailbox();
  p.space();
  const to = p.mailbox();
  p.end();
  return { from, to };
}

/** RFC 5258 §6; RFC 5819 §4 (STATUS); RFC 6154 §6 (SPECIAL-USE) */
export function list(p: Parser): ListWords {
  p.space();
  const selected = new Set<string>();
  if (p.sees('(')) {
    for (const option of p.list(() => p.word(), 'may be empty')) {
      if (!SELECTION_OPTIONS.has(option)) throw new BadSyntax('The option is not known.');
      selected.add(option);
    }
    p.space();
  }
  const recursiveMatch = selected.has('RECURSIVEMATCH');
  const selectSubscribed = selected.has('SUBSCRIBED');
  const selectSpecialUse = selected.has('SPECIAL-USE');
  if (recursiveMatch && !selectSubscribed && !selectSpecialUse) {
    throw new BadSyntax('RECURSIVEMATCH needs something to match.');
  }
  const reference = p.mailbox();
  p.space();
  const patterns = p.sees('(') ? p.list(() => p.listMailbox()) : [p.listMailbox()];
  if (patterns.length > IMAP_LIST_PATTERNS_MAX) throw new BadSyntax('There are too many patterns.');
  const returned: ReturnOptions = p.trySpace() ? returnOptions(p) : { names: new Set() };
  p.end();
  return {
    selectSubscribed,
    selectSpecialUse,
    recursiveMatch,
    reference,
    patterns,
    // RFC 5258 §3.1, RFC 6154 §2: what is selected by is also told.
    returnSubscribed: selectSubscribed || returned.names.has('SUBSCRIBED'),
    returnChildren: returned.names.has('CHILDREN'),
    returnSpecialUse: selectSpecialUse || returned.names.has('SPECIAL-USE'),
    ...(returned.status !== undefined && { returnStatus: returned.status }),
    ...(returned.metadata !== undefined && { returnMetadata: returned.metadata }),
  };
}

/** REMOTE asks for mailboxes on other servers; we have none. */
const SELECTION_OPTIONS = new Set(['SUBSCRIBED', 'REMOTE', 'RECURSIVEMATCH', 'SPECIAL-USE']);
const RETURN_OPTIONS = new Set(['SUBSCRIBED', 'CHILDREN', 'SPECIAL-USE']);

interface ReturnOptions {
  readonly names: ReadonlySet<string>;
  readonly status?: readonly StatusItem[];
  readonly metadata?: readonly string[];
}

function returnOptions(p: Parser): ReturnOptions {
  if (!p.tryWord('RETURN')) throw new BadSyntax('Expected RETURN.');
  p.space();
  const names = new Set<string>();
  let status: readonly StatusItem[] | undefined;
  let metadata: readonly string[] | undefined;
  p.list(() => {
    const option = p.word();
    if (option === 'STATUS' && status === undefined) {
      p.space();
      status = statusItems(p);
    } else if (option === 'METADATA' && metadata === undefined) {
      p.space();
      metadata = entryNames(p);
    } else if (RETURN_OPTIONS.has(option)) {
      names.add(option);
    } else {
      throw new BadSyntax('The option is not known, or occurs twice.');
    }
  }, 'may be empty');
  return {
    names,
    ...(status !== undefined && { status }),
    ...(metadata !== undefined && { metadata }),
  };
}

/** RFC 3501 §6.3.9: like LIST (SUBSCRIBED RECURSIVEMATCH) of one pattern. */
export function lsub(p: Parser): ListWords {
  p.space();
  const reference = p.mailbox();
  p.space();
  const pattern = p.listMailbox();
  p.end();
  return {
    selectSubscribed: true,
    selectSpecialUse: false,
    recursiveMatch: true,
    reference,
    patterns: [pattern],
    returnSubscribed: true,
    returnChildren: false,
    returnSpecialUse: false,
  };
}

export function status(p: Parser): StatusWords {
  p.space();
  const mailbox = p.mailbox();
  p.space();
  const items = statusItems(p);
  p.end();
  return { mailbox, items };
}

function statusItems(p: Parser): readonly StatusItem[] {
  const items = p.list(() => {
    const name = p.word();
    const item = STATUS_ITEMS.find((known) => known === name);
    if (item === undefined) throw new BadSyntax('The status item is not known.');
    return item;
  });
  return [...new Set(items)];
}
