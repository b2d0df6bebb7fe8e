/**
 * Tokens of IMAP: what each is, and what it is not.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commandOf, openCommandOf, REV2 } from '../../../support/imap-words.ts';
import { BadSyntax, Parser, type ParserModes } from '#protocols/imap/parser';
import { STAR } from '#protocols/imap/words';

const REV1: ParserModes = { utf8: false };

/** Reads one token that must be the whole line. */
function read<Token>(token: (p: Parser) => Token, line: string, modes = REV1): Token {
  const p = new Parser(commandOf(line), modes);
  const result = token(p);
  p.end();
  return result;
}

function refuses(token: (p: Parser) => unknown, lines: readonly string[], modes = REV1): void {
  for (const line of lines) {
    assert.throws(() => read(token, line, modes), BadSyntax, `accepted: ${JSON.stringify(line)}`);
  }
}

describe('tags and verbs', () => {
  it('16: a tag is an astring without "+", and not empty', () => {
    const tag = (p: Parser): string => p.tag();
    for (const good of ['a', 'A0001', '.', '1]', '$']) {
      assert.equal(read(tag, good), good);
    }
    refuses(tag, ['', 'a+b', '+', ' a', 'a b', '(', '*', '"a"', 'a\\', 'é', '\x01']);
  });

  it('a verb is read in capitals, with the second word of a UID command', () => {
    const verb = (p: Parser): string => p.verb();
    assert.equal(read(verb, 'fetch'), 'FETCH');
    assert.equal(read(verb, 'Uid fetch'), 'UID FETCH');
    refuses(verb, ['UID', 'UID  FETCH', '', '{5}']);
  });

  it('GET / HTTP/1.1 is no verb', () => {
    const p = new Parser(commandOf('GET / HTTP/1.1'));
    assert.equal(p.tag(), 'GET');
    p.space();
    assert.throws(() => p.verb(), BadSyntax);
  });
});

describe('strings', () => {
  const string = (p: Parser): string => p.string();

  it('14: know two escapes, of the backslash and of the quote', () => {
    assert.equal(read(string, '"a\\\\b\\"c"'), 'a\\b"c');
    assert.equal(read(string, '"\\\\"'), '\\');
    assert.equal(read(string, '""'), '');
    refuses(string, ['"a\\x"', '"a\\"', '"a', 'a"', '"a"b', '"\\', 'atom', '']);
  });

  it('15: in quotes hold no NUL, CR or LF', () => {
    refuses(string, ['"a\0b"', '"a\rb"', '"a\nb"']);
    assert.equal(read(string, '"a\x01\tb"'), 'a\x01\tb');
  });

  it('in quotes are 7-bit until UTF-8 is enabled, and then UTF-8', () => {
    const wire = Buffer.from('"☺"').toString('latin1');
    refuses(string, [wire]);
    assert.equal(read(string, wire, REV2), '☺');
    refuses(string, ['"\xff"', '"\xe2\x98"', '"\xc0\x80"', '"\xed\xa0\x80"'], REV2);
  });

  it('may be literals, of UTF-8 without NUL', () => {
    const p = new Parser(commandOf('', 'größer\r\n', ''));
    assert.equal(p.string(), 'größer\r\n');
    p.end();
    assert.throws(() => new Parser(commandOf('', 'a\0', '')).string(), BadSyntax);
    const octets = Buffer.from([0xff]);
    const command = { lines: ['', ''], literals: [{ octets, binary: false }], open: undefined };
    assert.throws(() => new Parser(command).string(), BadSyntax);
  });

  it('may be bare where an astring is wanted, also with "]"', () => {
    const astring = (p: Parser): string => p.astring();
    assert.equal(read(astring, 'a]b'), 'a]b');
    assert.equal(read(astring, 'NIL'), 'NIL');
    refuses(astring, ['', 'a b', 'a(', 'a{', 'a*', 'a%', 'a"', 'a\\', 'é', '\x7f']);
  });

  it('may be NIL where an nstring is wanted', () => {
    const nstring = (p: Parser): string | undefined => p.nstring();
    assert.equal(read(nstring, 'nil'), undefined);
    assert.equal(read(nstring, '"NIL"'), 'NIL');
    refuses(nstring, ['NILS', 'x', '']);
  });
});

describe('mailbox names', () => {
  const mailbox = (p: Parser): string => p.mailbox();

  it('70: are modified UTF-7 until UTF-8 is enabled', () => {
    assert.equal(read(mailbox, '"&Jjo-"'), '☺');
    assert.equal(read(mailbox, '&Jjo-'), '☺');
    assert.equal(read(mailbox, '"a&-b"'), 'a&b');
    refuses(mailbox, ['"&Jjo"', '"a&b"', '&AGE-']);
  });

  it('71: are UTF-8 afterwards, where "&" means itself', () => {
    assert.equal(read(mailbox, Buffer.from('"☺"').toString('latin1'), REV2), '☺');
    assert.equal(read(mailbox, '"&Jjo-"', REV2), '&Jjo-');
  });

  it('may hold wildcards where a pattern is wanted', () => {
    const pattern = (p: Parser): string => p.listMailbox();
    assert.equal(read(pattern, '*'), '*');
    assert.equal(read(pattern, 'INBOX/%'), 'INBOX/%');
    assert.equal(read(pattern, '"a b*"'), 'a b*');
    refuses(pattern, ['', '(a)', '&Jjo']);
  });
});

