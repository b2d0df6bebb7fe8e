/**
 * The words of commands about the session and about mailboxes.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { behindVerb, commandOf, isBad, REV2, wordsOf } from '../../../support/imap-words.ts';
import {
  authenticate,
  create,
  enable,
  id,
  list,
  login,
  lsub,
  noArguments,
  oneMailbox,
  rename,
  saslResponse,
  select,
  status,
} from '#protocols/imap/grammar';
import { BadSyntax } from '#protocols/imap/parser';

describe('commands without arguments', () => {
  it('7: have none', () => {
    wordsOf(noArguments, 'NOOP');
    isBad(noArguments, 'NOOP extra');
    isBad(noArguments, 'NOOP ');
  });
});

describe('LOGIN', () => {
  it('9: takes atoms, quoted strings and literals', () => {
    const words = { user: 'alice', password: 'p w' };
    assert.deepEqual(wordsOf(login, 'LOGIN alice "p w"'), words);
    assert.deepEqual(login(behindVerb(commandOf('a LOGIN ', 'alice', ' ', 'p w', ''))), words);
  });

  it('14: takes a password with backslash and quote', () => {
    const { password } = wordsOf(login, 'LOGIN alice@example.org "a\\\\b\\"c"');
    assert.equal(password, 'a\\b"c');
    isBad(login, 'LOGIN alice@example.org "a\\x"');
  });

  it('15: takes no NUL, CR or LF', () => {
    for (const char of ['\0', '\r', '\n']) isBad(login, `LOGIN alice "a${char}b"`);
    assert.throws(() => login(behindVerb(commandOf('a LOGIN x ', 'a\0b', ''))), BadSyntax);
  });

  it('takes exactly two arguments', () => {
    for (const line of ['LOGIN', 'LOGIN ', 'LOGIN a', 'LOGIN a ', 'LOGIN a b c', 'LOGIN  a b']) {
      isBad(login, line);
    }
  });
});

describe('AUTHENTICATE', () => {
  it('names a mechanism, with or without an initial response', () => {
    assert.deepEqual(wordsOf(authenticate, 'AUTHENTICATE plain'), { mechanism: 'PLAIN' });
    assert.deepEqual(wordsOf(authenticate, 'AUTHENTICATE SCRAM-SHA-256 biws'), {
      mechanism: 'SCRAM-SHA-256',
      initial: Buffer.from('n,,'),
    });
  });

  it('takes "=" for an empty initial response', () => {
    const { initial } = wordsOf(authenticate, 'AUTHENTICATE EXTERNAL =');
    assert.equal(initial?.length, 0);
  });

  it('26: takes base64 and nothing like it', () => {
    for (const text of ['!!!', 'a', 'YQ', 'YR==', 'Y Q==', '==', 'YQ=']) {
      isBad(authenticate, `AUTHENTICATE PLAIN ${text}`);
      assert.throws(() => saslResponse(text), BadSyntax);
    }
    assert.deepEqual(saslResponse('YQ=='), Buffer.from('a'));
    assert.deepEqual(saslResponse(''), Buffer.alloc(0));
    assert.equal(saslResponse('*'), 'cancel');
  });
});

describe('ID', () => {
  it('17: gives fields, each once', () => {
    assert.deepEqual(
      wordsOf(id, 'ID ("Name" "x" "version" NIL "os" "y")'),
      new Map([
        ['name', 'x'],
        ['os', 'y'],
      ]),
    );
    assert.equal(wordsOf(id, 'ID NIL'), undefined);
    assert.deepEqual(wordsOf(id, 'ID ()'), new Map());
    isBad(id, 'ID ("n" "1" "n" "2")');
    isBad(id, 'ID ("n" NIL "N" "2")');
    for (const line of ['ID', 'ID ("n")', 'ID ("n" "1" "m")', 'ID ("n" 1)', 'ID (n "1")']) {
      isBad(id, line);
    }
  });

  it('gives 30 fields at most', () => {
    const fields = (count: number): string =>
      Array.from({ length: count }, (_, i) => `"f${i}" "v"`).join(' ');
    assert.equal(wordsOf(id, `ID (${fields(30)})`)?.size, 30);
    isBad(id, `ID (${fields(31)})`);
  });
});

describe('ENABLE', () => {
  it('57: names one capability at least', () => {
    assert.deepEqual(wordsOf(enable, 'ENABLE imap4rev2 Utf8=Accept'), ['IMAP4REV2', 'UTF8=ACCEPT']);
    for (const line of ['ENABLE', 'ENABLE ', 'ENABLE A  B', 'ENABLE (A)', 'ENABLE A ']) {
      isBad(enable, line);
    }
  });
});

describe('SELECT', () => {
  it('names a mailbox', () => {
    const words = { mailbox: 'inbox', condstore: false };
    assert.deepEqual(wordsOf(select, 'SELECT inbox'), words);
    assert.deepEqual(wordsOf(select, 'EXAMINE "inbox" (condstore)'), { ...words, condstore: true });
  });

  it('104: knows two parameters, each once', () => {
    isBad(select, 'SELECT inbox (CONDSTORE FOO)');
    isBad(select, 'SELECT inbox (CONDSTORE CONDSTORE)');
    isBad(select, 'SELECT inbox ()');
    isBad(select, 'SELECT inbox CONDSTORE');
  });

  it('reads what the client knows', () => {
    const all = wordsOf(select, 'SELECT inbox (QRESYNC (7 90 1:3,9 (1,3:4 1,5:6)) CONDSTORE)');
    assert.deepEqual(all, {
      mailbox: 'inbox',
      condstore: true,
      qresync: {
        uidValidity: 7,
        modSeq: 90,
        knownUids: [
          [1, 3],
          [9, 9],
        ],
        match: { seqs: [1, 3, 4], uids: [1, 5, 6] },
      },
    });
    assert.deepEqual(wordsOf(select, 'SELECT x (QRESYNC (7 90))').qresync, {
      uidValidity: 7,
      modSeq: 90,
    });
    assert.deepEqual(wordsOf(select, 'SELECT x (QRESYNC (7 90 (1 5)))').qresync, {
      uidValidity: 7,
      modSeq: 90,
      match: { seqs: [1], uids: [5] },
    });
    assert.equal(
      wordsOf(select, 'SELECT x (QRESYNC (7 9223372036854775807))').qresync?.modSeq,
      Number.MAX_SAFE_INTEGER,
    );
  });

  it('194: refuses every broken QRESYNC parameter', () => {
    const broken = [
      '(QRESYNC (0 1))',
      '(QRESYNC (7 0))',
      '(QRESYNC)',
      '(QRESYNC ())',
      '(QRESYNC (7))',
      '(QRESYNC (7 ))',
      '(QRESYNC (7 1 1:*))',
      '(QRESYNC (7 1 *))',
      '(QRESYNC (7 1 $))',
      '(QRESYNC (7 1 0))',
      '(QRESYNC (7 1 1:6 (1,2 1)))',
      '(QRESYNC (7 1 1:6 (1 1,2)))',
      '(QRESYNC (7 1 1:6 (2,1 2,1)))',
      '(QRESYNC (7 1 1:6 (1,1 1,2)))',
      '(QRESYNC (7 1 1:6 (1:3,2 1:3,9)))',
      '(QRESYNC (7 1 1:6 (1:* 1:6)))',
      '(QRESYNC (7 1 1:6 (1:6 1:*)))',
      '(QRESYNC (7 1 1:6 ($ $)))',
      '(QRESYNC (7 1 1:6 (1)))',
      '(QRESYNC (7 1 (1 1) 1:6))',
      '(QRESYNC (7 1 1:6 (1 1) 1))',
      '(QRESYNC (7 1) QRESYNC (7 1))',
      '(QRESYNC (7 9223372036854775808))',
      '(QRESYNC (4294967296 1))',
      '(QRESYNC (-1 1))',
      'QRESYNC (7 1)',
    ];
    for (const parameter of broken) isBad(select, `SELECT inbox ${parameter}`);
  });

  it('does without match data that is too much, however short its text', () => {
    const { qresync } = wordsOf(select, 'SELECT x (QRESYNC (7 1 1:9 (1:4294967295 1:4294967295)))');
    assert.equal(qresync?.match, undefined);
    assert.deepEqual(qresync?.knownUids, [[1, 9]]);
  });
});

describe('CREATE', () => {
  it('72, 73: may ask for a special use', () => {
    assert.deepEqual(wordsOf(create, 'CREATE a/b'), {
      mailbox: 'a/b',
      uses: [],
      unknownUse: false,
    });
    const old = wordsOf(create, 'CREATE Old (USE (\\archive))');
    assert.deepEqual(old, { mailbox: 'Old', uses: ['\\Archive'], unknownUse: false });
    const flagged = wordsOf(create, 'CREATE F (USE (\\Flagged \\Sent))');
    assert.deepEqual(flagged, { mailbox: 'F', uses: ['\\Sent'], unknownUse: true });
    for (const tail of [
      '()',
      '(USE)',
      '(USE \\Sent)',
      '(FOO)',
      '(USE () USE ())',
      '(USE (Sent))',
    ]) {
      isBad(create, `CREATE x ${tail}`);
    }
  });

  it('70: takes modified UTF-7 before UTF-8 is enabled', () => {
    assert.equal(wordsOf(create, 'CREATE "&Jjo-"').mailbox, '☺');
    assert.equal(wordsOf(create, 'CREATE "a&-b"').mailbox, 'a&b');
    isBad(create, 'CREATE "&Jjo"');
    isBad(create, 'CREATE "a&b"');
    assert.equal(wordsOf(create, 'CREATE "a&b"', REV2).mailbox, 'a&b');
  });
});

describe('DELETE, SUBSCRIBE, UNSUBSCRIBE, RENAME', () => {
  it('take one name, or two', () => {
    assert.equal(wordsOf(oneMailbox, 'DELETE "a b"'), 'a b');
    assert.deepEqual(wordsOf(rename, 'RENAME a "b c"'), { from: 'a', to: 'b c' });
    for (const line of ['DELETE', 'DELETE a b', 'DELETE (a)']) isBad(oneMailbox, line);
    for (const line of ['RENAME a', 'RENAME a b c']) isBad(rename, line);
  });
});

describe('LIST', () => {
  const PLAIN = {
    selectSubscribed: false,
    selectSpecialUse: false,
    recursiveMatch: false,
    reference: '',
    patterns: ['*'],
    returnSubscribed: false,
    returnChildren: false,
    returnSpecialUse: false,
  };

  it('82–85: takes a reference and a pattern', () => {
    assert.deepEqual(wordsOf(list, 'LIST "" *'), PLAIN);
    assert.deepEqual(wordsOf(list, 'LIST a/ ""'), { ...PLAIN, reference: 'a/', patterns: [''] });
    for (const line of ['LIST', 'LIST ""', 'LIST "" ()', 'LIST "" * x']) isBad(list, line);
  });

  it('86: takes several patterns and return options', () => {
    const line = 'LIST "" (a* S*) RETURN (SUBSCRIBED CHILDREN STATUS (MESSAGES UNSEEN))';
    assert.deepEqual(wordsOf(list, line), {
      ...PLAIN,
      patterns: ['a*', 'S*'],
      returnSubscribed: true,
      returnChildren: true,
      returnStatus: ['MESSAGES', 'UNSEEN'],
    });
    assert.deepEqual(wordsOf(list, 'LIST () "" * RETURN ()'), PLAIN);
  });

  it('81, 87: tells what it selects by', () => {
    assert.deepEqual(wordsOf(list, 'LIST (SPECIAL-USE REMOTE) "" *'), {
      ...PLAIN,
      selectSpecialUse: true,
      returnSpecialUse: true,
    });
    assert.deepEqual(wordsOf(list, 'LIST (SUBSCRIBED) "" *'), {
      ...PLAIN,
      selectSubscribed: true,
      returnSubscribed: true,
    });
  });

  it('88: RECURSIVEMATCH needs something to match', () => {
    isBad(list, 'LIST (RECURSIVEMATCH) "" *');
    isBad(list, 'LIST (RECURSIVEMATCH REMOTE) "" *');
    assert.ok(wordsOf(list, 'LIST (SUBSCRIBED RECURSIVEMATCH) "" %').recursiveMatch);
  });

  it('refuses options that it does not know', () => {
    isBad(list, 'LIST (FOO) "" *');
    isBad(list, 'LIST "" * RETURN (MYRIGHTS)');
    isBad(list, 'LIST "" * RETURN (STATUS (MESSAGES) STATUS (UNSEEN))');
    isBad(list, 'LIST "" * RETURN (STATUS (FOO))');
    isBad(list, 'LIST "" * RETURN (STATUS)');
    isBad(list, 'LIST "" * RETURN');
  });

  it('71: takes UTF-8 once it is enabled', () => {
    const wire = Buffer.from('LIST "" "☺"').toString('latin1');
    assert.deepEqual(wordsOf(list, wire, REV2).patterns, ['☺']);
    isBad(list, wire);
  });

  it('takes a bounded number of patterns', () => {
    isBad(list, `LIST "" (${'a '.repeat(100)}a)`);
  });

  it('90: LSUB is a LIST of what is subscribed', () => {
    const words = wordsOf(lsub, 'LSUB "" *');
    assert.ok(words.selectSubscribed && words.recursiveMatch && words.returnSubscribed);
    isBad(lsub, 'LSUB "" (a b)');
  });
});

describe('STATUS', () => {
  it('91: names items, each counted once', () => {
    assert.deepEqual(wordsOf(status, 'STATUS Inbox (messages UIDNEXT Messages MAILBOXID)'), {
      mailbox: 'Inbox',
      items: ['MESSAGES', 'UIDNEXT', 'MAILBOXID'],
    });
  });

  it('92: knows no others', () => {
    for (const items of [
      '(FOO)',
      '()',
      'MESSAGES',
      '(MESSAGES',
      '(MESSAGES )',
      '(MESSAGES,SIZE)',
    ]) {
      isBad(status, `STATUS Inbox ${items}`);
    }
  });
});
