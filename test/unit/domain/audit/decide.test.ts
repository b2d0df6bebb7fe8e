/**
 * What is recorded of attempts to log in: given what the day has already, when attempts are told,
 * then facts with details, or numbers.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  attemptKey,
  decideAudit,
  DETAILED_PER_DAY_MAX,
  type GatheredAttempt,
} from '#domain/audit/decide';
import type { AuditEvent, LoginAttempt, LoginDetails } from '#domain/audit/events';
import { emptyAudit, evolveAudit, type AuditState } from '#domain/audit/state';

const DAY_MS = 86_400_000;
const AT = 100 * DAY_MS + 1000;

const DETAILS: LoginDetails = {
  mechanism: 'plain',
  login: 'alice@example.org',
  remoteIp: '192.0.2.1',
  localIp: '192.0.2.2',
  tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
  fingerprint: 'f1',
  userAgent: 'Mail/1',
};
const FAILED: LoginAttempt = {
  protocol: 'imap',
  result: 'badpassword',
  accountId: 7,
  details: DETAILS,
};
const COUNTED: LoginAttempt = { protocol: 'imap', result: 'badpassword', accountId: 7 };
const LET_IN: LoginAttempt = { ...FAILED, result: 'ok' };
const NOBODY: LoginAttempt = { protocol: 'imap', result: 'baduser', details: DETAILS };

function gathered(attempt: LoginAttempt, count = 1, firstAt = AT, lastAt = AT): GatheredAttempt {
  return { attempt, count, firstAt, lastAt };
}

/** As many facts with details as the day may have, less so many. */
function given(attempt: LoginAttempt, less = 0): AuditState {
  const state = emptyAudit();
  for (let i = less; i < DETAILED_PER_DAY_MAX; i++) {
    evolveAudit(state, { type: 'LoginAttempted', ...gathered(attempt) }, AT);
  }
  return state;
}

function when(
  state: AuditState,
  at: number,
  ...attempts: readonly GatheredAttempt[]
): readonly AuditEvent[] {
  return decideAudit({ type: 'RecordAttempts', attempts }, state, at).events;
}

describe('attempts to log in', () => {
  it('are recorded with all that is known of them, and how many there were', () => {
    const five = gathered(FAILED, 5, AT - 900, AT);
    assert.deepEqual(when(emptyAudit(), AT, five, gathered(LET_IN)), [
      { type: 'LoginAttempted', ...five },
      { type: 'LoginAttempted', ...gathered(LET_IN) },
    ]);
    assert.deepEqual(when(emptyAudit(), AT), []);
  });

  it('are only counted when the day has too many of the account', () => {
    const other = { ...FAILED, details: { ...DETAILS, remoteIp: '192.0.2.99' } };
    const events = when(
      given(FAILED, 1),
      AT,
      gathered(FAILED),
      gathered(other, 2, AT - 50, AT),
      gathered(FAILED, 3, AT, AT + 5),
    );
    assert.deepEqual(events, [
      { type: 'LoginAttempted', ...gathered(FAILED) },
      { type: 'LoginAttempted', ...gathered(COUNTED, 5, AT - 50, AT + 5) },
    ]);
  });

  it('that failed leave room for those that were let in, and for other accounts', () => {
    const others = [LET_IN, { ...FAILED, accountId: 8 }, NOBODY].map((one) => gathered(one));
    const events = when(given(FAILED), AT, ...others);
    assert.deepEqual(
      events.map(({ attempt }) => attempt),
      others.map(({ attempt }) => attempt),
    );
  });

  it('of all logins that are nobody’s are those of one account', () => {
    const details = { ...DETAILS, login: 'bob@example.org' };
    const events = when(given(NOBODY), AT, gathered({ ...NOBODY, details }));
    const counted: LoginAttempt = { protocol: 'imap', result: 'baduser' };
    assert.deepEqual(events, [{ type: 'LoginAttempted', ...gathered(counted) }]);
  });

  it('have room again on the next day', () => {
    const state = given(FAILED);
    assert.deepEqual(when(state, AT + DAY_MS, gathered(FAILED))[0]?.attempt, FAILED);
    assert.deepEqual(when(state, AT, gathered(FAILED))[0]?.attempt, COUNTED);
  });

  it('that were only counted take no room', () => {
    const state = emptyAudit();
    for (let i = 0; i < 2 * DETAILED_PER_DAY_MAX; i++) {
      evolveAudit(state, { type: 'LoginAttempted', ...gathered(COUNTED) }, AT);
    }
    assert.deepEqual(when(state, AT, gathered(FAILED))[0]?.attempt, FAILED);
  });
});

describe('attempts are equal', () => {
  it('when nothing differs', () => {
    const { tls: _, fingerprint: _2, ...bare } = DETAILS;
    const different: readonly LoginAttempt[] = [
      FAILED,
      COUNTED,
      LET_IN,
      NOBODY,
      { ...FAILED, protocol: 'submission' },
      { ...FAILED, details: bare },
      ...(['mechanism', 'login', 'remoteIp', 'localIp', 'fingerprint', 'userAgent'] as const).map(
        (name) => ({ ...FAILED, details: { ...DETAILS, [name]: 'another' } }),
      ),
      { ...FAILED, details: { ...DETAILS, tls: { version: 'TLSv1.2', cipher: 'x' } } },
    ];
    assert.equal(new Set(different.map(attemptKey)).size, different.length);
    assert.equal(attemptKey(structuredClone(FAILED)), attemptKey(FAILED));
  });
});
