/**
 * What stands in for the thread that reads large messages: the same work, done right here.
 */

import type { Bodies } from '#protocols/ports';
import type { MessageReader } from '#protocols/ports-reading';
import { readMessage } from '#protocols/readings';

export function nearReader(bodies: Pick<Bodies, 'read'>): MessageReader {
  return {
    async read(accountId, { body, prefix }, wanted) {
      const octets = bodies.read(accountId, body);
      return octets && readMessage(Buffer.concat([Buffer.from(prefix), octets]), wanted);
    },
  };
}
