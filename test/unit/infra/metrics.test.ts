/**
 * What is counted, as Prometheus reads it.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openMetrics, type OpenMetrics } from '#infra/metrics';
import { fakeClock } from '../../support/clock.ts';

const CLOCK = fakeClock();

function metrics(oldestDueAt: number | null = null): OpenMetrics {
  return openMetrics({
    transports: ['smart'],
    queue: () => ({ length: 7, held: 2, due: 3, oldestDueAt }),
    webhooks: () => 4,
    isPaused: () => true,
    clock: CLOCK,
  });
}

describe('metrics', () => {
  it('are all there at zero before anything happens', async () => {
    const text = await metrics().text();
    const prefix = 'daybook_queue_';
    for (const line of [
      'connection_total{result="ok"} 0',
      'connection_total{result="timeout"} 0',
      'connection_total{result="canceled"} 0',
      'connection_total{result="error"} 0',
      'destinations_total 0',
      'destinations_authentic_total 0',
      'destination_dane_required_total 0',
      'destination_dane_starttlsunverified_total 0',
      'destination_dane_gathertlsa_errors_total 0',
      'tlsrequiredno_ignored_total{ignored="mtastspolicy"} 0',
      'tlsrequiredno_ignored_total{ignored="badtlsa"} 0',
      'requiretls_unsupported_total{reason="nopolicy"} 0',
      'requiretls_unsupported_total{reason="norequiretls"} 0',
      'plaintext_fallback_total 0',
      'dmarcreport_failure_total 0',
    ]) {
      assert.ok(text.includes(`\n${prefix}${line}\n`), line);
    }
    for (const code of ['200', '307', '404', '503', '5xx', 'error']) {
      assert.ok(text.includes(`\ndaybook_webhook_results_total{code="${code}"} 0\n`), code);
    }
    assert.match(text, /\ndaybook_webhook_request_duration_seconds_count 0\n/);
    for (const result of ['ok', 'okpartial', 'timeout', 'canceled', 'temperror', 'permerror']) {
      for (const transport of ['', 'smart']) {
        const labels = `result="${result}"`;
        const wanted = new RegExp(
          `delivery_duration_seconds_count\\{[^}]*transport="${transport}"[^}]*${labels}\\} 0`,
        );
        assert.match(text, wanted);
      }
    }
  });

  it('rise', async () => {
    const open = metrics();
    open.count('queue_connection_total', { result: 'ok' });
    open.count('queue_connection_total', { result: 'ok' });
    open.count('queue_plaintext_fallback_total', {});
    const labels = {
      attempt: '2',
      transport: 'smart',
      tlsmode: 'immediate',
      result: 'ok',
    } as const;
    open.observe('queue_delivery_duration_seconds', labels, 60);
    open.count('webhook_results_total', { code: '4xx' });
    open.observe('webhook_request_duration_seconds', {}, 60);
    const text = await open.text();
    assert.match(text, /daybook_queue_connection_total\{result="ok"\} 2\n/);
    assert.match(text, /daybook_queue_plaintext_fallback_total 1\n/);
    const bucket =
      /bucket\{le="0.1",attempt="2",transport="smart",tlsmode="immediate",result="ok"\} 1/;
    assert.match(text, bucket);
    assert.match(text, /daybook_webhook_results_total\{code="4xx"\} 1\n/);
    assert.match(text, /daybook_webhook_request_duration_seconds_bucket\{le="0.1"\} 1\n/);
  });

  it('queue 8: tell how the queue stands when they are read', async () => {
    const text = await metrics(CLOCK.now() - 90_000).text();
    assert.match(text, /\ndaybook_queue_length 7\n/);
    assert.match(text, /\ndaybook_queue_due 3\n/);
    assert.match(text, /\ndaybook_queue_hold 2\n/);
    assert.match(text, /\ndaybook_queue_paused 1\n/);
    assert.match(text, /\ndaybook_webhook_queue_length 4\n/);
    assert.match(text, /\ndaybook_queue_oldest_due_seconds 90\n/);
    assert.match(await metrics().text(), /\ndaybook_queue_oldest_due_seconds 0\n/);
  });
});
