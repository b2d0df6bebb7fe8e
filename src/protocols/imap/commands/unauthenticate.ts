/**
 * UNAUTHENTICATE: the connection is as it was before login, but for TLS and compression.
 *
 * RFC 8437
 */

import { noArguments } from '../grammar.ts';
import { no, ok } from '../session.ts';
import { imapCommand, LOGGED_IN, type WholeCommand } from './command.ts';

export const unauthenticate: WholeCommand = imapCommand({
  states: LOGGED_IN,
  parse: noArguments,
  run(_, session) {
    // RFC 8437 §3: whoever was never asked who he is cannot be asked again.
    if (session.isPreauthenticated) return no('the TLS key has opened this session');
    session.logOut();
    return ok('logged out', { news: 'nothing' });
  },
});
