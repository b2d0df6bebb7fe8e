/** `daybook config routes` and `config domain disable`, from the command line to the directory. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { controlOf, runLine, type Ran } from '../../../support/command-line.ts';
import { CAUSE, testPorts } from '../../../support/lane-ports.ts';
import { temporaryDirectory } from '../../../support/temporary.ts';
import { routedTransport } from '#domain/directory/state';
import { DirectoryLane } from '#infra/directory-lane';
import { routingAdmin } from '#infra/routing-admin';
import { routingCommands } from '#protocols/cli/routing-control';

const ALICE = 1;

interface Desk extends AsyncDisposable {
  readonly directory: DirectoryLane;
  run(input: string, ...args: readonly string[]): Promise<Ran>;
}

/** The account alice, the domain example.org, and two transports. */
async function openDesk(): Promise<Desk> {
  const onDisk = await temporaryDirectory();
  const ports = testPorts(onDisk.path);
  const directory = await DirectoryLane.open(ports);
  const rules = { catchallSeparator: '', caseSensitive: false };
  await directory.execute({ type: 'AddAccount', name: 'alice' }, CAUSE);
  await directory.execute({ type: 'AddDomain', domain: 'example.org', ...rules }, CAUSE);
  const routing = routingAdmin({ directory, transports: () => ['smart', 'backup'] });
  const openControl = controlOf(routingCommands(routing));
  return {
    directory,
    run: async (input, ...args) =>
      runLine(['config', ...args], { openControl, input: async () => input }),
    async [Symbol.asyncDispose]() {
      await onDisk[Symbol.asyncDispose]();
    },
  };
}

const COLUMNS = '# from, to, attempts before, transport';
const LATER = '{"ToDomain":[".Bücher.example","."],"MinimumAttempts":3,"Transport":"backup"}';
const ALWAYS = '{"Transport":"smart"}';

describe('config routes', () => {
  it('are read in JSON, listed, and listed in JSON as they can be read again', async () => {
    await using desk = await openDesk();
    const none = { code: 0, out: ['(none)'], err: [] };
    assert.deepEqual(await desk.run('', 'routes', 'list'), none);
    const lines = [COLUMNS, 'any\t.bücher.example .\t3\tbackup', 'any\tany\t0\tsmart'];
    const set = await desk.run(`${LATER}\n\n${ALWAYS}\n`, 'routes', 'set');
    assert.deepEqual(set, { code: 0, out: lines, err: [] });
    const { out } = await desk.run('', 'routes', 'list', '--json');
    assert.deepEqual(JSON.parse(out[0] ?? ''), {
      FromDomain: [],
      ToDomain: ['.bücher.example', '.'],
      MinimumAttempts: 3,
      Transport: 'backup',
    });
    assert.deepEqual((await desk.run(out.join('\n'), 'routes', 'set')).out, lines);
    assert.deepEqual(await desk.run('', 'routes', 'set'), none);
  });

  it('queue 15: of an account come first, of a domain second', async () => {
    await using desk = await openDesk();
    const routed = { fromDomain: 'example.org', toDomain: 'xn--bcher-kva.example', attempts: 3 };
    const chosen = (): string | undefined => routedTransport(desk.directory.state, ALICE, routed);
    assert.equal(chosen(), undefined);
    await desk.run(ALWAYS, 'routes', 'set');
    assert.equal(chosen(), 'smart');
    await desk.run(LATER, 'routes', 'set', '--domain', 'Example.ORG');
    assert.equal(chosen(), 'backup');
    await desk.run(ALWAYS, 'routes', 'set', '--account', 'Alice');
    assert.equal(chosen(), 'smart');
  });

  it('queue 15: are refused when something is wrong, and the old ones stay', async () => {
    await using desk = await openDesk();
    await desk.run(ALWAYS, 'routes', 'set');
    for (const [input, sentence] of [
      ['{"Transport":"nosuch"}', /No transport has this name: nosuch/],
      ['{"Transport":"smart","ToDomain":["bad domain"]}', /bad domain cannot be a domain/],
      ['{"Transport":"smart","ToDomain":["..x"]}', /cannot be a domain/],
      ['{"Transport":"smart","Typo":1}', /The field Typo is not known/],
      ['{"ToDomain":["x.example"]}', /The field Transport is missing/],
      [`${ALWAYS}\n["smart"]`, /Line 2 of standard input is no route/],
      ['smart', /Line 1 of standard input is no route/],
      [`${ALWAYS}\n`.repeat(501), /500 routes/],
    ] as const) {
      const { code, err } = await desk.run(input, 'routes', 'set');
      assert.equal(code, 1, input.slice(0, 50));
      assert.match(err[0] ?? '', sentence);
    }
    assert.equal((await desk.run('', 'routes', 'list')).out.length, 2);
  });

  it('are those of somebody that there is', async () => {
    await using desk = await openDesk();
    const errorOf = async (...args: readonly string[]): Promise<string | undefined> =>
      (await desk.run('', 'routes', 'list', ...args)).err[0];
    assert.match((await errorOf('--account', 'bob')) ?? '', /account does not exist: bob/);
    assert.match((await errorOf('--domain', 'x.example')) ?? '', /not one of ours: x\.example/);
    assert.match(
      (await errorOf('--account', 'alice', '--domain', 'example.org')) ?? '',
      /of an account or those of a domain/,
    );
  });
});

describe('config domain', () => {
  it('queue 22: disables a domain of ours, and enables it again', async () => {
    await using desk = await openDesk();
    const { directory } = desk;
    assert.equal((await desk.run('', 'domain', 'disable', 'Example.org')).code, 0);
    assert.deepEqual([...directory.state.disabledDomains], ['example.org']);
    assert.equal((await desk.run('', 'domain', 'enable', 'example.org', '--json')).out[0], '{}');
    assert.deepEqual([...directory.state.disabledDomains], []);
    assert.equal((await desk.run('', 'domain', 'disable', 'x.example')).code, 1);
  });
});
