/**
 * Our reading of messages beside Dovecot's: every message of the corpus is given to both servers,
 * and what both say of its structure and of every part of it is compared.
 *
 * Where they differ on purpose, `EVERYWHERE` and `HERE` say where and why. An entry that explains
 * nothing any more fails the test, and so does a difference that nothing explains.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { openImap, type Server } from '../bench/beside.ts';
import { startDovecot } from '../bench/dovecot.ts';
import { MIME_CORPUS } from '../corpus/mime.ts';
import type { ImapDriver } from '../support/imap-driver.ts';
import { fetchedItems, partsByNumber, type Items, type Value } from '../support/imap-values.ts';
import { startLocalserve } from '../support/localserve.ts';

/** Parts of one message that are asked for. */
const PARTS_MAX = 16;

interface Difference {
  readonly name: string;
  readonly item: string;
  readonly ours: Value;
  readonly theirs: Value;
}

interface Explanation {
  readonly why: string;
  readonly explains: (difference: Difference) => boolean;
}

/** What holds in any message. */
const EVERYWHERE: readonly Explanation[] = [
  {
    why: 'RFC 9051 §7.5.2: a section that does not exist is NIL, for us. Dovecot says "".',
    explains: ({ item, ours, theirs }) =>
      item.startsWith('BODY[') && ours === null && theirs === '',
  },
  {
    why:
      'RFC 2046 §5.1.1: the line end before a delimiter belongs to it, also behind the last ' +
      'delimiter of an inner multipart. Dovecot counts it to the part.',
    explains: ({ item, ours, theirs }) =>
      isContent(item) && String(ours).endsWith('--') && `${String(ours)}\r\n` === theirs,
  },
  {
    why:
      'RFC 9051 §6.4.5.1: the empty line behind a header is shown with it, also where it is all ' +
      'that stands before a delimiter. Dovecot counts it to the delimiter.',
    explains: ({ item, ours, theirs }) =>
      item.endsWith('MIME]') && `${String(theirs)}\r\n` === ours,
  },
  {
    why:
      'RFC 3516 §4.2: what has parts has no content to decode: a multipart is refused, a message ' +
      'is given as it stands. Dovecot decodes the parts inside.',
    explains: ({ item, ours, theirs }) =>
      item.startsWith('BINARY') && (ours === 'NO' || isDecodedInside(ours, theirs)),
  },
];

function isContent(item: string): boolean {
  return /^(BODY|BINARY)\[[\d.]+(TEXT)?\]$/.test(item);
}

function isDecodedInside(ours: Value, theirs: Value): boolean {
  return /^Content-Transfer-Encoding: base64/m.test(String(ours)) && /PNG/.test(String(theirs));
}

