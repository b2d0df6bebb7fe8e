/**
 * Which servers answer our questions about DNS, and whom of them we believe that an answer is
 * signed: those of this machine, as the file for resolvers names them.
 */

import { getServers } from 'node:dns';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { codeOf } from './files.ts';

export interface DnsServer {
  readonly ip: string;
  readonly port: number;
  /**
   * RFC 6840 §5.7, RFC 4035 §4.9.3: its AD bit counts, because nobody can change answers on their
   * way: it is on this machine, or the administrator says so.
   */
  readonly trusted: boolean;
}

const RESOLV_CONF = '/etc/resolv.conf';
const DNS_PORT = 53;
/** As many as the C library asks. */
const SERVERS_MAX = 3;
const FILE_CHARS_MAX = 64 * 1024;

/**
 * Systems without the file tell their servers in another way. When none is named, a resolver on
 * this machine is asked.
 */
export async function readDnsServers(
  file: string = RESOLV_CONF,
  systemServers: () => readonly string[] = getServers,
): Promise<readonly DnsServer[]> {
  try {
    return parseResolvConf(await readFile(file, 'utf8'));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    const lines = systemServers().map((ip) => `nameserver ${ip}`);
    return parseResolvConf(lines.join('\n'));
  }
}

export function parseResolvConf(text: string): readonly DnsServer[] {
  const lines = text
    .slice(0, FILE_CHARS_MAX)
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const trustAll = lines.some(([key, ...words]) => key === 'options' && words.includes('trust-ad'));
  const ips = lines
    .flatMap(([key, ip = '']) => (key === 'nameserver' && isIP(ip) !== 0 ? [ip] : []))
    .slice(0, SERVERS_MAX);
  return (ips.length === 0 ? ['127.0.0.1'] : ips).map((ip) => ({
    ip,
    port: DNS_PORT,
    trusted: trustAll || isLoopback(ip),
  }));
}

function isLoopback(ip: string): boolean {
  return ip === '::1' || ip.startsWith('127.');
}
