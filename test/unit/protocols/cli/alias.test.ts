/** `daybook config alias`, from the command line to the directory. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { controlOf, runLine, type Ran } from '../../../support/command-line.ts';
import { CAUSE, testPorts } from '../../../support/lane-ports.ts';
import { temporaryDirectory } from '../../../support/temporary.ts';
import { aliasAdmin } from '#infra/alias-admin';
import { DirectoryLane } from '#infra/directory-lane';
import { aliasCommands } from '#protocols/cli/alias-control';

interface Desk extends AsyncDisposable {
  readonly directory: DirectoryLane;
  run(...args: readonly string[]): Promise<Ran>;
}

/** Accounts with the addresses alice@, bob@ and carol@ of example.org and bücher.example. */
async function openDesk(): Promise<Desk> {
  const onDisk = await temporaryDirectory();
  const ports = testPorts(onDisk.path);
  const directory = await DirectoryLane.open(ports);
  const rules = { catchallSeparator: '+', caseSensitive: false };
  for (const domain of ['example.org', 'xn--bcher-kva.example']) {
    await directory.execute({ type: 'AddDomain', domain, ...rules }, CAUSE);
  }
  for (const [i, name] of ['alice', 'bob', 'carol'].entries()) {
    await directory.execute({ type: 'AddAccount', name }, CAUSE);
    const address = { type: 'AddAddress', localpart: name, accountId: i + 1 } as const;
    await directory.execute({ ...address, domain: 'example.org' }, CAUSE);
    await directory.execute({ ...address, domain: 'xn--bcher-kva.example' }, CAUSE);
  }
  const openControl = controlOf(aliasCommands(aliasAdmin(directory)));
  return {
    directory,
    run: async (...args) => runLine(['config', 'alias', ...args], { openControl }),
    async [Symbol.asyncDispose]() {
      await onDisk[Symbol.asyncDispose]();
    },
  };
}

const TEAM = 'team@example.org';
const ALICE = 'alice@example.org';
const BOB = 'bob@example.org';

describe('config alias', () => {
  it('adds an alias that everybody may write to, and tells it', async () => {
    await using desk = await openDesk();
    const { out } = await desk.run('add', 'Team@Example.org', 'Alice@example.org', BOB, '--json');
    assert.deepEqual(JSON.parse(out[0] ?? ''), {
      Alias: TEAM,
      Addresses: [ALICE, BOB],
      PostPublic: true,
      ListMembers: false,
      AllowMsgFrom: false,
    });
    assert.deepEqual((await desk.run('print', TEAM)).out, [
      `Alias: ${TEAM}`,
      `Addresses: ${ALICE} ${BOB}`,
      'PostPublic: true',
      'ListMembers: false',
      'AllowMsgFrom: false',
    ]);
    const row = `${TEAM}\t${ALICE} ${BOB}\ttrue\tfalse\tfalse`;
    assert.deepEqual((await desk.run('list', 'EXAMPLE.org')).out, [
      '# alias, addresses, post public, list members, allow msg from',
      row,
    ]);
    assert.deepEqual((await desk.run('list', 'bücher.example', '--json')).out, []);
    assert.deepEqual((await desk.run('list', 'bücher.example')).out, ['(none)']);
  });

  it('reads and tells domains in Unicode', async () => {
    await using desk = await openDesk();
    await desk.run('add', 'team@bücher.example', 'bob@Bücher.example');
    const { out } = await desk.run('list', 'bücher.example', '--json');
    assert.partialDeepStrictEqual(JSON.parse(out[0] ?? ''), {
      Alias: 'team@bücher.example',
      Addresses: ['bob@bücher.example'],
    });
  });

  it('adds and removes members, and the alias', async () => {
    await using desk = await openDesk();
    await desk.run('add', TEAM, ALICE);
    const added = await desk.run('addaddr', TEAM, BOB, 'carol@example.org');
    assert.equal(added.out[1], `Addresses: ${ALICE} ${BOB} carol@example.org`);
    const removed = await desk.run('rmaddr', TEAM, ALICE, 'carol@example.org');
    assert.equal(removed.out[1], `Addresses: ${BOB}`);
    assert.match((await desk.run('rmaddr', TEAM, BOB)).err[0] ?? '', /one member: team@example/);
    assert.equal((await desk.run('rm', TEAM)).out[1], `Addresses: ${BOB}`);
    assert.equal(desk.directory.state.aliases.size, 0);
    assert.equal((await desk.run('rm', TEAM)).code, 1);
  });

  it('operations 38: changes what is named, to true or false and to nothing else', async () => {
    await using desk = await openDesk();
    await desk.run('add', TEAM, ALICE);
    const flags = ['--post-public', 'false', '--list-members', 'true'];
    const { out } = await desk.run('update', TEAM, ...flags, '--json');
    const changed = { PostPublic: false, ListMembers: true, AllowMsgFrom: false };
    assert.partialDeepStrictEqual(JSON.parse(out[0] ?? ''), changed);
    const before = desk.directory.state.aliases.get(TEAM);
    for (const wrong of [
      ['--post-public', 'maybe'],
      ['--allow-msg-from', 'true', '--post-public', 'yes'],
      ['--post-public', 'TRUE'],
      ['--allow-msg-from'],
      ['--no-such-flag', 'true'],
    ]) {
      assert.equal((await desk.run('update', TEAM, ...wrong)).code, 2, wrong.join(' '));
    }
    const nothing = await desk.run('update', TEAM);
    assert.deepEqual([nothing.code, nothing.err], [1, ['daybook: There is nothing to change.']]);
    assert.deepEqual(desk.directory.state.aliases.get(TEAM), before);
    const first = ['update', '--allow-msg-from', 'true', TEAM];
    assert.equal((await desk.run(...first)).out[4], 'AllowMsgFrom: true');
  });

  it('operations 37: says what is wrong in one sentence', async () => {
    await using desk = await openDesk();
    await desk.run('add', TEAM, ALICE);
    for (const [args, sentence] of [
      [['add', 'a@example.org', 'x@other.example'], /No account has this address: x@other/],
      [['add', 'a@example.org', BOB, BOB], /have a member twice: bob@example\.org/],
      [['add', BOB, ALICE], /belongs to an account already: bob@example\.org, of bob/],
      [['add', TEAM, BOB], /alias of that address exists already: team@example\.org/],
      [['add', 'team', BOB], /team cannot be an address/],
      [['add', 'a@other.example', BOB], /not one of ours: other\.example/],
      [['addaddr', TEAM, ALICE], /have a member twice/],
      [['rmaddr', TEAM, BOB], /has no such member: bob@example\.org/],
      [['print', BOB], /No alias has this address: bob@example\.org/],
      [['list', 'other.example'], /not one of ours: other\.example/],
      [['list', 'a b'], /a b cannot be a domain/],
    ] as const) {
      const { code, err } = await desk.run(...args);
      assert.equal(code, 1, args.join(' '));
      assert.match(err[0] ?? '', sentence);
      assert.equal(err.length, 1);
    }
    assert.equal((await desk.run('add', 'a@example.org')).code, 2, 'without a member');
    assert.deepEqual([...desk.directory.state.aliases.keys()], [TEAM]);
  });
});
