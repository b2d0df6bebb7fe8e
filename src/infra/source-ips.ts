/**
 * From which addresses we speak to the mail servers of others: those at which we listen for mail,
 * because their names, and what policies of senders say, are about these.
 *
 * Invariants: at most one of each family; where the configuration leaves a choice, the system
 * chooses.
 */

import { BlockList, isIPv6 } from 'node:net';
import type { Listener } from './config-schema.ts';

export interface SourceIps {
  readonly ipv4?: string;
  readonly ipv6?: string;
}

const UNSPECIFIED: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Of the listeners that take mail from other servers. */
export function sourceIpsOf(listeners: Readonly<Record<string, Listener>>): SourceIps {
  const ips = Object.values(listeners).flatMap(({ SMTP, IPs }) =>
    SMTP?.Enabled === true ? IPs : [],
  );
  if (ips.some((ip) => UNSPECIFIED.has(ip))) return {};
  const [ipv6 = [], ipv4 = []] = [true, false].map((isSix) => [
    ...new Set(ips.filter((ip) => isIPv6(ip) === isSix)),
  ]);
  return {
    ...(ipv4.length === 1 && ipv4[0] !== undefined && { ipv4: ipv4[0] }),
    ...(ipv6.length === 1 && ipv6[0] !== undefined && { ipv6: ipv6[0] }),
  };
}

/** The one to reach an address from; undefined: the system knows. */
export function sourceFor(target: string, { ipv4, ipv6 }: SourceIps): string | undefined {
  const source = isIPv6(target) ? ipv6 : ipv4;
  // Nothing leaves the machine from its loopback, and what stays on it knows us by that.
  return source !== undefined && isLoopback(source) === isLoopback(target) ? source : undefined;
}

function isLoopback(ip: string): boolean {
  return loopback.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4');
}
