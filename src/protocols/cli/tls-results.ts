/**
 * `tlsresults`: how TLS went with the hosts that took our mail, asked of the running server.
 */

import type { GatheredTlsResult } from '#domain/report/decide';
import type { TlsDetail } from '#domain/report/events';
import type { TlsResultFlags } from './flags.ts';
import { askServer, type Tools } from './tools.ts';

const COLUMNS =
  '# day, recipient domain, policy domain, host or domain, policy, successes, failures, report; ' +
  'below, what was wrong: failed sessions, result type, reason, MX, HELO, address, our address';

export async function listTlsResults(
  { domain, day, limit, dir, json }: TlsResultFlags,
  { terminal, openers }: Tools,
): Promise<void> {
  const question = {
    ...(domain === undefined ? {} : { domain }),
    ...(day === undefined ? {} : { day }),
    ...(limit === undefined ? {} : { limit }),
  };
  const answer = await askServer('tlsresults.list', { dir }, { openers }, question);
  const results = answer as readonly GatheredTlsResult[];
  if (json) return results.forEach((result) => terminal.out(JSON.stringify(result)));
  terminal.out(COLUMNS);
  for (const result of results) {
    terminal.out(rowOf(result));
    for (const detail of result.details) terminal.out(detailOf(detail));
  }
}

function rowOf(result: GatheredTlsResult): string {
  const { day, recipientDomain, policyDomain, isHost, policy, sendReport } = result;
  const whose = [day, recipientDomain, policyDomain, isHost ? 'host' : 'domain', policy.type];
  const counts = [result.successes, result.failures, sendReport ? 'report' : '-'];
  return [...whose, ...counts].join('\t');
}

function detailOf(detail: TlsDetail): string {
  const { sessions, resultType, reasonCode } = detail;
  const { receivingMx, receivingHelo, receivingIp, sendingIp } = detail;
  const where = [receivingMx, receivingHelo, receivingIp, sendingIp];
  return ['', sessions, resultType, reasonCode, ...where].join('\t');
}
