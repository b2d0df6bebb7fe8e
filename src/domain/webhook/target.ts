/**
 * What an account may set about webhooks: whom to call, and what to tell.
 */

import type { OutgoingEvent, WebhookTarget } from './events.ts';

export interface OutgoingWebhook extends WebhookTarget {
  /** Empty for all. */
  readonly events: readonly OutgoingEvent[];
}

export type IncomingWebhook = WebhookTarget;

const OUTGOING_EVENTS: Record<OutgoingEvent, true> = {
  delivered: true,
  suppressed: true,
  delayed: true,
  failed: true,
  relayed: true,
  expanded: true,
  canceled: true,
  unrecognized: true,
};

export function isOutgoingEvent(name: string): name is OutgoingEvent {
  return Object.hasOwn(OUTGOING_EVENTS, name);
}

const URL_CHARS_MAX = 2000;

/** RFC 9110 §4.2. Names and passwords have no place in it: it is shown, and stored for ever. */
const HTTP_URL = /^https?:\/\/(?:\[[\d.:a-f]+\]|[^\s/?#@:[\]\\]+)(?::\d{1,5})?(?:[/?#]\S*)?$/i;

/** What would do something to the terminal that shows it. */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/;

export function isWebhookUrl(text: string): boolean {
  const isWritten = text.length <= URL_CHARS_MAX && HTTP_URL.test(text) && !CONTROLS.test(text);
  return isWritten && URL.canParse(text);
}
