/**
 * How programs call sendmail.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSendmailArgs, type SendmailArgs } from '#protocols/cli/sendmail-args';

const NOTHING: SendmailArgs = {
  fromName: undefined,
  readsRecipients: false,
  sendsKept: false,
  file: undefined,
  recipients: [],
};

describe('the command line of sendmail', () => {
  for (const [line, expected] of [
    ['bob', { recipients: ['bob'] }],
    ['-t', { readsRecipients: true }],
    ['-ti', { readsRecipients: true }],
    ['-it', { readsRecipients: true }],
    ['-i bob', { recipients: ['bob'] }],
    ['-oi -f root -t', { readsRecipients: true }],
    ['-froot bob', { recipients: ['bob'] }],
    ['-FCron bob', { fromName: 'Cron', recipients: ['bob'] }],
    ['-F Cron bob', { fromName: 'Cron', recipients: ['bob'] }],
    ['-FCronDaemon -i -B8BITMIME -oem root', { fromName: 'CronDaemon', recipients: ['root'] }],
    ['-bm bob', { recipients: ['bob'] }],
    ['-N never -r me bob ann', { recipients: ['bob', 'ann'] }],
    ['-o i bob', { recipients: ['bob'] }],
    ['-- -t -q', { recipients: ['-t', '-q'] }],
    ['-q', { sendsKept: true }],
    ['bob -', { recipients: ['bob', '-'] }],
    ['--config file -t', { file: 'file', readsRecipients: true }],
    ['--config=file bob', { file: 'file', recipients: ['bob'] }],
  ] as const) {
    it(`is: ${line}`, () => {
      assert.deepEqual(parseSendmailArgs(line.split(' ')), { ...NOTHING, ...expected });
    });
  }

  for (const line of ['-bs', '-bp', '--unknown', '-F', '-t -f', '--config', '--config=']) {
    it(`is not: ${line}`, () => {
      assert.equal(typeof parseSendmailArgs(line.split(' ')), 'string');
    });
  }
});
