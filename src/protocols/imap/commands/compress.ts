/**
 * COMPRESS DEFLATE, where the listener allows it: some clients ask for it and then cannot do it.
 *
 * RFC 4978
 */

import { compressed } from '../compression.ts';
import { compress as compressWords } from '../grammar.ts';
import { no, ok } from '../session.ts';
import { imapCommand, LOGGED_IN, type WholeCommand } from './command.ts';

export const compress: WholeCommand = imapCommand({
  states: LOGGED_IN,
  parse: compressWords,
  run(algorithm, session) {
    if (!session.options.compress) return no('compression is not available here');
    // RFC 4978 §3
    if (session.isCompressed) return no('the connection is compressed', 'COMPRESSIONACTIVE');
    if (algorithm !== 'DEFLATE') return no('only DEFLATE is known');
    return ok('compressed from here on', {
      async afterwards() {
        session.isCompressed = true;
        session.attach(compressed(session.wire, session.reader.release()));
      },
    });
  },
});
