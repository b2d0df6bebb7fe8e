/**
 * From the services that the configuration wants to servers that talk: one for each of them on
 * every listener.
 */

import type { LoadedConfig } from '#infra/config';
import type { OpenLog } from '#infra/log';
import { version } from '#infra/places';
import type { ListenOptions } from '#infra/sockets';
import type { Listening } from '#protocols/cli/openers';
import { startImapServer } from '#protocols/imap/server';
import type { ImapOptions, ImapPorts } from '#protocols/imap/session';
import { MESSAGE_BYTES_MAX } from '#protocols/limits';
import type { Wire } from '#protocols/ports';
import { judgeClientKey } from '#protocols/sasl/client-key';
import { openSmtpServer } from '#protocols/smtp/server';
import type { SmtpPorts } from '#protocols/smtp/session';

export interface Endpoint {
  /** Absent where clients are not asked for certificates. */
  readonly judgeKey: ListenOptions['judgeKey'];
  readonly service: Listening['service'];
  readonly port: number;
  readonly tls: Listening['tls'];
  readonly accept: (wire: Wire) => void;
  /** Ends its conversations. */
  readonly close: () => Promise<void>;
}

const SERVICES = [
  { key: 'SMTP', service: 'smtp', standardPort: 25, tls: 'starttls' },
  { key: 'Submission', service: 'submission', standardPort: 587, tls: 'starttls' },
  { key: 'Submissions', service: 'submissions', standardPort: 465, tls: 'implicit' },
  { key: 'IMAP', service: 'imap', standardPort: 143, tls: 'starttls' },
  { key: 'IMAPS', service: 'imaps', standardPort: 993, tls: 'implicit' },
] as const;

export type ServerPorts = Omit<ImapPorts & SmtpPorts, 'log'>;

/** A server behind every enabled service of every listener. */
export function endpointsOf(
  { config }: LoadedConfig,
  ports: ServerPorts,
  log: OpenLog,
): Endpoint[] {
  const endpoints: Endpoint[] = [];
  for (const listener of Object.values(config.Listeners)) {
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
      endpoints.push({
        judgeKey: asksForKeys
          ? (certificate, shown) => judgeClientKey(certificate, shown, protocol, servicePorts)
          : undefined,
        service,
        port: wanted.Port ?? standardPort,
        tls: wanted.NoSTARTTLS === true ? 'none' : tls,
        ...serverOf(service, settings, servicePorts),
      });
    }
  }
  return endpoints;
}

function serverOf(
  service: Listening['service'],
  settings: Omit<ImapOptions, 'product' | 'version'>,
  ports: ImapPorts & SmtpPorts,
): Pick<Endpoint, 'accept' | 'close'> {
  if (service === 'imap' || service === 'imaps') {
    const product = { product: 'Daybook', version: version() };
    const server = startImapServer(ports, { ...settings, ...product });
    return { accept: (wire) => server.accept(wire), close: () => server.close() };
  }
  const role = service === 'smtp' ? 'mx' : 'submission';
  const server = openSmtpServer({ ...settings, role, localMode: true }, ports);
  return { accept: (wire) => void server.serve(wire), close: () => server.close() };
}