/** What holds in single messages: for everything that is told of them, or for some items. */
const HERE: readonly {
  readonly names: readonly string[];
  readonly items?: RegExp;
  readonly why: string;
}[] = [
  {
    names: [
      'a multipart in a message in a multipart',
      'a digest',
      'the boundary of the parent inside a message',
    ],
    items: /^(BODY|BODYSTRUCTURE|BODY\[1\]|BINARY\[1\]|BINARY\.SIZE.*)$/,
    why: 'RFC 2046 §5.1.1: sizes that count the line end before a delimiter, as above.',
  },
  {
    names: ['a multipart in a message as the whole body', 'five messages in each other'],
    items: /^BINARY\.SIZE/,
    why: 'RFC 3516 §4.2: sizes of messages whose parts Dovecot decodes, as above.',
  },
  {
    names: ['message/global'],
    why: 'RFC 9051 §9 media-message: message/global has an envelope and parts. Dovecot: a leaf.',
  },
  {
    names: ['other encodings', 'an empty encoding'],
    items: /^BINARY/,
    why:
      'RFC 3516 §4.3: only the part that cannot be decoded is refused. Dovecot refuses all parts ' +
      'of the message.',
  },
  {
    names: ['other encodings', 'a content type of capitals', 'a disposition in capitals'],
    why: 'RFC 2045 §5.1 and §6.1: names have no case. We tell them in small letters.',
  },
  {
    names: [
      'the end boundary only',
      'no boundary in the body',
      'no boundary parameter',
      'an empty boundary parameter',
    ],
    why:
      'RFC 2046 §5.1.1 wants a part at least. Where none is found, all that is there is one text ' +
      'part. Dovecot shows an empty one: the text cannot be read.',
  },
  {
    names: ['a boundary without line end behind'],
    why: 'RFC 2046 §5.1.1: a delimiter begins a part. Dovecot wants a line end first.',
  },
  {
    names: ['text behind a boundary in its line'],
    why:
      'RFC 2046 §5.1.1 lets lines that only begin with the delimiter count. We compare whole ' +
      'lines: there are senders whose boundaries begin with each other.',
  },
  {
    names: ['a quoted boundary without its end', 'a boundary with a blank at its end'],
    why: 'RFC 2046 §5.1.1: such a boundary is wrong, and what is meant is clear.',
  },
  {
    names: ['a longer boundary than allowed'],
    why: 'RFC 2046 §5.1.1: at most 70. Dovecot compares 80, and takes the end for a part.',
  },
  {
    names: ['two hundred multiparts in each other', 'two hundred messages in each other'],
    why:
      'RFC 2046 §5.1 sets no depth. Both look 100 deep; what is deeper is a text for us. Dovecot ' +
      'cuts it off.',
  },
  {
    names: ['a message in base64'],
    why: 'RFC 2046 §5.2.1 forbids it. Asked for the decoded octets, we decode.',
  },
  {
    names: [
      'a content type without a subtype',
      'a content type of blanks',
      'a content type of nonsense',
      'a content type with a slash only',
      'parameters without semicolons',
      'NUL in the header',
    ],
    items: /^BODY(STRUCTURE)?$/,
    why: 'RFC 2045 §5.2: what cannot be read is plain text. Dovecot says "".',
  },
  {
    names: ['a parameter without a value', 'a parameter value with blanks'],
    why: 'RFC 2045 §5.1: wrong, but clear. Dovecot reads no further.',
  },
  {
    names: ['a parameter twice', 'fields twice'],
    why: 'RFC 5322 §3.6: once only. We take the first; Dovecot the last, or both.',
  },
  {
    names: ['bare LF', 'bare LF in a multipart', 'bare LF and CRLF'],
    why: 'RFC 9051 §6.3.12: what is appended is kept as it is. Dovecot makes every line end CRLF.',
  },
  {
    names: ['NUL in the body', 'NUL in a part', 'NUL in the header'],
    why: 'RFC 3516 §4.4: NUL in a literal8 is kept. Dovecot drops it, and shows U+FFFD for it.',
  },
  {
    names: ['bare CR in the header', 'folded fields', 'blanks inside a subject'],
    why: 'RFC 5322 §2.2.3: unfolding takes CRLF away and nothing else. Dovecot makes blanks.',
  },
  {
    names: ['white space in an address'],
    why: 'RFC 5322 §4.4: white space may stand around dots. Dovecot reads a name.',
  },
  {
    names: ['no closing bracket', 'a colon in brackets'],
    why: 'RFC 5322 §3.4: wrong, but clear. Dovecot says SYNTAX_ERROR.',
  },
  {
    names: ['stray commas'],
    why: 'RFC 5322 §4.4 obs-addr-list: members may be empty. Dovecot shows addresses of nothing.',
  },
  {
    names: [
      'semicolons between addresses',
      'a quote without its end',
      'a name with a bare at sign',
    ],
    why: 'RFC 5322 §3.4: wrong, but we lose nothing. Dovecot drops what stands behind.',
  },
  {
    names: [
      'pieces out of order',
      'pieces with a gap',
      'a piece alone',
      'an encoded parameter beside pieces',
    ],
    why:
      'RFC 2231 §3: pieces may come in any order, without gaps. Dovecot shows what was cut ' +
      'behind what was not, pieces behind a gap one by one, and x* as x*1*.',
  },
  {
    names: ['dispositions of nonsense', 'an empty disposition'],
    why: 'RFC 2183 §2: a disposition has a type. Dovecot says "".',
  },
  {
    names: ['a folded location'],
    why: 'RFC 2557 §4.1: white space is no part of a URI.',
  },
  {
    names: ['an unknown encoding'],
    why: 'RFC 2045 §6.3: an encoding of their own. Dovecot says 7bit, and refuses to decode it.',
  },
];

test('imap 7: what we say of messages is what Dovecot says', async (t) => {
  await using dovecot = await startDovecot((text) => t.diagnostic(text));
  if (dovecot === undefined) return t.skip('Dovecot does not run here');
  await using server = await startLocalserve();
  const ours = await filled({ ip: server.ip, imapPort: 1143 });
  const theirs = await filled(dovecot);
  const used = new Set<string>();
  const unexplained: string[] = [];
  for (const [index, name] of [...MIME_CORPUS.keys()].entries()) {
    for (const difference of await differences(name, index + 1, ours, theirs)) {
      const why = explanationOf(difference);
      if (why === undefined) unexplained.push(shown(difference));
      else used.add(why);
    }
  }
  ours.close();
  theirs.close();
  assert.deepEqual(unexplained, []);
  const unused = [...EVERYWHERE, ...HERE].map(({ why }) => why).filter((why) => !used.has(why));
  assert.deepEqual(unused, []);
});