describe('numbers', () => {
  it('have 32 bits', () => {
    const number = (p: Parser): number => p.number();
    assert.equal(read(number, '0'), 0);
    assert.equal(read(number, '4294967295'), 4_294_967_295);
    refuses(number, ['4294967296', '-1', '+1', '', 'x', '1x', '1.5', '9'.repeat(40)]);
  });

  it('above zero do not begin with one', () => {
    refuses((p) => p.nzNumber(), ['0', '01', '']);
  });

  it('166: mod-sequences have 63 bits; those above 2^53 - 1 count as that', () => {
    const modSeq = (p: Parser): number => p.modSeq();
    assert.equal(read(modSeq, '1'), 1);
    assert.equal(read(modSeq, '9007199254740991'), Number.MAX_SAFE_INTEGER);
    assert.equal(read(modSeq, '9007199254740992'), Number.MAX_SAFE_INTEGER);
    assert.equal(read(modSeq, '9223372036854775807'), Number.MAX_SAFE_INTEGER);
    refuses(modSeq, ['0', '9223372036854775808', '-1', '+1', 'x', '', '1'.repeat(100)]);
    assert.equal(
      read((p) => p.modSeqOrZero(), '0'),
      0,
    );
  });
});

describe('sets', () => {
  const set = (p: Parser): unknown => p.sequenceSet();

  it('are brought into order', () => {
    assert.deepEqual(read(set, '5,2,3:4,9:7'), {
      type: 'numbers',
      ranges: [
        [2, 5],
        [7, 9],
      ],
    });
  });

  it('take "*" as the last of a range, on either side', () => {
    for (const line of ['5:*', '*:5']) {
      assert.deepEqual(read(set, line), { type: 'numbers', ranges: [[5, STAR]] });
    }
    assert.deepEqual(read(set, '*'), { type: 'numbers', ranges: [[STAR, STAR]] });
    assert.deepEqual(read(set, '*:*'), { type: 'numbers', ranges: [[STAR, STAR]] });
  });

  it('may be the saved result, alone', () => {
    assert.deepEqual(read(set, '$'), { type: 'saved' });
    refuses(set, ['$,1', '1,$', '$:1']);
  });

  it('133: have no 0, no gaps in their text and no more than 32 bits', () => {
    refuses(set, ['0', '0:1', '1:0', '', ',', '1,', ',1', '1:', ':1', '1::2', '1,,2', '1 2', '01']);
    refuses(set, ['4294967296', '-1', 'a', '1:2:3', '**']);
  });

  it('8: may be as long as a line', () => {
    const line = Array.from({ length: 3000 }, (_, i) => i * 2 + 1).join(',');
    assert.equal((read(set, line) as { ranges: unknown[] }).ranges.length, 3000);
  });
});

describe('flags', () => {
  const flags = (p: Parser): string[] => p.flagList();

  it('113, 137: are those that can be stored, as we spell them', () => {
    assert.deepEqual(read(flags, '(\\seen $JUNK MyTag)'), ['\\Seen', '$Junk', 'mytag']);
    assert.deepEqual(read(flags, '()'), []);
    refuses(flags, ['(\\Recent)', '(\\Foo)', '(\\*)', '(a]b)', '(\\)', '(a  b)', '( a)', '(a )']);
    refuses(flags, ['(a', 'a', '("a")', `(${'x'.repeat(101)})`]);
  });
});

describe('dates', () => {
  it('may be quoted and have one digit for the day', () => {
    const date = (p: Parser): number => p.date();
    for (const line of ['1-Feb-2022', '01-feb-2022', '"1-Feb-2022"']) {
      assert.equal(read(date, line), 20220201);
    }
    refuses(date, ['31-Feb-2022', '1-Foo-2022', '1-Feb-22', '"1-Feb-2022', '2022-02-01', '']);
  });

  it('113: with a time have a day that exists', () => {
    const dateTime = (p: Parser): unknown => p.dateTime();
    assert.deepEqual(read(dateTime, '" 1-Jan-2022 10:10:00 +0100"'), {
      at: Date.UTC(2022, 0, 1, 9, 10),
      zoneMinutes: 60,
    });
    refuses(dateTime, ['" 32-Jan-2022 10:10:00 +0100"', '"32-Jan-2022 10:10:00 +0100"', '"x"']);
  });
});

describe('partials', () => {
  it('begin anywhere and have a length', () => {
    const partial = (p: Parser): unknown => p.tryPartial();
    assert.deepEqual(read(partial, '<0.10>'), { start: 0, length: 10 });
    assert.equal(read(partial, ''), undefined);
    refuses(partial, ['<0.0>', '<0>', '<.1>', '<1.>', '<-1.1>', '<0.1']);
  });
});

describe('the end of a command', () => {
  it('7: is where the command ends, not before and not behind', () => {
    const nothing = (): void => undefined;
    read(nothing, '');
    refuses(nothing, [' ', 'extra', '\n']);
  });

  it('is not where a literal follows, read or not', () => {
    assert.throws(() => new Parser(commandOf('', 'x', '')).end(), BadSyntax);
    const p = new Parser(openCommandOf(''));
    assert.throws(() => p.end(), BadSyntax);
    assert.equal(p.openLiteral()?.bytes, 1);
  });
});

describe('nesting', () => {
  it('is 50 deep at most', () => {
    const nested = (p: Parser): unknown => p.list(() => (p.sees('(') ? nested(p) : p.word()));
    read(nested, `${'('.repeat(50)}x${')'.repeat(50)}`);
    refuses(nested, [`${'('.repeat(51)}x${')'.repeat(51)}`, '('.repeat(16_000)]);
  });
});
