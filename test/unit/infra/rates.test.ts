/**
 * Rates: how often a source may connect and fail.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openRates } from '#infra/rates';
import type { Rates } from '#protocols/ports';
import { fakeClock, type FakeClock } from '../../support/clock.ts';

function open(): { readonly rates: Rates; readonly clock: FakeClock } {
  const clock = fakeClock();
  return { rates: openRates({ clock }), clock };
}

function fail(rates: Rates, ip: string, times: number): void {
  for (let i = 0; i < times; i++) rates.failedLogin(ip);
}

/** Opens connections from the sources in turn until one is refused; tells how many. */
function admitted(rates: Rates, ips: readonly string[], release: boolean): number {
  for (let count = 0; ; count++) {
    const ip = ips[count % ips.length] ?? '';
    if (!rates.admitConnection(ip)) return count;
    if (release) rates.releaseConnection(ip);
  }
}

const range = (count: number, make: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => make(i));

describe('connections at once', () => {
  it('are 30 from an address, and room comes back', () => {
    const { rates } = open();
    assert.equal(admitted(rates, ['192.0.2.1'], false), 30);
    assert.equal(rates.admitConnection('192.0.2.200'), true);
    rates.releaseConnection('192.0.2.1');
    assert.equal(rates.admitConnection('192.0.2.1'), true);
    assert.equal(rates.admitConnection('192.0.2.1'), false);
  });

  it('are 90 from a /26 and 270 from a /21', () => {
    const narrow = range(10, (i) => `192.0.2.${i}`);
    assert.equal(admitted(open().rates, narrow, false), 90);
    const wide = range(80, (i) => `198.51.${96 + (i % 8)}.${i * 3}`);
    assert.equal(admitted(open().rates, wide, false), 270);
  });

  it('count IPv6 by /64, /48 and /32', () => {
    const own = range(100, (i) => `2001:db8:1:1::${i.toString(16)}`);
    assert.equal(admitted(open().rates, own, false), 30);
    const site = range(100, (i) => `2001:DB8:0001:${i.toString(16)}::1`);
    assert.equal(admitted(open().rates, site, false), 90);
    const provider = range(100, (i) => `2001:db8:${i.toString(16)}:0:0:0:0:1`);
    assert.equal(admitted(open().rates, provider, false), 270);
  });

  it('know an IPv4 address in the dress of IPv6', () => {
    const { rates } = open();
    assert.equal(admitted(rates, ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:192.0.2.1'], false), 30);
  });

  it('take something that is no address for a source of its own', () => {
    const { rates } = open();
    assert.equal(admitted(rates, ['pipe'], false), 30);
    assert.equal(rates.admitConnection('other pipe'), true);
  });
});

describe('new connections', () => {
  it('are 300 a minute from an address', () => {
    const { rates, clock } = open();
    assert.equal(admitted(rates, ['192.0.2.1'], true), 300);
    assert.equal(rates.admitConnection('192.0.2.2'), true);
    clock.advance(60_000);
    assert.equal(rates.admitConnection('192.0.2.1'), true);
  });

  it('are 900 a minute from a /26, 2700 from a /21', () => {
    const narrow = range(10, (i) => `192.0.2.${i}`);
    assert.equal(admitted(open().rates, narrow, true), 900);
    const wide = range(80, (i) => `198.51.${96 + (i % 8)}.${i * 3}`);
    assert.equal(admitted(open().rates, wide, true), 2700);
  });
});

describe('failed logins', () => {
  it('are 10 a minute', () => {
    const { rates, clock } = open();
    fail(rates, '192.0.2.1', 9);
    assert.equal(rates.mayLogin('192.0.2.1'), true);
    fail(rates, '192.0.2.1', 1);
    assert.equal(rates.mayLogin('192.0.2.1'), false);
    assert.equal(rates.mayLogin('192.0.2.2'), true);
    clock.advance(60_000);
    assert.equal(rates.mayLogin('192.0.2.1'), true);
  });

  it('are 50 a day', () => {
    const { rates, clock } = open();
    for (let minute = 0; minute < 10; minute++) {
      assert.equal(rates.mayLogin('192.0.2.1'), true);
      fail(rates, '192.0.2.1', 5);
      clock.advance(60_000);
    }
    assert.equal(rates.mayLogin('192.0.2.1'), false);
    clock.advance(24 * 60 * 60_000);
    assert.equal(rates.mayLogin('192.0.2.1'), true);
  });

  it('are 30 a minute from a /26', () => {
    const { rates } = open();
    for (const ip of range(6, (i) => `192.0.2.${i}`)) fail(rates, ip, 5);
    assert.equal(rates.mayLogin('192.0.2.60'), false);
    assert.equal(rates.mayLogin('192.0.2.64'), true);
  });

  it('are forgotten with a success, for this address only', () => {
    const { rates } = open();
    fail(rates, '192.0.2.1', 9);
    fail(rates, '192.0.2.2', 10);
    rates.successfulLogin('192.0.2.1');
    fail(rates, '192.0.2.1', 9);
    assert.equal(rates.mayLogin('192.0.2.1'), true);
    assert.equal(rates.mayLogin('192.0.2.2'), false);
  });

  it('do not fill the memory', () => {
    const { rates } = open();
    for (let i = 0; i < 120_000; i++) {
      rates.failedLogin(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    }
    fail(rates, '192.0.2.1', 10);
    assert.equal(rates.mayLogin('192.0.2.1'), false);
  });
});

describe('a window', () => {
  it('ends now, wherever the clock stands', () => {
    const { rates, clock } = open();
    clock.advance(59_000);
    fail(rates, '192.0.2.1', 10);
    clock.advance(2_000);
    assert.equal(rates.mayLogin('192.0.2.1'), false, 'a new minute began');
    clock.advance(48_000);
    assert.equal(rates.mayLogin('192.0.2.1'), false);
    clock.advance(11_000);
    assert.equal(rates.mayLogin('192.0.2.1'), true);
  });

  it('forgets with a success what happened all along it', () => {
    const { rates, clock } = open();
    fail(rates, '192.0.2.1', 5);
    clock.advance(20_000);
    fail(rates, '192.0.2.1', 4);
    rates.successfulLogin('192.0.2.1');
    fail(rates, '192.0.2.1', 9);
    assert.equal(rates.mayLogin('192.0.2.1'), true);
  });
});

describe('limits of our own', () => {
  it('hold for an address, and three and nine times for its networks', () => {
    const clock = fakeClock();
    const limits = { ConnectionsAtOnce: 2, FailedLoginsPerMinute: 1 };
    const rates = openRates({ clock, limits });
    assert.equal(admitted(rates, ['192.0.2.1'], false), 2);
    assert.equal(admitted(rates, ['192.0.2.2', '192.0.2.3', '192.0.2.4'], false), 4);
    fail(rates, '192.0.2.1', 1);
    assert.equal(rates.mayLogin('192.0.2.1'), false);
    assert.equal(rates.mayLogin('192.0.2.2'), true);
  });
});

describe('rates that are off', () => {
  it('allow everything', () => {
    const rates = openRates({ clock: fakeClock(), off: true });
    for (let i = 0; i < 1000; i++) assert.equal(rates.admitConnection('192.0.2.1'), true);
    fail(rates, '192.0.2.1', 1000);
    rates.successfulLogin('192.0.2.1');
    rates.releaseConnection('192.0.2.1');
    assert.equal(rates.mayLogin('192.0.2.1'), true);
  });
});
