/**
 * IDLE: changes are told as they happen.
 *
 * RFC 9051 §6.3.13 (RFC 2177)
 */

import { noArguments } from '../grammar.ts';
import { bad, ok } from '../session.ts';
import { tellWhile } from '../telling.ts';
import { imapCommand, LOGGED_IN, type WholeCommand } from './command.ts';

/** `DONE`, with some room for what a client sends instead. */
const DONE_BYTES_MAX = 64;

export const idle: WholeCommand = imapCommand({
  states: LOGGED_IN,
  parse: noArguments,
  async run(_, session) {
    session.out.line('+ idling');
    const line = await tellWhile(session.reader.readLine(DONE_BYTES_MAX), 'everything', session);
    if (line?.toUpperCase() === 'DONE') return ok('IDLE done', { news: 'everything' });
    // RFC 9051 §6.3.13: nothing else may be sent; who does so is out of step.
    session.ending ??= line === undefined ? {} : { bye: 'please begin anew' };
    return bad('only DONE ends IDLE');
  },
});
