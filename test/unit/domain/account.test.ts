/** What is decided for an account that is being removed: nothing begins, and all ends. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CONTEXT, OPENED, stored } from '../../support/given.ts';
import { decideAccount, type AccountCommand } from '#domain/account';
import { emptyAccountState } from '#domain/account-state';
import { DEFAULT_POLICY } from '#domain/directory/settings';

function outcome(command: AccountCommand): string {
  const state = emptyAccountState();
  state.write({ revision: 0, modSeq: 1, at: 0, cause: { actor: 'test' }, event: OPENED });
  const context = { ...CONTEXT, policy: { ...DEFAULT_POLICY, isClosed: true } };
  const decision = decideAccount(command, state, context);
  return 'refused' in decision ? decision.refused : 'decided';
}

describe('queue 35: an account that is being removed', () => {
  it('takes no mail, no changes and no passwords', () => {
    const commands: readonly AccountCommand[] = [
      { type: 'AppendMessages', mailbox: 'Inbox', messages: [stored()] },
      { type: 'CreateMailbox', name: 'More' },
      { type: 'StartAttempt', queueIds: [1], nextAttemptAt: 2, transport: '' },
      { type: 'SetPassword', secret: 'a' },
      { type: 'SuppressAddress', address: 'a@example.org', reason: 'test' },
    ];
    for (const command of commands) assert.equal(outcome(command), 'NoSuchAccount', command.type);
  });

  it('has its attempts ended, its mail failed, its lists emptied', () => {
    const commands: readonly AccountCommand[] = [
      { type: 'CloseInterruptedAttempts' },
      { type: 'FailMessage', queueId: 1 },
      { type: 'DropMessages', queueIds: [1] },
      { type: 'ForgetRetired' },
    ];
    for (const command of commands) assert.equal(outcome(command), 'decided', command.type);
    assert.equal(
      outcome({ type: 'UnsuppressAddress', address: 'a@example.org' }),
      'AddressNotSuppressed',
    );
  });
});
