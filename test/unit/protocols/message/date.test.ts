/**
 * Dates are read as people and programs write them.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatDate, parseDate } from '#protocols/message/date';

function check(text: string, iso: string | undefined, day?: number): void {
  it(JSON.stringify(text), () => {
    const date = parseDate(text);
    assert.equal(date === undefined ? undefined : new Date(date.at).toISOString(), iso);
    assert.equal(date?.day, day);
  });
}

describe('reading a date', () => {
  check('Fri, 2 Jan 2026 15:04:05 +0100', '2026-01-02T14:04:05.000Z', 20260102);
  check('2 Jan 2026 15:04 -0730', '2026-01-02T22:34:00.000Z', 20260102);
  check('Fri, 02 Jan 2026 00:30:00 +0200 (EET)', '2026-01-01T22:30:00.000Z', 20260102);
  check('Fri,  2 January 2026 15:04:05 GMT', '2026-01-02T15:04:05.000Z', 20260102);
  check('fri, 2 jan 26 15:04:05 EST', '2026-01-02T20:04:05.000Z', 20260102);
  check('Sat, 2 Jan 99 15:04:05 PDT', '1999-01-02T22:04:05.000Z', 19990102);
  check('2 Jan 126 15:04:05 UT', '2026-01-02T15:04:05.000Z', 20260102);
  check('2-Jan-2026 15:04:05 Z', '2026-01-02T15:04:05.000Z', 20260102);
  check('Thu, 29 Feb 2024 23:59:60 +0000', '2024-03-01T00:00:00.000Z', 20240229);
  check('2 Jan 2026', '2026-01-02T00:00:00.000Z', 20260102);
});

describe('what is no date', () => {
  check('', undefined);
  check('tomorrow', undefined);
  check('31 Feb 2026 00:00:00 +0000', undefined);
  check('0 Jan 2026 00:00:00 +0000', undefined);
  check('2 Foo 2026 00:00:00 +0000', undefined);
  check('2 Jan 2026 24:00:00 +0000', undefined);
});

describe('writing a date', () => {
  it('uses UTC', () => {
    const at = Date.UTC(2026, 0, 2, 15, 4, 5, 678);
    assert.equal(formatDate(at), 'Fri, 2 Jan 2026 15:04:05 +0000');
  });

  it('is read back', () => {
    for (let at = 0; at < 4e12; at += 123_456_789_000) {
      assert.equal(parseDate(formatDate(at))?.at, Math.floor(at / 1000) * 1000);
    }
  });
});
