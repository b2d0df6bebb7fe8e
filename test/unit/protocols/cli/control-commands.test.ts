/**
 * What stands with a request is read strictly: who sends it may be another program than ours.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_PARTS } from '../../../support/openers.ts';
import { controlCommands } from '#protocols/cli/control-commands';

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
    ['tlsresults.list', { day: '2026-02-30' }, 'The field day is not a date like 2026-01-31.'],
    ['tlsresults.list', { days: 3 }, 'The field days is not known.'],
  ] as const) {
    it(`${command} ${JSON.stringify(fields)}`, async () => {
      const carryOut = controlCommands(NO_PARTS).get(command);
      assert.ok(carryOut !== undefined);
      await assert.rejects(carryOut(fields), { code: 'BadRequest', message });
    });
  }
});
