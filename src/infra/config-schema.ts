/**
 * The documented schema of the static configuration: what may stand in `config/daybook.yaml`.
 *
 * Key names are the established ones of mox. Domains, accounts and addresses are not here: they
 * are decided at run time and are events of the stream `directory`.
 */

import { Type, type TSchema } from 'typebox';

export interface ListenerEndpoint {
  readonly Enabled: boolean;
  readonly Port?: number;
  /** Submission and IMAP: allow login without TLS. */
  readonly NoRequireSTARTTLS?: boolean;
  /** SMTP: do not offer TLS. */
  readonly NoSTARTTLS?: boolean;
}

export interface Listener {
  readonly IPs: readonly string[];
  readonly Hostname?: string;
  /** Octets; announced as SIZE and APPENDLIMIT. */
  readonly SMTPMaxMessageSize?: number;
  readonly SMTP?: ListenerEndpoint;
  readonly Submission?: ListenerEndpoint;
  readonly Submissions?: ListenerEndpoint;
  readonly IMAP?: ListenerEndpoint;
  readonly IMAPS?: ListenerEndpoint;
}

export interface StaticConfig {
  /** Relative to the folder of the configuration file, like every path in it. */
  readonly DataDir: string;
  /** Seals the secret store; lies outside the data directory, so that copies of it leak nothing. */
  readonly SecretsKeyFile: string;
  readonly LogLevel: 'error' | 'warn' | 'info' | 'debug' | 'trace';
  readonly Hostname: string;
  readonly Listeners: Readonly<Record<string, Listener>>;
}

function strict<Properties extends Record<string, TSchema>>(
  properties: Properties,
  description: string,
): Type.TObject<Properties> {
  return Type.Object(properties, { additionalProperties: false, description });
}

const port = Type.Integer({ minimum: 1, maximum: 65535 });

function service(description: string): Type.TOptional<TSchema> {
  return Type.Optional(
    strict(
      {
        Enabled: Type.Boolean(),
        Port: Type.Optional(port),
        NoRequireSTARTTLS: Type.Optional(Type.Boolean()),
        NoSTARTTLS: Type.Optional(Type.Boolean()),
      },
      description,
    ),
  );
}

const listener = strict(
  {
    IPs: Type.Array(Type.String(), { minItems: 1 }),
    Hostname: Type.Optional(Type.String()),
    SMTPMaxMessageSize: Type.Optional(Type.Integer({ minimum: 1024 })),
    SMTP: service('Mail from other servers, port 25'),
    Submission: service('Mail from our users, STARTTLS, port 587'),
    Submissions: service('Mail from our users, TLS, port 465'),
    IMAP: service('Mailboxes, STARTTLS, port 143'),
    IMAPS: service('Mailboxes, TLS, port 993'),
  },
  'Addresses to listen on and the services there',
);

/** JSON Schema of the file, for editors and for the check on reading. */
export const STATIC_CONFIG_SCHEMA: TSchema = strict(
  {
    DataDir: Type.String(),
    SecretsKeyFile: Type.String(),
    LogLevel: Type.Union(
      (['error', 'warn', 'info', 'debug', 'trace'] as const).map((level) => Type.Literal(level)),
    ),
    Hostname: Type.String(),
    Listeners: Type.Record(Type.String(), listener),
  },
  'Static configuration of Daybook',
);
