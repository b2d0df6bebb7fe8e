/**
 * What stands in for the thread that reads large messages: the same work, done right here.
 */

import type { Bodies } from '#protocols/ports';
import type { MessageReader, ReadingAnswers } from '#protocols/ports-reading';
import { readMessage } from '#protocols/readings';

export function nearReader(bodies: Pick<Bodies, 'read'>): MessageReader {
  return {
    async read(accountId, { body, prefix }, wanted) {
      const { type } = wanted;
      const octets = bodies.read(accountId, body);
      if (octets === undefined) return undefined;
      const answer = readMessage(Buffer.concat([Buffer.from(prefix), octets]), wanted);
      return answer as ReadingAnswers[typeof type];
    },
  };
}
