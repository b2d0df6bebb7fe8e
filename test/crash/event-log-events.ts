/**
 * The event that stands at a revision of a stream in the crash test of the log.
 */

import type { NewEvent } from '#domain/log/event';
import { someEvent } from '../support/events.ts';

export function crashEvent(stream: string, revision: number): NewEvent {
  return someEvent(`${stream} ${revision}`, { revision, text: 'x'.repeat((revision * 7) % 400) });
}
