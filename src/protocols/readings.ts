/**
 * What can be found out of a whole message: the other end of `ports-reading.ts`, loaded by the
 * thread that reads large messages too.
 */

import type { Buffer } from 'node:buffer';
import { unreachable } from '#domain/values/decision';
import { findBinary, openSections, readExtents } from './message/section.ts';
import { MessageText } from './message/text.ts';
import type { Reading, ReadingAnswers } from './ports-reading.ts';
import { incomingPayload } from './webhook/payload-incoming.ts';

export function readMessage(message: Buffer, wanted: Reading): ReadingAnswers[Reading['type']] {
  switch (wanted.type) {
    case 'payload':
      return incomingPayload(message, wanted.mail);
    case 'extents':
      return readExtents(message);
    case 'binary':
      return findBinary(openSections(message), wanted.part, wanted.range);
    case 'texts': {
      const texts = new MessageText({ header: () => message, whole: () => message });
      return wanted.wanted.map((text) => texts.has(text));
    }
    default:
      return unreachable(wanted);
  }
}
