/**
 * What stands in for the threads of full-text indexes: the same work, done right here.
 */

import { Fault } from '#domain/values/fault';
import { isDamage } from '#infra/read-models';
import { TextFiles } from '#infra/text-files';
import type { TextAnswers, TextThread, TextThreadEvents, TextThreadRole } from '#infra/text-thread';
import { readTexts } from '#protocols/message/text';

export function nearTextThread(role: TextThreadRole, events: TextThreadEvents): TextThread {
  let isOver = false;
  const files = new TextFiles({ role, reader: async () => readTexts, isStopped: () => isOver });
  let busy: Promise<unknown> = Promise.resolve();
  return {
    ask(file, request) {
      const { type } = request;
      const answer = busy.then(async () => {
        if (isOver) throw new Fault('Closing', 'The server is stopping.');
        try {
          return (await files.answer(file, request)) as TextAnswers[typeof type];
        } catch (error) {
          if (isDamage(error)) events.damaged(file);
          throw error;
        }
      });
      busy = answer.catch(() => undefined);
      return answer;
    },
    async close() {
      isOver = true;
      await busy;
      files.close();
    },
  };
}
