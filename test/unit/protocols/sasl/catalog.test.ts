/**
 * What is offered on which connection, and what a client picks.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TlsFacts } from '#protocols/ports';
import { findMechanism, offeredMechanisms, strongestMechanism } from '#protocols/sasl/catalog';

const tls: TlsFacts = {
  version: 'TLSv1.3',
  cipher: 'TLS_AES_128_GCM_SHA256',
  channelBinding: { type: 'tls-exporter', data: Buffer.alloc(32) },
};
const UNDER_TLS = { tls, passwordsInClear: false };
const BARE = { tls: undefined, passwordsInClear: false };

describe('mechanisms', () => {
  it('are found in letters of any case', () => {
    assert.equal(findMechanism('scram-sha-256')?.name, 'SCRAM-SHA-256');
    assert.equal(findMechanism('XFOO'), undefined);
  });

  it('are offered strongest first; passwords travel only under TLS', () => {
    assert.deepEqual(offeredMechanisms(UNDER_TLS), [...WITHOUT_PASSWORD, 'PLAIN', 'LOGIN']);
    assert.deepEqual(offeredMechanisms(BARE), WITHOUT_PASSWORD);
    const trusting = { tls: undefined, passwordsInClear: true };
    assert.deepEqual(offeredMechanisms(trusting), [...WITHOUT_PASSWORD, 'PLAIN', 'LOGIN']);
  });

  it('are picked by strength and by what the connection allows', () => {
    const all = ['login', 'PLAIN', 'cram-md5', 'SCRAM-SHA-1', 'SCRAM-SHA-256-PLUS', 'EXTERNAL'];
    assert.equal(strongestMechanism(all, UNDER_TLS)?.name, 'SCRAM-SHA-256-PLUS');
    assert.equal(strongestMechanism(all, BARE)?.name, 'SCRAM-SHA-1');
    assert.equal(strongestMechanism(['LOGIN', 'CRAM-MD5'], BARE)?.name, 'CRAM-MD5');
    assert.equal(strongestMechanism(['LOGIN', 'PLAIN'], UNDER_TLS)?.name, 'PLAIN');
    assert.equal(strongestMechanism(['LOGIN', 'PLAIN'], BARE), undefined);
    assert.equal(strongestMechanism(['XFOO'], UNDER_TLS), undefined);
  });

  it('begin with EXTERNAL where the client has shown a key, and only there', () => {
    const shown = { ...tls, peerKey: { fingerprint: 'f', resumed: false } };
    const [first, ...others] = offeredMechanisms({ tls: shown, passwordsInClear: false });
    assert.equal(first, 'EXTERNAL');
    assert.deepEqual(others, offeredMechanisms(UNDER_TLS));
    const all = ['PLAIN', 'SCRAM-SHA-256', 'EXTERNAL'];
    assert.equal(strongestMechanism(all, { ...UNDER_TLS, ownKey: true })?.name, 'EXTERNAL');
    assert.equal(strongestMechanism(all, UNDER_TLS)?.name, 'SCRAM-SHA-256');
    assert.equal(strongestMechanism(all, { ...BARE, ownKey: true })?.name, 'SCRAM-SHA-256');
  });
});

const WITHOUT_PASSWORD = [
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-256',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-1',
  'CRAM-MD5',
];