function shown({ name, item, ours, theirs }: Difference): string {
  const [mine, others] = [ours, theirs].map((value) => JSON.stringify(value).slice(0, 1000));
  return `${name}, ${item.slice(0, 100)}:\n ours: ${mine}\n theirs: ${others}`;
}

function explanationOf(difference: Difference): string | undefined {
  const { name, item } = difference;
  const everywhere = EVERYWHERE.find(({ explains }) => explains(difference));
  const here = HERE.find(({ names, items }) => names.includes(name) && items?.test(item) !== false);
  return everywhere?.why ?? here?.why;
}

async function filled(server: Server): Promise<ImapDriver> {
  const driver = await openImap(server);
  for (const [name, message] of MIME_CORPUS) {
    // RFC 3516 §4.4: NUL comes in a literal8 only.
    const mark = `${message.includes(0) ? '~' : ''}{${message.length}+}`;
    driver.sendRaw(`${mark.length}a APPEND INBOX ${mark}\r\n`);
    driver.sendRaw(message);
    driver.sendRaw('\r\n');
    const answer = (await driver.answer(`${mark.length}a`)).toString('latin1');
    assert.match(answer, / OK /, name);
  }
  await driver.command('EXAMINE INBOX');
  return driver;
}

async function differences(
  name: string,
  seq: number,
  ours: ImapDriver,
  theirs: ImapDriver,
): Promise<readonly Difference[]> {
  const found: Difference[] = [];
  const compare = async (items: readonly string[]): Promise<Items> => {
    const [mine, others] = await Promise.all([asked(ours, seq, items), asked(theirs, seq, items)]);
    for (const item of new Set([...mine.keys(), ...others.keys()])) {
      const difference = {
        name,
        item,
        ours: normal(mine.get(item) ?? null),
        theirs: normal(others.get(item) ?? null),
      };
      if (!isDeepStrictEqual(difference.ours, difference.theirs)) found.push(difference);
    }
    return mine;
  };
  const whole = ['ENVELOPE', 'BODY', 'BODYSTRUCTURE', 'RFC822.SIZE'];
  const sections = ['', 'HEADER', 'TEXT', 'HEADER.FIELDS (FROM CONTENT-TYPE)', '9'];
  const all = await compare([...whole, ...sections.map((section) => `BODY.PEEK[${section}]`)]);
  const paths = [...partsByNumber(all.get('BODYSTRUCTURE') ?? null).keys()];
  // Of very many parts, the first and the last.
  const some = paths.length > PARTS_MAX ? [...paths.slice(0, PARTS_MAX), paths.at(-1)] : paths;
  for (const path of some) {
    const parts = ['', '.MIME', '.HEADER', '.TEXT'].map((text) => `BODY.PEEK[${path}${text}]`);
    await compare([...parts, `BODY.PEEK[${path}]<2.7>`, `BODY.PEEK[${path}.MIME]<9.5>`]);
    // A part that cannot be decoded fails the whole command.
    await compare([`BINARY.PEEK[${path}]`]);
    await compare([`BINARY.SIZE[${path}]`]);
  }
  return found;
}

/** What a server answers; nothing but `NO` when it says no. */
async function asked(driver: ImapDriver, seq: number, items: readonly string[]): Promise<Items> {
  const answer = await driver.command(`FETCH ${seq} (${items.join(' ')})`);
  const tagged = answer.toString('latin1').trimEnd().split('\r\n').at(-1) ?? '';
  if (!/^\S+ OK /.test(tagged)) return new Map([[items.join(' ').replace('.PEEK', ''), 'NO']]);
  return fetchedItems(answer).get(seq) ?? assert.fail(tagged);
}

/** Values in which the same is said in the same way. */
function normal(value: Value): Value {
  // What Dovecot puts where an address is not complete; we put nothing.
  if (value === 'MISSING_MAILBOX' || value === 'MISSING_DOMAIN') return '';
  if (typeof value !== 'object' || value === null) return value;
  // RFC 6657 §3: a text need not have a charset. Dovecot adds the one that plain text has.
  if (isDeepStrictEqual(value, ['charset', 'us-ascii'])) return null;
  return value.map(normal);
}
