/**
 * From the transports of the configuration to those of the queue: standard ports, and files read.
 */

import { systemClock } from '#infra/clock';
import { BadConfig, type LoadedConfig } from '#infra/config';
import type {
  RelayTransport as RelayConfig,
  Transport as TransportConfig,
} from '#infra/config-schema';
import { readClientKey } from '#infra/config-submit';
import type { RelayTransport, Transport } from '#protocols/smtp/transport';

/** By name. Throws BadConfig when an address or a file is not what it should be. */
export async function transportsOf(loaded: LoadedConfig): Promise<ReadonlyMap<string, Transport>> {
  const transports = new Map<string, Transport>();
  for (const [name, one] of Object.entries(loaded.config.Transports ?? {})) {
    transports.set(name, await transportOf(one, loaded));
  }
  return transports;
}

async function transportOf(config: TransportConfig, loaded: LoadedConfig): Promise<Transport> {
  const { Submissions, Submission, SMTP, Socks, Direct = {}, Fail } = config;
  if (Submissions !== undefined) {
    return { ...(await relayOf(Submissions, 465, loaded)), tls: 'implicit' };
  }
  if (Submission !== undefined) return await relayOf(Submission, 587, loaded);
  if (SMTP !== undefined) return await relayOf(SMTP, 25, loaded);
  if (Fail !== undefined) {
    const { SMTPCode = 554, SMTPMessage = 'This mail is not delivered.' } = Fail;
    return { type: 'fail', code: SMTPCode, text: SMTPMessage };
  }
  const families = [
    ...(Direct.DisableIPv4 === true ? [] : (['ipv4'] as const)),
    ...(Direct.DisableIPv6 === true ? [] : (['ipv6'] as const)),
  ];
  if (Socks === undefined) return { type: 'direct', families };
  const [, host = '', port] = /^\[?(.+?)\]?:(\d+)$/.exec(Socks.Address) ?? [];
  if (Number(port) < 1 || Number(port) > 65_535) {
    throw new BadConfig(`${loaded.path}: Socks: ${Socks.Address} is no host:port`);
  }
  const proxy = { host, port: Number(port), hostName: Socks.RemoteHostname };
  return { type: 'direct', families, proxy };
}

async function relayOf(
  { Host, Port, STARTTLSInsecureSkipVerify, NoSTARTTLS, Auth, ClientKeyFile }: RelayConfig,
  standardPort: number,
  { pathOf }: LoadedConfig,
): Promise<RelayTransport> {
  const clientKey =
    ClientKeyFile === undefined
      ? {}
      : { clientKey: await readClientKey(pathOf(ClientKeyFile), systemClock) };
  const auth =
    Auth === undefined
      ? {}
      : {
          auth: {
            login: Auth.Username,
            password: Auth.Password,
            ...(Auth.Mechanisms === undefined ? {} : { mechanisms: Auth.Mechanisms }),
          },
        };
  return {
    type: 'relay',
    host: Host,
    port: Port ?? standardPort,
    tls: NoSTARTTLS === true ? 'none' : 'starttls',
    anyCertificate: STARTTLSInsecureSkipVerify === true,
    ...auth,
    ...clientKey,
  };
}
