/**
 * IDLE: changes are told as they happen.
 *
 * RFC 9051 §6.3.13 (RFC 2177)
 */

import { noArguments } from '../grammar.ts';
import { ok, type Session } from '../session.ts';
import { imapCommand, LOGGED_IN, type WholeCommand } from './command.ts';

/** `DONE`, with some room for what a client sends instead. */
const DONE_BYTES_MAX = 64;

export const idle: WholeCommand = imapCommand({
  states: LOGGED_IN,
  parse: noArguments,
  async run(_, session) {
    session.out.line('+ idling');
    const line = await tellUntilLine(session);
    if (line?.toUpperCase() !== 'DONE') {
      // RFC 9051 §6.3.13: nothing else may be sent; who does so is out of step.
      session.ending ??= line === undefined ? {} : { bye: 'only DONE ends IDLE' };
    }
    return ok('IDLE done', { news: 'everything' });
  },
});

async function tellUntilLine(session: Session): Promise<string | undefined> {
  let line: string | undefined;
  let failure: unknown;
  let over = false;
  const end = (): void => {
    over = true;
    session.wake();
  };
  const reading = session.reader.readLine(DONE_BYTES_MAX).then(
    (text) => {
      line = text;
      end();
    },
    (error: unknown) => {
      failure = error;
      end();
    },
  );
  while (!over) {
    session.out.put(session.takeNews('everything'));
    await session.out.flush();
    await session.nextWake();
  }
  await reading;
  if (failure !== undefined) throw failure;
  return line;
}
