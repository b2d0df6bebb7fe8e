/**
 * What is kept of what a receiver answered: as much as tells people what went wrong. A call to try
 * a receiver with shows the same.
 */

import { firstOctets } from '../values/text.ts';
import type { WebhookAnswer } from './events.ts';

/** Of the body of the answer, in UTF-8. */
export const HOOK_RESPONSE_OCTETS_MAX = 512;
const ERROR_OCTETS_MAX = 1000;

export function keptAnswer(answer: WebhookAnswer): WebhookAnswer {
  return {
    ...answer,
    error: firstOctets(answer.error, ERROR_OCTETS_MAX),
    response: firstOctets(answer.response, HOOK_RESPONSE_OCTETS_MAX),
  };
}
