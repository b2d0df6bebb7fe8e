/**
 * The event that stands at a revision of a stream in the crash test of the log.
 */

import type { NewEvent } from '#domain/log/event';
import { someEvent } from '../support/events.ts';

export function crashEvent(stream: string, revision: number): NewEvent {
  return someEvent(`${stream} ${revision}`, { revision, text: 'x'.repeat((revision * 7) % 400) });
}

/** Of each month that is dropped. */
export const DROPPED_EVENTS = 1500;
/** The stream that is not dropped. */
export const STAYING = 'account-1';
