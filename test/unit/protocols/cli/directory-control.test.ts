/** Accounts, addresses and domains, from the command line to the directory. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openDirectoryDesk } from '../../../support/directory-desk.ts';
import { BOB } from '../../../support/removal-desk.ts';
import { dkimKeysOf } from '#domain/directory/state';
import { CAUSE } from '../../../support/lane-ports.ts';

const EMPTY = { code: 0, out: [], err: [] };

describe('config account', () => {
  it('adds accounts, each with an address and its mailboxes, and lists them', async () => {
    await using desk = await openDirectoryDesk();
    const added = await desk.run('config', 'account', 'add', 'carl', 'Carl@Example.org');
    assert.equal(added.code, 0);
    assert.match(added.err[0] ?? '', /setaccountpassword carl/);
    const { out } = await desk.run('config', 'account', 'list');
    assert.deepEqual(out, ['alice', 'bob', 'carl']);
    assert.deepEqual((await desk.run('config', 'account', 'addresses', 'CARL')).out, [
      'carl@example.org',
    ]);
    const views = await desk.server.lanes.account(3);
    assert.ok(views.mailboxNamed('Inbox'));
    const json = await desk.run('config', 'account', 'add', 'd', 'd@example.org', '--json');
    assert.deepEqual(JSON.parse(json.out[0] ?? ''), { Address: 'd@example.org', Account: 'd' });
  });

  it('operations 27: refuses names that cannot be those of a folder, or are taken', async () => {
    await using desk = await openDirectoryDesk();
    for (const name of ['../x', 'a/b', '', 'CON', 'x'.repeat(65), 'a..b', '.a', 'a.', 'a b']) {
      const sentence = await desk.errorOf('config', 'account', 'add', name, 'x@example.org');
      assert.match(sentence, /cannot be the name of an account/, name);
    }
    assert.equal(
      await desk.errorOf('config', 'account', 'add', 'Alice', 'x@example.org'),
      'An account of that name exists already: alice',
    );
    assert.equal(desk.server.directory.state.accounts.size, 2);
  });

  it('operations 28: refuses strange domains, addresses of others, and what is none', async () => {
    await using desk = await openDirectoryDesk();
    const add = (address: string): Promise<string> =>
      desk.errorOf('config', 'account', 'add', 'carl', address);
    assert.equal(
      await add('carl@unknown.example'),
      'The domain is not one of ours: unknown.example',
    );
    assert.equal(
      await add('BOB@example.org'),
      'The address belongs to an account already: bob@example.org, of bob',
    );
    for (const address of ['carl', '@example.org', 'a b@example.org', 'c@[192.0.2.1]']) {
      assert.match(await add(address), /cannot be the address of an account/, address);
    }
    assert.equal(
      await add('a\n\u001b[2J@example.org'),
      'a\ufffd\ufffd[2J@example.org cannot be the address of an account.',
      'one line',
    );
  });

  it('operations 33: closes an account to logins, and opens it again', async () => {
    await using desk = await openDirectoryDesk();
    for (const reason of ['two\nlines', 'schön', 'x'.repeat(257), '']) {
      const sentence = await desk.errorOf('config', 'account', 'disable', 'bob', reason);
      assert.match(sentence, /^The reason must be 1 to 256 printable ASCII characters/);
    }
    assert.deepEqual(await desk.run('config', 'account', 'disable', 'Bob', '-moved-'), EMPTY);
    const { out } = await desk.run('config', 'account', 'list');
    assert.deepEqual(out, ['alice', 'bob\t(disabled)']);
    const json = await desk.run('config', 'account', 'list', '--json');
    assert.deepEqual(
      json.out.map((line) => JSON.parse(line)),
      [
        { Account: 'alice', LoginDisabled: '', Closed: false },
        { Account: 'bob', LoginDisabled: '-moved-', Closed: false },
      ],
    );
    assert.deepEqual(await desk.run('config', 'account', 'enable', 'bob'), EMPTY);
    assert.equal(desk.server.books.credentials(BOB).forbidden, undefined);
    for (const args of [
      ['disable', 'nosuch', 'x'],
      ['enable', 'nosuch'],
      ['rm', 'nosuch'],
    ]) {
      assert.equal(
        await desk.errorOf('config', 'account', ...args),
        'The account does not exist: nosuch',
      );
    }
  });

  it('operations 32: removes an account, but not that of the postmaster', async () => {
    await using desk = await openDirectoryDesk();
    assert.equal(
      await desk.errorOf('config', 'account', 'rm', 'alice'),
      'The account is that of the postmaster and stays: alice',
    );
    assert.deepEqual((await desk.run('config', 'account', 'rm', 'bob')).out, [
      'bob is removed, with everything that it had.',
    ]);
    assert.deepEqual((await desk.run('config', 'account', 'list')).out, ['alice']);
  });

  it('shows an account that is being removed as such', async () => {
    await using desk = await openDirectoryDesk();
    const { directory } = desk.server;
    await directory.execute({ type: 'CloseAccount', accountId: BOB }, CAUSE);
    const { out } = await desk.run('config', 'account', 'list');
    assert.deepEqual(out, ['alice', 'bob\t(being removed)']);
    const { out: ended } = await desk.run('config', 'account', 'rm', 'bob', '--json');
    assert.deepEqual(JSON.parse(ended[0] ?? ''), { Account: 'bob', State: 'erased' });
  });
});

describe('setaccountpassword', () => {
  it('operations 23: takes a password of 8 characters, and the old one goes', async () => {
    await using desk = await openDirectoryDesk();
    const before = desk.server.books.credentials(BOB).passwordSecret;
    desk.password = 'sevens7';
    assert.equal(
      await desk.errorOf('setaccountpassword', 'bob'),
      'A password has at least 8 characters.',
    );
    desk.password = 'eights88';
    assert.deepEqual(await desk.run('setaccountpassword', 'bob'), EMPTY);
    const after = desk.server.books.credentials(BOB).passwordSecret;
    assert.ok(after !== undefined && after !== before);
    assert.ok(desk.secrets.has(after) && !desk.secrets.has(before ?? ''));
  });

  it('operations 24: is for accounts that there are, and wants a password', async () => {
    await using desk = await openDirectoryDesk();
    assert.match(await desk.errorOf('setaccountpassword', 'bob'), /There is no password/);
    desk.password = 'eights88';
    assert.match(await desk.errorOf('setaccountpassword', 'nosuch'), /does not exist: nosuch/);
  });
});

describe('config address', () => {
  it('operations 29: gives addresses to accounts, each once and as they are found', async () => {
    await using desk = await openDirectoryDesk();
    const add = (address: string): Promise<string> =>
      desk.errorOf('config', 'address', 'add', address, 'bob');
    assert.deepEqual(await desk.run('config', 'address', 'add', 'X@Example.org', 'bob'), EMPTY);
    assert.match(await add('x@example.org'), /already: x@example\.org, of bob/);
    assert.match(await add('a+b@example.org'), /cannot be given to an account: a\+b/);
    assert.deepEqual(await desk.run('config', 'address', 'add', '@example.org', 'bob'), EMPTY);
    assert.match(await add('@example.org'), /already: @example\.org, of bob/);
    assert.deepEqual((await desk.run('config', 'account', 'addresses', 'bob')).out, [
      'bob@example.org',
      'x@example.org',
      '@example.org',
    ]);
    assert.match(await add('""@example.org'), /cannot be the address of an account/);
    for (const [address, owner] of [
      ['any@example.org', 'bob'],
      ['alice+tag@example.org', 'alice'],
    ] as const) {
      assert.deepEqual((await desk.run('config', 'address', 'account', address)).out, [owner]);
    }
    assert.match(
      await desk.errorOf('config', 'address', 'account', 'a@else.example'),
      /No account has this address: a@else\.example/,
    );
  });

  it('tells whose mail for the postmaster is, who needs no address for it', async () => {
    await using desk = await openDirectoryDesk();
    const owner = ['config', 'address', 'account', 'Postmaster@example.org'] as const;
    assert.deepEqual((await desk.run(...owner)).out, ['alice']);
    await desk.run('config', 'address', 'add', 'postmaster@example.org', 'bob');
    assert.deepEqual((await desk.run(...owner)).out, ['bob']);
  });

  it('says of an alias that it is one, and who its members are', async () => {
    await using desk = await openDirectoryDesk();
    const alias = { localpart: 'team', domain: 'example.org' };
    const members = ['alice', 'bob'].map((localpart) => ({ localpart, domain: 'example.org' }));
    await desk.server.directory.execute({ type: 'AddAlias', alias, members }, CAUSE);
    await desk.run('config', 'address', 'add', '@example.org', 'bob');
    const asked = ['config', 'address', 'account', 'Team+x@example.org'] as const;
    assert.deepEqual((await desk.run(...asked)).out, [
      'team@example.org is an alias; its members are alice@example.org bob@example.org',
    ]);
    const { out } = await desk.run(...asked, '--json');
    assert.deepEqual(JSON.parse(out[0] ?? ''), {
      Address: 'Team+x@example.org',
      Alias: 'team@example.org',
      Addresses: ['alice@example.org', 'bob@example.org'],
      PostPublic: true,
      ListMembers: false,
      AllowMsgFrom: false,
    });
    assert.equal(
      await desk.errorOf('config', 'address', 'rm', 'team@example.org'),
      'No account has this address: team@example.org, which is an alias',
    );
  });

  it('writes addresses in refusals as they have to be written', async () => {
    await using desk = await openDirectoryDesk();
    await desk.run('config', 'address', 'add', '"a b"@example.org', 'bob');
    assert.equal(
      await desk.errorOf('config', 'address', 'add', '"A b"@example.org', 'alice'),
      'The address belongs to an account already: "a b"@example.org, of bob',
    );
    assert.match(
      await desk.errorOf('config', 'domain', 'rm', 'example.org'),
      /, "a b"@example\.org of bob/,
    );
    await desk.run('config', 'address', 'rm', '"a b"@example.org');
    assert.equal(
      await desk.errorOf('config', 'address', 'account', '"a b"@example.org'),
      'No account has this address: "a b"@example.org',
    );
  });

  it('takes the catchall for the catchall only where it is written as one', async () => {
    await using desk = await openDirectoryDesk();
    await desk.run('config', 'address', 'add', '@example.org', 'bob');
    const remove = (address: string): Promise<string> =>
      desk.errorOf('config', 'address', 'rm', address);
    assert.match(await remove('""@example.org'), /cannot be the address of an account/);
    assert.match(
      await desk.errorOf('config', 'domain', 'add', 'two.example', 'dora', '""'),
      /cannot be the address of an account/,
    );
    assert.deepEqual(await desk.run('config', 'address', 'rm', '@example.org'), EMPTY);
  });

  it('operations 31: takes an address away, unless mail from it waits', async () => {
    await using desk = await openDirectoryDesk();
    await desk.server.submit('a@other.example');
    const remove = ['config', 'address', 'rm', 'Bob@example.org'] as const;
    assert.equal(
      await desk.errorOf(...remove),
      'The address is needed: mail from bob@example.org waits in the queue',
    );
    const all = { type: 'drop' } as const;
    await desk.server.queue.change({}, undefined, all, CAUSE);
    assert.deepEqual(await desk.run(...remove), EMPTY);
    assert.match(await desk.errorOf(...remove), /No account has this address/);
    assert.equal(
      await desk.errorOf('config', 'address', 'rm', 'alice@example.org'),
      'The address is needed: alice@example.org is the only one of the postmaster',
    );
  });
});

describe('config domain', () => {
  it('operations 34: sets up a domain with keys, an account and a postmaster', async () => {
    await using desk = await openDirectoryDesk();
    const added = await desk.run('config', 'domain', 'add', 'Bücher.example', 'carl', 'me');
    assert.equal(added.code, 0, added.err.join());
    assert.match(added.out[0] ?? '', /^2026a\._domainkey\.xn--bcher-kva\.example\. TXT .*k=rsa/);
    assert.match(added.out[1] ?? '', /^2026b\._domainkey/);
    assert.deepEqual((await desk.run('config', 'account', 'addresses', 'carl')).out, [
      'me@bücher.example',
      'postmaster@bücher.example',
    ]);
    const used = ['config', 'domain', 'dkim', 'use', 'bücher.example', '2026b'] as const;
    assert.deepEqual((await desk.run(...used)).out, ['2026a\twaits', '2026b\tsigns']);
    for (const [args, sentence] of [
      [['bücher.example', 'carl'], /is one of ours already/],
      [['two.example', 'dora'], /The account does not exist: dora/],
      [['two.example', 'carl', 'me'], /An account of that name exists already: carl/],
      [['two.example', 'dora', 'a b'], /cannot be the address/],
      [['no domain', 'carl'], /cannot be a domain/],
    ] as const) {
      assert.match(await desk.errorOf('config', 'domain', 'add', ...args), sentence);
    }
    assert.equal(desk.secrets.size, 2 + 2, 'keys that nobody has are not kept');
  });

  it('tells the DNS records in JSON too', async () => {
    await using desk = await openDirectoryDesk();
    const add = ['config', 'domain', 'add', 'two.example', 'bob', '--json'] as const;
    const { out, err } = await desk.run(...add);
    const { DkimKeys, ...domain } = JSON.parse(out[0] ?? '');
    assert.deepEqual(
      [out.length, err, domain],
      [1, [], { Domain: 'two.example', Disabled: false }],
    );
    const listed = await desk.run('config', 'domain', 'dkim', 'list', 'two.example', '--json');
    assert.equal(listed.out.length, 2);
    assert.deepEqual(
      DkimKeys.map((key: unknown) => JSON.stringify(key)),
      listed.out,
    );
  });

  it('operations 35: may begin disabled, and is listed as such', async () => {
    await using desk = await openDirectoryDesk();
    await desk.run('config', 'domain', 'add', '--disabled', 'two.example', 'bob');
    assert.deepEqual((await desk.run('config', 'domain', 'list')).out, [
      'example.org',
      'two.example\t(disabled)',
    ]);
    const { out } = await desk.run('config', 'domain', 'list', '--json');
    assert.deepEqual(JSON.parse(out[1] ?? ''), { Domain: 'two.example', Disabled: true });
  });

  it('operations 36: goes when nothing uses it, and its keys wait for its return', async () => {
    await using desk = await openDirectoryDesk();
    await desk.run('config', 'domain', 'add', 'two.example', 'bob');
    const remove = ['config', 'domain', 'rm', 'two.example'] as const;
    assert.equal(
      await desk.errorOf(...remove),
      'The domain is in use: postmaster@two.example of bob',
    );
    await desk.run('config', 'address', 'rm', 'postmaster@two.example');
    const { state } = desk.server.directory;
    const keys = dkimKeysOf(state, 'two.example');
    assert.deepEqual(await desk.run(...remove), EMPTY);
    assert.match(await desk.errorOf(...remove), /The domain is not one of ours/);
    await desk.run('config', 'domain', 'add', 'two.example', 'alice');
    assert.deepEqual(dkimKeysOf(desk.server.directory.state, 'two.example'), keys);
    assert.equal(desk.secrets.size, 2 + 2);
  });
});

describe('an account that was added when the server ended', () => {
  it('has its mailboxes after the next start', async () => {
    await using desk = await openDirectoryDesk();
    const { directory, lanes } = desk.server;
    const address = { localpart: 'carl', domain: 'example.org' };
    await directory.execute({ type: 'AddAccount', name: 'carl', address }, CAUSE);
    await desk.accounts.openNew();
    assert.ok((await lanes.account(3)).mailboxNamed('Inbox'));
  });
});
