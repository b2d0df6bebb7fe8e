/**
 * `tlsresults`: how TLS went with the hosts that took our mail, asked of the running server.
 */

import type { GatheredTlsResult } from '#domain/report/decide';
import type { TlsDetail } from '#domain/report/events';
import type { TlsResultFlags } from './flags.ts';
import { printList } from './lists.ts';
import { askServer, type Tools } from './tools.ts';

const COLUMNS =
  '# day, recipient domain, policy domain, host or domain, policy, successes, failures, report; ' +
  'below, what was wrong: failed sessions, result type, reason, MX, HELO, address, our address';

export async function listTlsResults(flags: TlsResultFlags, tools: Tools): Promise<void> {
  const { domain, day, limit } = flags;
  const question = {
    ...(domain === undefined ? {} : { domain }),
    ...(day === undefined ? {} : { day }),
    ...(limit === undefined ? {} : { limit }),
  };
  const answer = await askServer('tlsresults.list', flags, tools, question);
  await printList([answer as readonly GatheredTlsResult[]], COLUMNS, rowOf, flags, tools);
}

/** As one column: behind it stands a line for each detail. */
function rowOf(result: GatheredTlsResult): readonly string[] {
  const { day, recipientDomain, policyDomain, isHost, policy, sendReport } = result;
  const whose = [day, recipientDomain, policyDomain, isHost ? 'host' : 'domain', policy.type];
  const counts = [result.successes, result.failures, sendReport ? 'report' : '-'];
  const line = [...whose, ...counts].join('\t');
  return [[line, ...result.details.map(detailOf)].join('\n')];
}

function detailOf(detail: TlsDetail): string {
  const { sessions, resultType, reasonCode } = detail;
  const { receivingMx, receivingHelo, receivingIp, sendingIp } = detail;
  const where = [receivingMx, receivingHelo, receivingIp, sendingIp];
  return ['', sessions, resultType, reasonCode, ...where].join('\t');
}
