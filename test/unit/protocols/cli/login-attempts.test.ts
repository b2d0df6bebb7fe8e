/**
 * `loginattempts list`, from the words on the command line to what is printed.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { controlOf, runLine, type Ran } from '../../../support/command-line.ts';
import { NO_PARTS } from '../../../support/openers.ts';
import { controlCommands } from '#protocols/cli/control-commands';
import type { AttemptQuestion, RecordedLogin, RecordedLogins } from '#protocols/ports';

const AT = Date.UTC(2026, 0, 1);

const WRONG: RecordedLogin = {
  protocol: 'imap',
  result: 'badpassword',
  account: 'alice',
  accountId: 7,
  details: {
    mechanism: 'plain',
    login: 'alice@example.org',
    remoteIp: '192.0.2.1',
    localIp: '192.0.2.2',
    tls: { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' },
    userAgent: 'Mail/1.0',
  },
  count: 3,
  firstAt: AT,
  lastAt: AT + 1000,
};
const COUNTED: RecordedLogin = {
  protocol: 'submission',
  result: 'baduser',
  account: '-',
  count: 4000,
  firstAt: AT,
  lastAt: AT,
};

async function run(attempts: RecordedLogins, ...args: readonly string[]): Promise<Ran> {
  const openControl = controlOf(controlCommands({ ...NO_PARTS, attempts }));
  return runLine(['loginattempts', 'list', ...args], { openControl });
}

/** Gives these, and keeps what it was asked. */
function given(...attempts: readonly RecordedLogin[]): RecordedLogins & {
  readonly asked: readonly AttemptQuestion[];
} {
  const asked: AttemptQuestion[] = [];
  return {
    asked,
    async list(question) {
      asked.push(question);
      return attempts;
    },
  };
}

describe('loginattempts list', () => {
  it('41: prints a line for equal attempts', async () => {
    const attempts = given(WRONG, COUNTED);
    const { code, out, err } = await run(attempts);
    assert.deepEqual([code, err], [0, []]);
    assert.deepEqual(out.slice(1), [
      '2026-01-01T00:00:01.000Z\t2026-01-01T00:00:00.000Z\t3\talice\talice@example.org\t' +
        'badpassword\timap\tplain\t192.0.2.1\t192.0.2.2\t' +
        'TLSv1.3 TLS_AES_128_GCM_SHA256\t\tMail/1.0',
      '2026-01-01T00:00:00.000Z\t2026-01-01T00:00:00.000Z\t4000\t-\t\tbaduser\tsubmission' +
        '\t'.repeat(6),
    ]);
    assert.equal(out[0]?.split(', ').length, out[1]?.split('\t').length);
    assert.deepEqual(attempts.asked, [{ account: undefined, failedOnly: false, limit: 100 }]);
  });

  it('prints JSON, without the number of the account', async () => {
    const { out } = await run(given(WRONG), '--json');
    const { accountId: _, ...rest } = WRONG;
    const times = { firstAt: '2026-01-01T00:00:00.000Z', lastAt: '2026-01-01T00:00:01.000Z' };
    assert.deepEqual(
      out.map((line) => JSON.parse(line)),
      [{ ...rest, ...times }],
    );
  });

  it('asks for what is wanted', async () => {
    const attempts = given();
    const { out } = await run(attempts, '--account', '-', '--failed', '--limit', '5');
    assert.deepEqual(out, ['(none)']);
    assert.deepEqual(attempts.asked, [{ account: '-', failedOnly: true, limit: 5 }]);
    assert.equal((await run(attempts, '--limit', '0')).code, 2);
  });

  it('says that there is no such account', async () => {
    const list = async (): Promise<never> => assert.fail('not reached');
    const refused = { refused: 'NoSuchAccount', detail: 'bob' } as const;
    const { code, err } = await run({ list: async () => refused }, '--account', 'bob');
    assert.deepEqual([code, err], [1, ['daybook: The account does not exist: bob']]);
    assert.equal((await run({ list }, '--nonsense')).code, 2);
  });
});
