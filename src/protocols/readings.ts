/**
 * What can be found out of a whole message: the other end of `ports-reading.ts`, loaded by the
 * thread that reads large messages too.
 */

import type { Buffer } from 'node:buffer';
import type { Reading, ReadingAnswers } from './ports-reading.ts';
import { incomingPayload } from './webhook/payload-incoming.ts';

export function readMessage(message: Buffer, wanted: Reading): ReadingAnswers[Reading['type']] {
  return incomingPayload(message, wanted.mail);
}
