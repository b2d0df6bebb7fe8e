/**
 * Flags of a message: the system flags, the registered `$` keywords, and free keywords.
 *
 * Invariants: keywords are lower-case, sorted, without repeats; `$Junk` and `$NotJunk` are never
 * both set. RFC 9051 §2.3.2; `\Recent` is never stored (not RFC 3501 §2.3.2: rev2 dropped it).
 */

/** Bit of each flag that has a fixed place; the order is stored and must not change. */
export const FLAG_BITS = {
  '\\Seen': 1,
  '\\Answered': 2,
  '\\Flagged': 4,
  '\\Deleted': 8,
  '\\Draft': 16,
  $Forwarded: 32,
  $Junk: 64,
  $NotJunk: 128,
  $Phishing: 256,
  $MDNSent: 512,
} as const;

export type FixedFlag = keyof typeof FLAG_BITS;

export const SEEN: number = FLAG_BITS['\\Seen'];
export const DELETED: number = FLAG_BITS['\\Deleted'];
const JUNK = FLAG_BITS.$Junk;
const NOT_JUNK = FLAG_BITS.$NotJunk;

export const FIXED_FLAGS: readonly FixedFlag[] = Object.keys(FLAG_BITS) as FixedFlag[];

const FIXED_BY_FOLDED: ReadonlyMap<string, FixedFlag> = new Map(
  FIXED_FLAGS.map((name) => [name.toLowerCase(), name]),
);

/** `bits` holds the fixed flags, `keywords` the others joined by single spaces ('' for none). */
export interface FlagSet {
  readonly bits: number;
  readonly keywords: string;
}

export const NO_FLAGS: FlagSet = { bits: 0, keywords: '' };

/** What happens to the flags of a message: exactly these, or some added and some removed. */
export type FlagEdit =
  | { readonly exactly: readonly string[] }
  | { readonly add: readonly string[]; readonly remove: readonly string[] };

/** The flag as we spell it, or undefined if it is not one that can be stored. */
export function canonicalFlag(name: string): string | undefined {
  const fixed = FIXED_BY_FOLDED.get(name.toLowerCase());
  if (fixed !== undefined) return fixed;
  // RFC 9051 §9 flag-keyword is an atom; a backslash flag that we do not know cannot be stored.
  if (!/^[!#$&'+,\-./0-9:;<=>?@A-Z^_`a-z|}~]{1,100}$/.test(name)) return undefined;
  return name.toLowerCase();
}

/** The set of the given canonical flag names. */
export function flagSetOf(names: readonly string[]): FlagSet {
  if (names.length === 0) return NO_FLAGS;
  let bits = 0;
  const keywords = new Set<string>();
  for (const name of names) {
    const bit = FLAG_BITS[name as FixedFlag];
    if (bit === undefined) keywords.add(name);
    else bits |= bit;
  }
  return { bits, keywords: [...keywords].sort().join(' ') };
}

/** The names in a set: fixed flags in the order of their bits, then keywords. */
export function flagNames(set: FlagSet): string[] {
  const names: string[] = FIXED_FLAGS.filter((name) => (set.bits & FLAG_BITS[name]) !== 0);
  if (set.keywords !== '') names.push(...set.keywords.split(' '));
  return names;
}

/** The flags of a message after an edit. */
export function editedFlags(flags: FlagSet, edit: FlagEdit): FlagSet {
  return flagEditor(edit)(flags);
}

/** The edit as a function, for many messages. */
export function flagEditor(edit: FlagEdit): (flags: FlagSet) => FlagSet {
  if ('exactly' in edit) {
    const exactly = flagSetOf(edit.exactly);
    return () => exactly;
  }
  const add = flagSetOf(edit.add);
  const remove = flagSetOf(edit.remove);
  let before = '';
  let after = editedKeywords('', add.keywords, remove.keywords);
  return ({ bits, keywords }) => {
    // Most messages of a set have the same keywords.
    if (keywords !== before) {
      before = keywords;
      after = editedKeywords(keywords, add.keywords, remove.keywords);
    }
    return { bits: (bits | add.bits) & ~remove.bits, keywords: after };
  };
}

/** Keyword strings in the stored form: `keywords` with `add` put in and `remove` taken out. */
export function editedKeywords(keywords: string, add: string, remove: string): string {
  if (add === '' && (remove === '' || keywords === '')) return keywords;
  const set = new Set(keywords === '' ? [] : keywords.split(' '));
  if (add !== '') for (const keyword of add.split(' ')) set.add(keyword);
  if (remove !== '') for (const keyword of remove.split(' ')) set.delete(keyword);
  return [...set].sort().join(' ');
}

export function equalFlags(a: FlagSet, b: FlagSet): boolean {
  return a.bits === b.bits && a.keywords === b.keywords;
}

/** $Junk and $NotJunk exclude each other: the one that is set clears the other. */
export function withJunkPairs(edit: FlagEdit): FlagEdit {
  const wanted = flagSetOf('exactly' in edit ? edit.exactly : edit.add).bits;
  if ((wanted & JUNK) === 0 && (wanted & NOT_JUNK) === 0) return edit;
  // Both at once: the warning wins.
  const loser = (wanted & JUNK) !== 0 ? '$NotJunk' : '$Junk';
  if ('exactly' in edit) return { exactly: edit.exactly.filter((name) => name !== loser) };
  return { add: edit.add.filter((name) => name !== loser), remove: [...edit.remove, loser] };
}
