/**
 * Events without a meaning, for tests of the log.
 */

import { createHash } from 'node:crypto';
import type { NewEvent } from '#domain/log/event';

/** An event that `label` alone decides: the same label, the same id. */
export function someEvent(label: string | number, data: object = { label }): NewEvent {
  return {
    id: uuidOf(String(label)),
    type: 'ThingHappened',
    version: 1,
    at: 1_700_000_000_000,
    data,
    cause: { actor: 'system:test', cid: 'c1' },
  };
}

/** Events labelled `<label>-0`, `<label>-1`, … */
export function someEvents(label: string, count: number): readonly NewEvent[] {
  return Array.from({ length: count }, (_, index) => someEvent(`${label}-${index}`));
}

function uuidOf(label: string): string {
  const hex = createHash('sha256').update(label).digest('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`];
  return [...parts, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
}
