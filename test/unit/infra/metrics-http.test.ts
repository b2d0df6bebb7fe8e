/**
 * The listener for metrics.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { serveMetrics } from '#infra/metrics-http';
import { silentLog } from '../../support/silent-log.ts';

const METRICS = { contentType: 'text/plain; version=0.0.4', text: async () => 'a 1\n' };

it('serves the metrics and nothing else', async () => {
  const listener = await serveMetrics({ host: '127.0.0.1', port: 0 }, METRICS, silentLog);
  try {
    const base = `http://127.0.0.1:${listener.port}`;
    const answer = await fetch(`${base}/metrics`);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), METRICS.contentType);
    assert.equal(await answer.text(), 'a 1\n');
    for (const path of ['/', '/metrics/', '/debug/pprof']) {
      const other = await fetch(base + path);
      assert.equal(other.status, 404, path);
      await other.text();
    }
    const posted = await fetch(`${base}/metrics`, { method: 'POST' });
    assert.equal(posted.status, 405);
    const taken = serveMetrics({ host: '127.0.0.1', port: listener.port }, METRICS, silentLog);
    await assert.rejects(taken, { code: 'CannotListen' });
  } finally {
    await listener.close();
  }
});
