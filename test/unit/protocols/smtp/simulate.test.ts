/** What localparts ask for in local mode. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureInQueue, simulatedFailure } from '#protocols/smtp/simulate';

test('smtp 132: the end of a localpart says what fails, its beginning where', () => {
  const cases: readonly (readonly [string, ReturnType<typeof simulatedFailure>])[] = [
    ['alice', undefined],
    ['temperror', { stage: 'data', code: 451 }],
    ['x.permerror', { stage: 'data', code: 550 }],
    ['PermError', { stage: 'data', code: 550 }],
    ['timeout', { stage: 'data', code: 'timeout' }],
    ['x400', { stage: 'data', code: 400 }],
    ['x599', { stage: 'data', code: 599 }],
    ['x+451', { stage: 'data', code: 451 }],
    ['mailfrompermerror', { stage: 'mailfrom', code: 550 }],
    ['x600', undefined],
    ['x399', undefined],
    ['x55', undefined],
    ['mailfrom550', { stage: 'mailfrom', code: 550 }],
    ['rcpttotimeout', { stage: 'rcptto', code: 'timeout' }],
    ['queue451', { stage: 'queue', code: 451 }],
    ['queue', undefined],
    ['mailfrom', undefined],
  ];
  for (const [localpart, expected] of cases) {
    assert.deepEqual(simulatedFailure(localpart), expected, localpart);
  }
});

test('in the queue every stage comes again, the sender first', () => {
  const cases: readonly (readonly [string, string, number | 'timeout' | undefined])[] = [
    ['alice', 'bob', undefined],
    ['alice', 'queue550', 550],
    ['alice', 'rcptto451', 451],
    ['alice', 'x451', 451],
    ['alice', 'mailfrom451', undefined],
    ['mailfrom554', 'queue550', 554],
    ['queue550', 'bob', undefined],
    ['', 'timeout', 'timeout'],
  ];
  for (const [sender, recipient, expected] of cases) {
    assert.equal(failureInQueue(sender, recipient), expected, `${sender} → ${recipient}`);
  }
});
