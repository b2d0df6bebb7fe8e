/**
 * Decisions get the same answers about TLS keys from the views as from the reference model.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CONTEXT, recorded } from '../../support/given.ts';
import { emptyViews } from '../../support/views.ts';
import { decideAccount, type AccountCommand } from '#domain/account';
import { emptyAccountState } from '#domain/account-state';
import type { AccountFact } from '#domain/log/streams';

const FINGERPRINTS = ['f1', 'f2', 'f3'];

const fingerprint = fc.constantFrom(...FINGERPRINTS);
const name = fc.constantFrom('laptop', 'phone');
const login = fc.constantFrom('alice@example.org', 'alice2@example.org');

const command: fc.Arbitrary<AccountCommand> = fc.oneof(
  fc.record({
    type: fc.constant('AddTlsKey' as const),
    fingerprint,
    keyType: fc.constant('ed25519'),
    name,
    noImapPreauth: fc.boolean(),
    certificate: fc.constant('MIIB'),
    login,
  }),
  fc.record(
    { type: fc.constant('ChangeTlsKey' as const), fingerprint, name, noImapPreauth: fc.boolean() },
    { requiredKeys: ['type', 'fingerprint'] },
  ),
  fc.record({ type: fc.constant('RemoveTlsKey' as const), fingerprint }),
);

describe('the TLS keys of an account', () => {
  it('are those that the facts tell of', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 20 }), (commands) => {
        const state = emptyAccountState();
        const facts: AccountFact[] = [];
        for (const one of commands) {
          const decision = decideAccount(one, state, { ...CONTEXT, at: 1 });
          if ('refused' in decision) continue;
          for (const fact of recorded(decision.events, facts.length)) {
            state.write(fact);
            facts.push(fact);
          }
        }
        using views = emptyViews();
        views.post(facts);
        assert.equal(views.state.tlsKeyCount(), state.tlsKeyCount());
        for (const one of FINGERPRINTS) {
          assert.deepEqual(views.state.tlsKey(one), state.tlsKey(one));
        }
      }),
      { numRuns: 100, seed: 20_260_501 },
    );
  });
});
