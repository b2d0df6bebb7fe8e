/**
 * What a conversation tells of its attempts to log in, and when.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { notedAttempts, type NotedAttempts } from '../../../support/attempts.ts';
import { fakeClock, type FakeClock } from '../../../support/clock.ts';
import { FAKE_TLS } from '../../../support/pipes.ts';
import { LoginRecord, NAME_WAIT_MS, resultOf } from '#protocols/sasl/login-record';
import type { SaslFailure } from '#protocols/sasl/mechanism';

const ENDS = {
  remoteIp: '192.0.2.1',
  localIp: '192.0.2.2',
  tls: { ...FAKE_TLS, peerKey: { fingerprint: 'f1', resumed: false } },
};
const LET_IN = {
  mechanism: 'PLAIN',
  login: 'alice@example.org',
  result: 'ok',
  accountId: 7,
} as const;
const WRONG = { mechanism: 'PLAIN', login: 'alice@example.org', result: 'badpassword' } as const;

function open(): { attempts: NotedAttempts; clock: FakeClock; record: LoginRecord } {
  const [attempts, clock] = [notedAttempts(), fakeClock()];
  return { attempts, clock, record: new LoginRecord('imap', { attempts, clock }) };
}

function clients({ noted }: NotedAttempts): readonly string[] {
  return noted.map(({ userAgent }) => userAgent);
}

describe('the record of a conversation', () => {
  it('tells where the client is, and by which TLS', () => {
    const { attempts, record } = open();
    record.add(WRONG, ENDS);
    const { remoteIp, localIp, tls } = ENDS;
    assert.deepEqual(attempts.noted, [
      {
        protocol: 'imap',
        ...WRONG,
        mechanism: 'plain',
        remoteIp,
        localIp,
        tls,
        fingerprint: 'f1',
        userAgent: '',
      },
    ]);
  });

  it('lets a success wait for the name of the client, a second at most', () => {
    const { attempts, clock, record } = open();
    record.add(LET_IN, ENDS);
    clock.advance(NAME_WAIT_MS - 1);
    assert.deepEqual(attempts.noted, []);
    record.identify('Mail/1.0');
    assert.deepEqual(clients(attempts), ['Mail/1.0']);
    assert.equal(clock.waiting, 0);

    const other = open();
    other.record.add(LET_IN, ENDS);
    other.clock.advance(NAME_WAIT_MS);
    other.record.identify('too late');
    assert.deepEqual(clients(other.attempts), ['']);
  });

  it('waits for nothing when the name is known, or nobody was let in', () => {
    const { attempts, record } = open();
    record.add(WRONG, ENDS);
    record.identify('Mail/1.0');
    record.add(LET_IN, ENDS);
    assert.deepEqual(clients(attempts), ['', 'Mail/1.0']);
  });

  it('is told when the conversation ends, and with the next attempt', () => {
    const { attempts, clock, record } = open();
    record.add(LET_IN, ENDS);
    record.add(LET_IN, ENDS);
    assert.equal(attempts.noted.length, 1);
    record.close();
    assert.equal(attempts.noted.length, 2);
    record.close();
    assert.equal(attempts.noted.length, 2);
    assert.equal(clock.waiting, 0);
  });
});

describe('a failure is recorded', () => {
  const failures: readonly (readonly [SaslFailure, string])[] = [
    [{ type: 'not-authorized' }, 'badcreds'],
    [{ type: 'wrong-binding' }, 'badchanbind'],
    [{ type: 'forbidden', reason: 'closed' }, 'logindisabled'],
    [{ type: 'cancelled' }, 'aborted'],
    [{ type: 'needs-tls' }, 'badprotocol'],
    [{ type: 'no-secret' }, 'badprotocol'],
    [{ type: 'bad-base64' }, 'badprotocol'],
    [{ type: 'malformed', what: 'x' }, 'badprotocol'],
    [{ type: 'bad-exchange', what: 'x' }, 'badprotocol'],
  ];
  for (const [failure, result] of failures) {
    it(`as ${result}: ${failure.type}`, () => assert.equal(resultOf(failure, true), result));
  }

  it('as a wrong password where one was sent, else as a wrong proof', () => {
    assert.equal(resultOf({ type: 'wrong-credentials' }, true), 'badpassword');
    assert.equal(resultOf({ type: 'wrong-credentials' }, false), 'badcreds');
  });
});
