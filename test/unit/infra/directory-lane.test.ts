/**
 * The directory as the lane keeps it.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fakeClock, fakeRandom } from '../../support/clock.ts';
import { CAUSE, testLog, type TestLog } from '../../support/lane-ports.ts';
import { isRefusal } from '#domain/values/decision';
import { Fault } from '#domain/values/fault';
import { accountOfLogin } from '#domain/directory/state';
import { DirectoryLane } from '#infra/directory-lane';
import type { LanePorts } from '#infra/lane';

interface Given {
  readonly log: TestLog;
  readonly ports: LanePorts;
  readonly directory: DirectoryLane;
}

/** One domain, one account with one address. */
async function given(): Promise<Given> {
  const log = testLog();
  const fatal = (error: unknown): never => assert.fail(String(error));
  const ports = { log, clock: fakeClock(), random: fakeRandom(), fatal };
  const directory = await DirectoryLane.open(ports);
  const outcomes = await Promise.all([
    directory.execute(
      { type: 'AddDomain', domain: 'example.org', catchallSeparator: '+', caseSensitive: false },
      CAUSE,
    ),
    directory.execute({ type: 'AddAccount', name: 'alice' }, CAUSE),
    directory.execute(
      { type: 'AddAddress', localpart: 'alice', domain: 'example.org', accountId: 1 },
      CAUSE,
    ),
  ]);
  assert.ok(!outcomes.some(isRefusal));
  return { log, ports, directory };
}

describe('the directory', () => {
  it('answers from what was decided', async () => {
    const { directory } = await given();
    assert.deepEqual(directory.target('Alice+shop', 'example.org'), {
      type: 'account',
      accountId: 1,
      mailbox: 'Inbox',
    });
    assert.deepEqual(directory.target('bob', 'example.org'), { type: 'unknown-address' });
    assert.deepEqual(directory.target('bob', 'example.net'), { type: 'unknown-domain' });
    assert.deepEqual(directory.sendersAs('alice', 'example.org'), [1]);
    assert.deepEqual(directory.sendersAs('bob', 'example.org'), []);
    await directory.close();
  });

  it('knows the logins with reverse-paths of their own', async () => {
    const { directory } = await given();
    const changes = { fromIdLogins: ['alice+app@example.org'] };
    await directory.execute({ type: 'ChangeAccountSettings', accountId: 1, changes }, CAUSE);
    assert.ok(directory.usesFromIds(1, 'Alice+app@Example.org'));
    for (const other of ['alice@example.org', 'alice+other@example.org', 'alice', 'a@b.example']) {
      assert.ok(!directory.usesFromIds(1, other), other);
    }
    assert.equal(accountOfLogin(directory.state, 'Alice+app', 'example.org'), 1);
    assert.equal(accountOfLogin(directory.state, 'alice+other', 'example.org'), undefined);
    assert.equal(directory.separatorsOf('example.org'), '+');
    assert.equal(directory.separatorsOf('example.net'), '');
    assert.ok(!directory.isDisabled('example.org'));
    await directory.execute({ type: 'DisableDomain', domain: 'example.org' }, CAUSE);
    assert.ok(directory.isDisabled('example.org'));
    await directory.close();
  });

  it('is read from the log at start', async () => {
    const { directory, ports } = await given();
    await directory.close();
    const again = await DirectoryLane.open(ports);
    assert.deepEqual(again.state, directory.state);
  });

  it('keeps nothing of a turn that was not appended', async () => {
    const { directory, log } = await given();
    log.before = () => {
      log.before = undefined;
      throw new Fault('DiskFull', 'no room');
    };
    await assert.rejects(directory.execute({ type: 'AddAccount', name: 'bob' }, CAUSE));
    assert.equal(directory.state.accounts.size, 1);
    const outcome = await directory.execute({ type: 'AddAccount', name: 'carol' }, CAUSE);
    assert.ok(!isRefusal(outcome));
    assert.equal(outcome.answer.accountId, 2);
  });

  it('refuses what is there already', async () => {
    const { directory, log } = await given();
    const refusal = await directory.execute({ type: 'AddAccount', name: 'ALICE' }, CAUSE);
    assert.deepEqual(refusal, { refused: 'AccountExists', detail: 'alice' });
    assert.deepEqual(log.appends, [3]);
  });
});
