/** Whom webhooks may call, and of what. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOutgoingEvent, isWebhookUrl } from '#domain/webhook/target';

describe('the URL of a webhook', () => {
  it('is one of an HTTP server', () => {
    for (const url of [
      'http://127.0.0.1:8080/out',
      'https://app.example.org',
      'HTTPS://app.example.org/?a=b#c',
      'http://[::1]:8080/in?x=1',
      'http://bücher.example/ä',
    ]) {
      assert.equal(isWebhookUrl(url), true, url);
    }
  });

  it('is no other, and holds no password (webapi 40, 42)', () => {
    for (const url of [
      '',
      'mailto:x',
      'ftp://app.example.org/',
      'http://',
      'http:///out',
      'http://name:password@app.example.org/',
      'http://name@app.example.org/',
      'http://app.example.org:port/',
      'http://app.example.org:99999/',
      'http://[::1::2]/',
      'http://app.example.org/a b',
      'http://app.example.org/\r\nX: y',
      ` http://app.example.org/`,
      'http://app.example.org/\u001b[2J',
      'http://app\u007f.example.org/',
      'http://app.example.org/\u0085',
      `http://app.example.org/${'x'.repeat(2000)}`,
    ]) {
      assert.equal(isWebhookUrl(url), false, url);
    }
  });
});

describe('the events of a webhook', () => {
  it('are eight', () => {
    const names = ['delivered', 'suppressed', 'delayed', 'failed'];
    const others = ['relayed', 'expanded', 'canceled', 'unrecognized'];
    assert.ok([...names, ...others].every(isOutgoingEvent));
    assert.ok(!['bogus', 'Failed', 'incoming', 'toString', ''].some(isOutgoingEvent));
  });
});
