/**
 * What stands with a request is read strictly: who sends it may be another program than ours.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { controlCommands } from '#protocols/cli/control-commands';
import type { TlsKeys } from '#protocols/ports';
import type { AdministeredAccounts } from '#protocols/ports-admin';

const unused = (): never => assert.fail('not to be reached');
const KEYS: TlsKeys = { add: unused, change: unused, remove: unused, get: unused, list: unused };
const ACCOUNTS: AdministeredAccounts = { get: unused, change: unused };

describe('a request with wrong fields', () => {
  for (const [command, fields, message] of [
    ['tlspubkey.add', {}, 'The field login is missing.'],
    ['tlspubkey.add', undefined, 'The field login is missing.'],
    ['tlspubkey.add', [], 'The field login is missing.'],
    ['tlspubkey.add', { login: 7 }, 'The field login is not a text.'],
    [
      'tlspubkey.add',
      { login: 'x', certificate: 'y', color: 'red' },
      'The field color is not known.',
    ],
    [
      'tlspubkey.add',
      { login: 'x', certificate: 'y', noImapPreauth: 'yes' },
      'The field noImapPreauth is neither true nor false.',
    ],
    ['tlspubkey.change', { fingerprint: 'f', name: null }, 'The field name is not a text.'],
    [
      'tlspubkey.change',
      { fingerprint: 'f', noPreauth: true },
      'The field noPreauth is not known.',
    ],
    ['tlspubkey.get', {}, 'The field fingerprint is missing.'],
    ['tlspubkey.rm', { fingerprint: 'f', account: 'a' }, 'The field account is not known.'],
    ['tlspubkey.list', { login: 'x' }, 'The field login is not known.'],
    ['account.show', {}, 'The field account is missing.'],
    ['account.show', { account: 'a', quota: 1 }, 'The field quota is not known.'],
    [
      'account.set',
      { account: 'a', quotaBytes: '1g' },
      'The field quotaBytes is not a whole number.',
    ],
    [
      'account.set',
      { account: 'a', hiddenCapabilities: 'IDLE' },
      'The field hiddenCapabilities is not a list of texts.',
    ],
    ['loginattempts.list', { limit: 1.5 }, 'The field limit is not a whole number.'],
    ['loginattempts.list', { limit: -1 }, 'The field limit is not a whole number.'],
    ['loginattempts.list', { login: 'x' }, 'The field login is not known.'],
  ] as const) {
    it(`${command} ${JSON.stringify(fields)}`, async () => {
      const carryOut = controlCommands({
        accounts: ACCOUNTS,
        keys: KEYS,
        attempts: { list: unused },
      }).get(command);
      assert.ok(carryOut !== undefined);
      await assert.rejects(carryOut(fields), { code: 'BadRequest', message });
    });
  }
});
