/**
 * Days and moments as IMAP writes them.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { civilDay, DATE_TIME, formatDateTime, readDateTime } from '#protocols/imap/calendar';

function read(text: string): ReturnType<typeof readDateTime> {
  DATE_TIME.lastIndex = 0;
  const match = DATE_TIME.exec(text);
  return match === null ? undefined : readDateTime(match);
}

describe('days', () => {
  it('are numbers that sort as the calendar does', () => {
    assert.equal(civilDay(2022, 'Feb', 1), 20220201);
    assert.equal(civilDay(2022, 'DEC', 31), 20221231);
    assert.equal(civilDay(2024, 'feb', 29), 20240229);
  });

  it('that do not exist are none', () => {
    const none = [
      [2022, 'Jan', 32],
      [2022, 'Jan', 0],
      [2023, 'Feb', 29],
      [1900, 'Feb', 29],
      [2022, 'Apr', 31],
      [2022, 'anF', 1],
      [2022, 'Ja', 1],
      [2022, 'Foo', 1],
    ] as const;
    for (const [year, month, day] of none) assert.equal(civilDay(year, month, day), undefined);
  });
});

describe('moments', () => {
  it('keep the zone that they were written in', () => {
    assert.deepEqual(read('" 1-Jan-2022 10:10:00 +0100"'), {
      at: Date.UTC(2022, 0, 1, 9, 10),
      zoneMinutes: 60,
    });
    assert.equal(formatDateTime(Date.UTC(2022, 0, 1, 9, 10), 60), '" 1-Jan-2022 10:10:00 +0100"');
    assert.equal(
      formatDateTime(Date.UTC(2022, 0, 1, 0, 0, 59), -570),
      '"31-Dec-2021 14:30:59 -0930"',
    );
  });

  it('that do not exist are none', () => {
    const none = [
      '"32-Jan-2022 10:10:00 +0100"',
      '"1-Jan-2022 10:10:00 +0100"',
      '" 1-Jan-2022 24:10:00 +0100"',
      '" 1-Jan-2022 10:60:00 +0100"',
      '" 1-Jan-2022 10:10:61 +0100"',
      '" 1-Jan-2022 10:10:00 +2400"',
      '" 1-Jan-2022 10:10:00 0100"',
      '" 1-Jan-2022 10:10:00 UT"',
    ];
    for (const text of none) assert.equal(read(text), undefined, text);
  });

  it('are read as the platform reads them, and come back as they were', () => {
    const arbitrary = fc.tuple(
      fc.integer({ min: Date.UTC(0, 0, 1) / 1000, max: Date.UTC(9999, 0, 1) / 1000 }),
      fc.integer({ min: -1439, max: 1439 }),
    );
    fc.assert(
      fc.property(arbitrary, ([seconds, zoneMinutes]) => {
        const at = seconds * 1000;
        const text = formatDateTime(at, zoneMinutes);
        const [, year, month] = new Date(at + zoneMinutes * 60_000)
          .toUTCString()
          .split(' ')
          .slice(1);
        assert.equal(text.slice(1, 12).trim().split('-')[1], year);
        assert.ok(text.includes(`-${month} `), text);
        const back = read(text);
        assert.equal(back?.at, at);
        assert.equal(back.zoneMinutes, zoneMinutes);
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});
