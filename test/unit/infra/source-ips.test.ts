/** Which of our addresses outgoing mail comes from. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Listener } from '#infra/config-schema';
import { sourceFor, sourceIpsOf, type SourceIps } from '#infra/source-ips';

const SMTP = { Enabled: true };

function sources(...listeners: readonly Listener[]): SourceIps {
  return sourceIpsOf(Object.fromEntries(listeners.map((one, i) => [`l${i}`, one])));
}

describe('outgoing mail', () => {
  it('comes from where mail comes in, one address of each family', () => {
    const ips = ['192.0.2.10', '2001:db8::10'];
    const expected = { ipv4: ips[0], ipv6: ips[1] };
    assert.deepEqual(sources({ IPs: ips, SMTP }), expected);
    const inside = { IPs: ['127.0.0.1', '10.0.0.1'], IMAP: SMTP };
    assert.deepEqual(sources({ IPs: ips.slice(0, 1), SMTP }, { IPs: ips, SMTP }, inside), expected);
  });

  it('comes from where the system wants when it comes in anywhere, or at several', () => {
    assert.deepEqual(sources({ IPs: ['0.0.0.0'], SMTP }), {});
    assert.deepEqual(sources({ IPs: ['::', '192.0.2.10'], SMTP }), {});
    assert.deepEqual(sources({ IPs: ['192.0.2.10', '192.0.2.11', '2001:db8::10'], SMTP }), {
      ipv6: '2001:db8::10',
    });
    assert.deepEqual(sources({ IPs: ['192.0.2.10'], SMTP: { Enabled: false } }), {});
    assert.deepEqual(sources({ IPs: ['192.0.2.10'] }), {});
  });

  it('is sent from an address that can reach the other one', () => {
    const both = { ipv4: '192.0.2.10', ipv6: '2001:db8::10' };
    assert.equal(sourceFor('198.51.100.1', both), both.ipv4);
    assert.equal(sourceFor('2001:db8::1', both), both.ipv6);
    assert.equal(sourceFor('127.0.0.1', both), undefined);
    assert.equal(sourceFor('::1', both), undefined);
    assert.equal(sourceFor('198.51.100.1', { ipv4: '127.0.0.2' }), undefined);
    assert.equal(sourceFor('127.0.0.1', { ipv4: '127.0.0.2' }), '127.0.0.2');
    assert.equal(sourceFor('2001:db8::1', { ipv4: '192.0.2.10' }), undefined);
  });
});
