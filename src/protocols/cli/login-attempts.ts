/**
 * `loginattempts`: who tried to log in, asked of the running server.
 */

import type { ShownAttempt } from './control-commands.ts';
import type { AttemptFlags } from './flags.ts';
import { printList } from './lists.ts';
import { askServer, type Tools } from './tools.ts';

const COLUMNS =
  '# last, first, count, account, login address, result, protocol, mechanism, remote address, ' +
  'local address, TLS, key, client';

export async function listAttempts(flags: AttemptFlags, tools: Tools): Promise<void> {
  const { account, failed, limit } = flags;
  const question = {
    failedOnly: failed,
    ...(account === undefined ? {} : { account }),
    ...(limit === undefined ? {} : { limit }),
  };
  const answer = await askServer('loginattempts.list', flags, tools, question);
  await printList([answer as readonly ShownAttempt[]], COLUMNS, rowOf, flags, tools);
}

/** Attempts that were only counted have nothing in the columns behind the protocol. */
function rowOf(shown: ShownAttempt): readonly unknown[] {
  const { lastAt, firstAt, count, account, details, ...attempt } = shown;
  const tls = details?.tls === undefined ? '' : `${details.tls.version} ${details.tls.cipher}`;
  const known = [lastAt, firstAt, count, account, details?.login ?? '', attempt.result];
  const client = [details?.remoteIp, details?.localIp, tls, details?.fingerprint];
  return [...known, attempt.protocol, details?.mechanism, ...client, details?.userAgent];
}
