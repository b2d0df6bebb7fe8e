/**
 * Address lists as they stand in From, To and the like.
 *
 * Reads everything: groups, comments, quoted strings, obsolete routes, and what people write
 * instead. Encoded words and 8-bit octets stay as they are. Every character is looked at once.
 * RFC 5322 §3.4, §4.4; the four parts are those of RFC 9051 §7.5.2 (ENVELOPE).
 */

/**
 * `host` is undefined only for the two ends of a group: its start has the group's name as
 * `mailbox`, its end has no `mailbox`. A mailbox without a domain has the empty host.
 */
export interface Address {
  readonly name: string | undefined;
  /** RFC 5322 §4.4 obs-route, without its colon. */
  readonly route: string | undefined;
  readonly mailbox: string | undefined;
  readonly host: string | undefined;
}

const GROUP_END: Address = {
  name: undefined,
  route: undefined,
  mailbox: undefined,
  host: undefined,
};

/** Characters that end a word, besides white space. */
const SPECIALS = '()<>[]:;@,"';

/** Skipped where an address should begin: RFC 5322 §4.4 obs-addr-list, and what nobody meant. */
const STRAY = ',[])>';

interface Cursor {
  readonly text: string;
  at: number;
  /** The comment read last, for `user@domain (Name)`. */
  comment: string | undefined;
}

/** At most `max` addresses of an unfolded raw field value. */
export function parseAddresses(text: string, max: number): Address[] {
  const cursor: Cursor = { text, at: 0, comment: undefined };
  const addresses: Address[] = [];
  let inGroup = false;
  while (addresses.length < max) {
    cursor.comment = undefined;
    skipSpace(cursor);
    const char = cursor.text[cursor.at];
    if (char === undefined) break;
    if (STRAY.includes(char)) {
      cursor.at++;
    } else if (char === ';') {
      cursor.at++;
      if (inGroup) addresses.push(GROUP_END);
      inGroup = false;
    } else {
      const words = takeWords(cursor);
      if (cursor.text[cursor.at] === ':') {
        cursor.at++;
        // RFC 5322 §3.4: groups do not nest; the name of an inner one is dropped.
        if (!inGroup) addresses.push({ ...GROUP_END, mailbox: words.join(' ') });
        inGroup = true;
      } else {
        addresses.push(takeAddress(cursor, words));
      }
    }
  }
  if (inGroup) addresses.push(GROUP_END);
  return addresses;
}

/** The rest of an address of which `words` have been read. */
function takeAddress(cursor: Cursor, words: readonly string[]): Address {
  const char = cursor.text[cursor.at];
  if (char === '<') {
    cursor.at++;
    const inner = takeAngle(cursor);
    // An empty name in quotes is none.
    return { ...inner, name: words.join(' ') || commentBehind(cursor) };
  }
  if (char === '@') {
    cursor.at++;
    const host = takeDomain(cursor);
    const { name, mailbox } = splitBeforeAt(words);
    skipSpace(cursor);
    if (cursor.text[cursor.at] === '<') {
      // `ann@example.org <ann@example.org>`: a name that looks like an address.
      const shown = `${mailbox}@${host}`;
      return takeAddress(cursor, [name === undefined ? shown : `${name} ${shown}`]);
    }
    if (cursor.text[cursor.at] === '@') skipUpTo(cursor, ',;');
    return { name: name ?? commentBehind(cursor), route: undefined, mailbox, host };
  }
  // No address at all: one word may be a mailbox, several are a name.
  return words.length === 1
    ? { name: commentBehind(cursor), route: undefined, mailbox: words[0], host: '' }
    : { name: words.join(' '), route: undefined, mailbox: '', host: '' };
}

/** `Ann Lee ann . lee` before an `@`: a local part, and a name whose angle brackets are missing. */
function splitBeforeAt(words: readonly string[]): { name: string | undefined; mailbox: string } {
  let first = words.length - 1;
  while (first > 0 && ((words[first] ?? '').startsWith('.') || words[first - 1]?.endsWith('.'))) {
    first--;
  }
  return {
    name: first > 0 ? words.slice(0, first).join(' ') : undefined,
    mailbox: words.slice(Math.max(first, 0)).join(''),
  };
}

