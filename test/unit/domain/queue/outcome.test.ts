/** When a message is tried again, and what replies mean. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ATTEMPTS_MAX,
  doublingSchedule,
  fixedSchedule,
  isPermanent,
  suppressionReason,
} from '#domain/queue/outcome';

const MINUTE = 60_000;

describe('the doubling schedule', () => {
  it('ends after 15 hours 52½ minutes (queue 1)', () => {
    let minutes = 0;
    const starts = [0];
    for (let attempt = 1; attempt < ATTEMPTS_MAX; attempt++) {
      minutes += doublingSchedule(attempt, 0.5) / MINUTE;
      starts.push(minutes);
    }
    assert.deepEqual(starts, [0, 7.5, 22.5, 52.5, 112.5, 232.5, 472.5, 952.5]);
  });

  it('waits 7½ minutes after the first attempt and twice as long after each further one', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7].map((attempt) => doublingSchedule(attempt, 0.5));
    assert.deepEqual(
      waits,
      [7.5, 15, 30, 60, 120, 240, 480].map((minutes) => minutes * MINUTE),
    );
    assert.equal(ATTEMPTS_MAX, 8);
  });

  it('draws the base between 445 and 454 seconds', () => {
    assert.equal(doublingSchedule(1, 0), 445_000);
    assert.equal(doublingSchedule(1, 0.999), 454_000);
  });
});

describe('a fixed schedule', () => {
  it('repeats its last wait', () => {
    const schedule = fixedSchedule([1000, 2000, 5000]);
    assert.deepEqual(
      [1, 2, 3, 4, 9].map((attempt) => schedule(attempt, 0.3)),
      [1000, 2000, 5000, 5000, 5000],
    );
  });
});

describe('a final failure', () => {
  const reason = (code: number, enhancedCode: string, inRow = 1): string | undefined =>
    suppressionReason({ code, enhancedCode, text: '' }, inRow, 'queue');

  it('says of some addresses that they are no good, at once (webapi 25)', () => {
    for (const code of [521, 550, 551, 553, 556]) assert.ok(reason(code, '5.0.0'), String(code));
    for (const detail of ['1.1', '1.2', '1.3', '1.6', '2.1', '7.1']) {
      assert.ok(reason(554, `5.${detail}`), detail);
    }
  });

  it('says nothing of others before the third in a row (webapi 27)', () => {
    for (const [code, enhancedCode] of [
      [552, '5.2.2'],
      [554, '5.0.0'],
      [554, ''],
      [450, '4.1.1'],
      [451, '4.7.1'],
    ] as const) {
      assert.equal(reason(code, enhancedCode), undefined);
      assert.equal(reason(code, enhancedCode, 2), undefined);
      assert.match(reason(code, enhancedCode, 3) ?? '', /three consecutive failures$/);
    }
  });

  it('without a reply never does', () => {
    assert.equal(reason(0, '', 9), undefined);
  });
});

describe('a refusal', () => {
  const stands = (code: number, enhancedCode: string, attempt: number, dual: boolean): boolean =>
    isPermanent({ code, enhancedCode, text: '' }, attempt, dual);

  it('by policy may be about the family of our address, the first time (queue 20)', () => {
    assert.equal(stands(554, '5.7.1', 1, true), false);
    assert.equal(stands(554, '5.7.1', 2, true), true);
    assert.equal(stands(554, '5.7.1', 1, false), true);
  });

  it('of another kind stands', () => {
    assert.equal(stands(550, '5.1.1', 1, true), true);
    assert.equal(stands(450, '4.7.1', 1, false), false);
  });
});
