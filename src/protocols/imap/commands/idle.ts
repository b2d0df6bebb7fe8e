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
  const end: { outcome?: { readonly line?: string | undefined; readonly failure?: unknown } } = {};
  const ended = (outcome: NonNullable<typeof end.outcome>): void => {
    end.outcome = outcome;
    session.wake();
  };
  const reading = session.reader.readLine(DONE_BYTES_MAX).then(
    (line) => ended({ line }),
    (failure: unknown) => ended({ failure }),
  );
  while (end.outcome === undefined) {
    session.out.put(session.takeNews('everything'));
    await session.out.flush();
    await session.nextWake();
  }
  await reading;
  if (end.outcome.failure !== undefined) throw end.outcome.failure;
  return end.outcome.line;
}
