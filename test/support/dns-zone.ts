/**
 * A DNS server on this machine with a few records, for programs that ask over the network.
 */

import type { Answer } from 'dns-packet';
import { answerTo, startDnsServer, type DnsTestServer } from './dns-server.ts';

/** Addresses of names, and names of hosts, the best first. */
export interface SmallZone {
  readonly hosts: Readonly<Record<string, string>>;
  readonly domains: Readonly<Record<string, readonly string[]>>;
}

const NAME_ERROR = 3;

export function startZone({ hosts, domains }: SmallZone): Promise<DnsTestServer> {
  return startDnsServer((asked) => {
    const { name, type } = asked;
    const answers: Answer[] = [];
    const address = hosts[name];
    if (type === 'A' && address !== undefined) {
      answers.push({ type: 'A', name, ttl: 60, data: address });
    }
    if (type === 'MX') {
      for (const [i, exchange] of (domains[name] ?? []).entries()) {
        answers.push({ type: 'MX', name, ttl: 60, data: { preference: i + 1, exchange } });
      }
    }
    const isKnown = address !== undefined || domains[name] !== undefined;
    const answer = answerTo(asked, { answers });
    return [isKnown ? answer : { ...answer, flags: (answer.flags ?? 0) | NAME_ERROR }];
  });
}