/** What stands behind `<`, and the `>`. */
function takeAngle(cursor: Cursor): Address {
  skipSpace(cursor);
  let route: string | undefined;
  if (cursor.text[cursor.at] === '@') {
    let end = cursor.at;
    while (end < cursor.text.length && !':<>;'.includes(cursor.text[end] as string)) end++;
    if (cursor.text[end] === ':') {
      route = cursor.text.slice(cursor.at, end).replace(/\s+/g, '');
      cursor.at = end + 1;
    }
  }
  let mailbox = takeWords(cursor).join('');
  while (cursor.text[cursor.at] === ':') {
    // `<mailto:ann@example.org>`
    cursor.at++;
    mailbox = takeWords(cursor).join('');
  }
  let host = '';
  if (cursor.text[cursor.at] === '@') {
    cursor.at++;
    host = takeDomain(cursor);
  }
  skipUpTo(cursor, '>,;');
  if (cursor.text[cursor.at] === '>') cursor.at++;
  return { name: undefined, route, mailbox, host };
}

/** Words and quoted strings (without their quotes) up to a special character. */
function takeWords(cursor: Cursor): string[] {
  const words: string[] = [];
  for (;;) {
    skipSpace(cursor);
    const char = cursor.text[cursor.at];
    if (char === '"') {
      words.push(takeQuoted(cursor));
    } else if (char === undefined || SPECIALS.includes(char)) {
      return words;
    } else {
      words.push(takeWord(cursor));
    }
  }
}

function takeWord(cursor: Cursor): string {
  const start = cursor.at;
  for (; cursor.at < cursor.text.length; cursor.at++) {
    const char = cursor.text[cursor.at] as string;
    if (isSpace(char) || SPECIALS.includes(char)) break;
  }
  return cursor.text.slice(start, cursor.at);
}

function takeQuoted(cursor: Cursor): string {
  let text = '';
  for (cursor.at++; cursor.at < cursor.text.length; cursor.at++) {
    const char = cursor.text[cursor.at];
    if (char === '"') {
      cursor.at++;
      break;
    }
    if (char === '\\') cursor.at++;
    text += cursor.text[cursor.at] ?? '';
  }
  return text;
}

/** RFC 5322 §3.4.1: a dot-atom or a literal in brackets, here with the brackets. */
function takeDomain(cursor: Cursor): string {
  skipSpace(cursor);
  let domain = '';
  if (cursor.text[cursor.at] === '[') {
    const start = cursor.at;
    const end = cursor.text.indexOf(']', start);
    cursor.at = end < 0 ? cursor.text.length : end + 1;
    return cursor.text.slice(start, cursor.at).replace(/\s+/g, '');
  }
  // RFC 5322 §4.4 obs-domain: white space may stand around the dots.
  for (;;) {
    domain += takeWord(cursor);
    skipSpace(cursor);
    if (!domain.endsWith('.') && cursor.text[cursor.at] !== '.') return domain;
    if (SPECIALS.includes(cursor.text[cursor.at] ?? ',')) return domain;
  }
}

function commentBehind(cursor: Cursor): string | undefined {
  skipSpace(cursor);
  return cursor.comment;
}

/** Steps over what is no address, up to one of `stops`; comments are stepped over as a whole. */
function skipUpTo(cursor: Cursor, stops: string): void {
  for (;;) {
    skipSpace(cursor);
    const char = cursor.text[cursor.at];
    if (char === undefined || stops.includes(char)) return;
    cursor.at++;
  }
}

/** Steps over white space and comments. */
function skipSpace(cursor: Cursor): void {
  for (; cursor.at < cursor.text.length; cursor.at++) {
    const char = cursor.text[cursor.at] as string;
    if (char === '(') takeComment(cursor);
    else if (!isSpace(char)) return;
  }
}

/** Leaves the cursor on the closing parenthesis. */
function takeComment(cursor: Cursor): void {
  let depth = 0;
  let text = '';
  for (; cursor.at < cursor.text.length; cursor.at++) {
    const char = cursor.text[cursor.at] as string;
    if (char === '(' && depth++ === 0) continue;
    if (char === ')' && --depth === 0) break;
    if (char === '\\') cursor.at++;
    text += cursor.text[cursor.at] ?? '';
  }
  cursor.comment = text.trim();
}

function isSpace(char: string): boolean {
  return char === ' ' || char === '\t' || char === '\r' || char === '\n';
}
