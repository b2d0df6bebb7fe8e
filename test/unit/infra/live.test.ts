/**
 * News of accounts reach whoever listens.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OPENED, recorded } from '../../support/given.ts';
import { Live } from '#infra/live';

const FACTS = recorded([OPENED]);

describe('news of an account', () => {
  it('reach its listeners at once, and no others', () => {
    const live = new Live();
    const heard: string[] = [];
    live.of(1).subscribe(() => heard.push('first'));
    live.of(1).subscribe(() => heard.push('second'));
    live.of(2).subscribe(() => heard.push('other'));
    live.announce({ accountId: 1, facts: FACTS });
    assert.deepEqual(heard, ['first', 'second']);
  });

  it('do not reach who has stopped listening', () => {
    const live = new Live();
    const heard: string[] = [];
    const subscription = live.of(1).subscribe(() => heard.push('first'));
    live.of(1).subscribe(() => heard.push('second'));
    subscription.unsubscribe();
    live.announce({ accountId: 1, facts: FACTS });
    assert.deepEqual(heard, ['second']);
  });

  it('may be listened to again after the last one has left', () => {
    const live = new Live();
    live.of(1).subscribe().unsubscribe();
    const heard: number[] = [];
    live.of(1).subscribe(({ facts }) => heard.push(facts.length));
    live.announce({ accountId: 1, facts: FACTS });
    assert.deepEqual(heard, [1]);
  });

  it('end with the account, also for who begins to listen later', () => {
    const live = new Live();
    const ended: string[] = [];
    live.of(1).subscribe({ complete: () => ended.push('listening') });
    live.of(2).subscribe({ complete: () => ended.push('other') });
    live.end(1);
    live.of(1).subscribe({ complete: () => ended.push('late') });
    assert.deepEqual(ended, ['listening', 'late']);
  });

  it('end when the server closes', () => {
    const live = new Live();
    let ended = false;
    live.of(1).subscribe({ complete: () => (ended = true) });
    live.close();
    assert.ok(ended);
  });
});
