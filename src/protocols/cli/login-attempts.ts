/**
 * `loginattempts`: who tried to log in, asked of the running server.
 */

import type { ShownAttempt } from './control-commands.ts';
import type { AttemptFlags } from './flags.ts';
import { askServer, type Tools } from './tools.ts';

const COLUMNS =
  '# last, first, count, account, login address, result, protocol, mechanism, remote address, ' +
  'local address, TLS, key, client';

export async function listAttempts(
  { account, failed, limit, dir, json }: AttemptFlags,
  { terminal, openers }: Tools,
): Promise<void> {
  const question = {
    failedOnly: failed,
    ...(account === undefined ? {} : { account }),
    ...(limit === undefined ? {} : { limit }),
  };
  const answer = await askServer('loginattempts.list', { dir }, { openers }, question);
  const attempts = answer as readonly ShownAttempt[];
  if (json) return attempts.forEach((attempt) => terminal.out(JSON.stringify(attempt)));
  terminal.out(COLUMNS);
  for (const attempt of attempts) terminal.out(rowOf(attempt));
}

/** Attempts that were only counted have nothing in the columns behind the protocol. */
function rowOf({ lastAt, firstAt, count, account, details, ...attempt }: ShownAttempt): string {
  const tls = details?.tls === undefined ? '' : `${details.tls.version} ${details.tls.cipher}`;
  const known = [lastAt, firstAt, String(count), account, details?.login ?? '', attempt.result];
  const client = [details?.remoteIp, details?.localIp, tls, details?.fingerprint];
  return [...known, attempt.protocol, details?.mechanism, ...client, details?.userAgent]
    .map((column) => column ?? '')
    .join('\t');
}
