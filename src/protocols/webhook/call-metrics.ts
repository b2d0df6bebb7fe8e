/**
 * Counts webhook calls: how they ended, and how long they took.
 *
 * Invariant: a receiver cannot make labels of its own; what seldom comes is counted by its class.
 */

import type { WebhookAnswer } from '#domain/webhook/events';
import type { HookCode, Metrics } from '../ports-metrics.ts';

const CODES: readonly HookCode[] = [
  ...(['200', '201', '202', '204', '301', '302', '303', '307', '308'] as const),
  ...(['400', '401', '403', '404', '405', '410', '413', '422', '429'] as const),
  ...(['500', '502', '503', '504'] as const),
];
const CLASSES: readonly HookCode[] = ['error', '1xx', '2xx', '3xx', '4xx', '5xx'];

export function countCall({ code, durationMs }: WebhookAnswer, metrics: Metrics): void {
  metrics.count('webhook_results_total', { code: wordOf(code) });
  metrics.observe('webhook_request_duration_seconds', {}, durationMs);
}

function wordOf(code: number): HookCode {
  const known = CODES.find((one) => one === String(code));
  return known ?? CLASSES[Math.floor(code / 100)] ?? 'error';
}
