/**
 * From the services that the configuration wants to servers that talk: one for each of them on
 * every listener.
 */

import path from 'node:path';
import { contextsOf, openSelfSigned, readKeyPair, type KeyPair } from '#infra/certificates';
import { systemClock, systemRandom } from '#infra/clock';
import type { LoadedConfig } from '#infra/config';
import type { Listener as ListenerConfig } from '#infra/config-schema';
import type { OpenLog } from '#infra/log';
import type { OpenMetrics } from '#infra/metrics';
import { serveMetrics } from '#infra/metrics-http';
import { version } from '#infra/places';
import { listen, type Listener, type ListenOptions } from '#infra/sockets';
import type { Listening } from '#protocols/cli/openers';
import { startImapServer } from '#protocols/imap/server';
import type { ImapOptions, ImapPorts } from '#protocols/imap/session';
import { MESSAGE_BYTES_MAX, TLS_HANDSHAKE_MS } from '#protocols/limits';
import type { Wire } from '#protocols/ports';
import { judgeClientKey } from '#protocols/sasl/client-key';
import { openSmtpServer } from '#protocols/smtp/server';
import type { SmtpPorts } from '#protocols/smtp/session';

export interface Endpoint {
  readonly service: Listening['service'];
  readonly tls: Listening['tls'];
  readonly hosts: readonly string[];
  readonly listen: (host: string) => Promise<Pick<Listener, 'port' | 'stop' | 'close'>>;
  /** Ends its conversations. */
  readonly close: () => Promise<void>;
}

export interface EndpointParts {
  readonly loaded: LoadedConfig;
  readonly ports: ServerPorts;
  readonly log: OpenLog;
  /** Mail is neither judged nor sent away. */
  readonly isLocal: boolean;
  /** Addresses instead of those of the listeners. */
  readonly onlyAt: readonly string[] | undefined;
}

type SecureContextOf = ListenOptions['secureContext'];

const METRICS_PORT = 8010;

const SERVICES = [
  { key: 'SMTP', service: 'smtp', standardPort: 25, tls: 'starttls' },
  { key: 'Submission', service: 'submission', standardPort: 587, tls: 'starttls' },
  { key: 'Submissions', service: 'submissions', standardPort: 465, tls: 'implicit' },
  { key: 'IMAP', service: 'imap', standardPort: 143, tls: 'starttls' },
  { key: 'IMAPS', service: 'imaps', standardPort: 993, tls: 'implicit' },
] as const;

export type ServerPorts = Omit<ImapPorts & SmtpPorts, 'log'>;

/** A server behind every enabled service of every listener. */
export async function endpointsOf(parts: EndpointParts): Promise<readonly Endpoint[]> {
  const { loaded, ports, log, isLocal, onlyAt } = parts;
  const { config } = loaded;
  const endpoints: Endpoint[] = [];
  for (const listener of Object.values(config.Listeners)) {
    const secureContext = await contextOf(listener, loaded, onlyAt);
    for (const { key, service, standardPort, tls } of SERVICES) {
      const wanted = listener[key];
      if (wanted?.Enabled !== true) continue;
      const settings = {
        hostName: listener.Hostname ?? config.Hostname,
        messageBytesMax: listener.SMTPMaxMessageSize ?? MESSAGE_BYTES_MAX,
        allowPlaintextLogin: wanted.NoRequireSTARTTLS === true,
        compress: wanted.EnableCompress === true,
        strict: config.Pedantic === true,
      };
      // On port 25 nobody logs in.
      const protocol = service === 'imap' || service === 'imaps' ? 'imap' : 'submission';
      const asksForKeys = service !== 'smtp' && listener.TLS?.ClientAuthDisabled !== true;
      const servicePorts = { ...ports, log: log.child({ pkg: service }) };
      const judgeKey: ListenOptions['judgeKey'] = asksForKeys
        ? (certificate, shown) => judgeClientKey(certificate, shown, protocol, servicePorts)
        : undefined;
      const { accept, close } = serverOf(
        service,
        { ...settings, localMode: isLocal },
        servicePorts,
      );
      const options = {
        port: wanted.Port ?? standardPort,
        tls: wanted.NoSTARTTLS === true ? 'none' : tls,
        secureContext,
        handshakeMs: TLS_HANDSHAKE_MS,
        judgeKey,
        clock: ports.clock,
        log: log.child({ pkg: 'sockets' }),
        onWire: accept,
      } as const;
      endpoints.push({
        service,
        tls: options.tls,
        hosts: onlyAt ?? listener.IPs,
        listen: (host) => listen({ ...options, host }),
        close,
      });
    }
  }
  return endpoints;
}

/** Where the metrics can be read. */
export function metricsEndpoints(
  { config }: LoadedConfig,
  metrics: OpenMetrics,
  log: OpenLog,
  onlyAt: readonly string[] | undefined,
): readonly Omit<Endpoint, 'close'>[] {
  return Object.values(config.Listeners).flatMap(({ IPs, MetricsHTTP: wanted }) => {
    if (wanted?.Enabled !== true) return [];
    const { Port: port = METRICS_PORT } = wanted;
    const notes = log.child({ pkg: 'metrics' });
    const listenAt = (host: string): ReturnType<Endpoint['listen']> =>
      serveMetrics({ host, port }, metrics, notes);
    return [{ service: 'metrics', tls: 'none', hosts: onlyAt ?? IPs, listen: listenAt }] as const;
  });
}

async function contextOf(
  { IPs, TLS = {} }: ListenerConfig,
  loaded: LoadedConfig,
  onlyAt: readonly string[] = IPs,
): Promise<SecureContextOf> {
  const [first, ...others] = TLS.KeyCerts ?? [];
  if (first === undefined) return contextsOf([await certificateOf(loaded, onlyAt)]);
  const read = ({ CertFile, KeyFile }: typeof first): Promise<KeyPair> =>
    readKeyPair(loaded.pathOf(CertFile), loaded.pathOf(KeyFile));
  return contextsOf([await read(first), ...(await Promise.all(others.map(read)))]);
}

/** Our own certificate, made when it is not there. */
export function certificateOf(
  loaded: LoadedConfig,
  addresses: readonly string[],
): Promise<KeyPair> {
  return openSelfSigned({
    file: loaded.pathOf(path.join('tls', 'localhost.pem')),
    names: [loaded.config.Hostname, ...addresses],
    clock: systemClock,
    random: systemRandom,
  });
}

function serverOf(
  service: Listening['service'],
  { localMode, ...settings }: Omit<ImapOptions, 'product' | 'version'> & { localMode: boolean },
  ports: ImapPorts & SmtpPorts,
): { readonly accept: (wire: Wire) => void; readonly close: () => Promise<void> } {
  if (service === 'imap' || service === 'imaps') {
    const product = { product: 'Daybook', version: version() };
    const server = startImapServer(ports, { ...settings, ...product });
    return { accept: (wire) => server.accept(wire), close: () => server.close() };
  }
  const role = service === 'smtp' ? 'mx' : 'submission';
  const server = openSmtpServer({ ...settings, role, localMode }, ports);
  return { accept: (wire) => void server.serve(wire), close: () => server.close() };
}
