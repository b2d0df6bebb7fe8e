/**
 * The documented schema of the static configuration: what may stand in `config/daybook.yaml`.
 *
 * Key names are the established ones of mox. Domains, accounts and addresses are not here: they
 * are decided at run time and are events of the stream `directory`.
 */

export interface ListenerEndpoint {
  readonly Enabled: boolean;
  readonly Port?: number;
  /** Submission and IMAP: allow login without TLS. */
  readonly NoRequireSTARTTLS?: boolean;
  /** SMTP: do not offer TLS. */
  readonly NoSTARTTLS?: boolean;
  /** IMAP: clients may compress what is sent. */
  readonly EnableCompress?: boolean;
}

export interface Listener {
  readonly IPs: readonly string[];
  readonly Hostname?: string;
  /** Octets; announced as SIZE and APPENDLIMIT. */
  readonly SMTPMaxMessageSize?: number;
  readonly TLS?: {
    /** Clients are not asked for certificates: no login by TLS key. */
    readonly ClientAuthDisabled?: boolean;
    /** PEM files; clients get the first that is for the name they want. Self-signed when absent. */
    readonly KeyCerts?: readonly { readonly CertFile: string; readonly KeyFile: string }[];
  };
  readonly SMTP?: ListenerEndpoint;
  readonly Submission?: ListenerEndpoint;
  readonly Submissions?: ListenerEndpoint;
  readonly IMAP?: ListenerEndpoint;
  readonly IMAPS?: ListenerEndpoint;
  /** Everybody who can reach it may read it. */
  readonly MetricsHTTP?: Pick<ListenerEndpoint, 'Enabled' | 'Port'>;
}

/** What one address may do; the networks around it may three and nine times as much. */
export interface RateLimits {
  readonly ConnectionsPerMinute?: number;
  readonly ConnectionsAtOnce?: number;
  /** Above these, the address cannot log in by any protocol for a while. */
  readonly FailedLoginsPerMinute?: number;
  readonly FailedLoginsPerDay?: number;
}

/** How we prove who we are to a server that takes our mail. */
export interface TransportAuth {
  readonly Username: string;
  readonly Password: string;
  /** In the order in which they are tried; SCRAM and CRAM-MD5, strongest first, when absent. */
  readonly Mechanisms?: readonly TransportMechanism[];
}

export type TransportMechanism =
  | 'SCRAM-SHA-256-PLUS'
  | 'SCRAM-SHA-256'
  | 'SCRAM-SHA-1-PLUS'
  | 'SCRAM-SHA-1'
  | 'CRAM-MD5'
  | 'PLAIN'
  | 'EXTERNAL';

/** A server that takes all mail and passes it on. */
export interface RelayTransport {
  readonly Host: string;
  readonly Port?: number;
  /** Not for Submissions: any certificate will do. */
  readonly STARTTLSInsecureSkipVerify?: boolean;
  /** Not for Submissions: no TLS at all. */
  readonly NoSTARTTLS?: boolean;
  readonly Auth?: TransportAuth;
  /** PEM file with a private key and its certificate, shown when the server asks (EXTERNAL). */
  readonly ClientKeyFile?: string;
}

export interface SocksTransport {
  /** `host:port` of the proxy. */
  readonly Address: string;
  /** From which the mail will come: they belong into the SPF record. */
  readonly RemoteIPs: readonly string[];
  /** What we call ourselves behind the proxy. */
  readonly RemoteHostname: string;
}

/** At most one of them; with none mail is delivered directly. */
export interface Transport {
  readonly Submissions?: RelayTransport;
  readonly Submission?: RelayTransport;
  readonly SMTP?: RelayTransport;
  readonly Socks?: SocksTransport;
  readonly Direct?: { readonly DisableIPv4?: boolean; readonly DisableIPv6?: boolean };
  readonly Fail?: { readonly SMTPCode?: number; readonly SMTPMessage?: string };
}

/** How outgoing mail is tried. */
export interface QueueConfig {
  readonly AttemptsAtOnce?: number;
  /** Seconds to wait after the first attempt, after the second, …; one attempt more than waits. */
  readonly RetryWaits?: readonly [number, ...number[]];
}

export interface StaticConfig {
  /** Relative to the folder of the configuration file, like every path in it. */
  readonly DataDir: string;
  /** Seals the secret store; lies outside the data directory, so that copies of it leak nothing. */
  readonly SecretsKeyFile: string;
  readonly LogLevel: 'error' | 'warn' | 'info' | 'debug' | 'trace';
  readonly Hostname: string;
  /** No full-text indexes: less disk, and searches in texts read the messages. */
  readonly NoTextIndex?: boolean;
  /** How long the body of a removed message is kept, and the months of logins and of reports. */
  readonly KeepExpungedDays?: number;
  readonly KeepAuditMonths?: number;
  readonly KeepReportMonths?: number;
  /** Nothing is kept of how TLS went with hosts of others, and nobody is told. */
  readonly NoOutgoingTLSReports?: boolean;
  /** Takes standards at their word, also where known clients do not (CHANGEDSINCE 0). */
  readonly Pedantic?: boolean;
  readonly Listeners: Readonly<Record<string, Listener>>;
  readonly RateLimits?: RateLimits;
  /** By the name that routes call them. */
  readonly Transports?: Readonly<Record<string, Transport>>;
  readonly Queue?: QueueConfig;
}

/** JSON Schema 2020-12, as far as we use it. */
type JsonSchema = Readonly<Record<string, unknown>>;

function strict(
  description: string,
  required: Readonly<Record<string, JsonSchema>>,
  optional: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  return {
    type: 'object',
    description,
    properties: { ...required, ...optional },
    required: Object.keys(required),
    additionalProperties: false,
  };
}

const text = { type: 'string', minLength: 1 };
const yesOrNo = { type: 'boolean' };
const port = { type: 'integer', minimum: 1, maximum: 65535 };

function service(description: string, more: Readonly<Record<string, JsonSchema>> = {}): JsonSchema {
  return strict(
    description,
    { Enabled: yesOrNo },
    { Port: port, NoRequireSTARTTLS: yesOrNo, NoSTARTTLS: yesOrNo, ...more },
  );
}

const mailboxes: Readonly<Record<string, JsonSchema>> = { EnableCompress: yesOrNo };

/** Views look back over two. */
const months = { type: 'integer', minimum: 2, maximum: 1200 };
const count = { type: 'integer', minimum: 1 };
const rateLimits = strict(
  'What one address may do; the networks around it may three and nine times as much',
  {},
  {
    ConnectionsPerMinute: count,
    ConnectionsAtOnce: count,
    FailedLoginsPerMinute: count,
    FailedLoginsPerDay: count,
  },
);

const KeyCerts = {
  type: 'array',
  minItems: 1,
  items: strict('A certificate with its chain, and its key', { CertFile: text, KeyFile: text }),
};

const listener = strict(
  'Addresses to listen on and the services there',
  { IPs: { type: 'array', items: text, minItems: 1 } },
  {
    Hostname: text,
    SMTPMaxMessageSize: { type: 'integer', minimum: 1024 },
    TLS: strict('How connections are protected', {}, { ClientAuthDisabled: yesOrNo, KeyCerts }),
    SMTP: service('Mail from other servers, port 25'),
    Submission: service('Mail from our users, STARTTLS, port 587'),
    Submissions: service('Mail from our users, TLS, port 465'),
    IMAP: service('Mailboxes, STARTTLS, port 143', mailboxes),
    IMAPS: service('Mailboxes, TLS, port 993', mailboxes),
    MetricsHTTP: strict('Metrics at /metrics, port 8010', { Enabled: yesOrNo }, { Port: port }),
  },
);

const auth = strict(
  'Login at the server',
  { Username: text, Password: text },
  {
    Mechanisms: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: {
        type: 'string',
        enum: [
          'SCRAM-SHA-256-PLUS',
          'SCRAM-SHA-256',
          'SCRAM-SHA-1-PLUS',
          'SCRAM-SHA-1',
          'CRAM-MD5',
          'PLAIN',
          'EXTERNAL',
        ],
      },
    },
  },
);

const relay = { Port: port, Auth: auth, ClientKeyFile: text };
const starttls = { STARTTLSInsecureSkipVerify: yesOrNo, NoSTARTTLS: yesOrNo };

const transport: JsonSchema = {
  ...strict(
    'A way for outgoing mail; at most one of these',
    {},
    {
      Submissions: strict('Submission with TLS, port 465', { Host: text }, relay),
      Submission: strict(
        'Submission with STARTTLS, port 587',
        { Host: text },
        { ...relay, ...starttls },
      ),
      SMTP: strict('A smarthost, port 25', { Host: text }, { ...relay, ...starttls }),
      Socks: strict('Direct delivery through a SOCKS5 proxy', {
        Address: { type: 'string', pattern: '^.+:[0-9]{1,5}$' },
        RemoteIPs: { type: 'array', items: text },
        RemoteHostname: text,
      }),
      Direct: {
        ...strict('Direct delivery', {}, { DisableIPv4: yesOrNo, DisableIPv6: yesOrNo }),
        not: {
          properties: { DisableIPv4: { const: true }, DisableIPv6: { const: true } },
          required: ['DisableIPv4', 'DisableIPv6'],
        },
      },
      Fail: strict(
        'Every attempt fails',
        {},
        {
          SMTPCode: { type: 'integer', minimum: 400, maximum: 599 },
          SMTPMessage: { type: 'string', pattern: '^[ -~]{0,256}$' },
        },
      ),
    },
  ),
  maxProperties: 1,
};

const queue = strict(
  'How outgoing mail is tried',
  {},
  {
    AttemptsAtOnce: { type: 'integer', minimum: 1, maximum: 1000 },
    RetryWaits: {
      type: 'array',
      minItems: 1,
      maxItems: 100,
      items: { type: 'integer', minimum: 1, maximum: 2_592_000 },
    },
  },
);

/** JSON Schema of the file, for editors and for the check on reading. */
export const STATIC_CONFIG_SCHEMA: JsonSchema = strict(
  'Static configuration of Daybook',
  {
    DataDir: text,
    SecretsKeyFile: text,
    LogLevel: { type: 'string', enum: ['error', 'warn', 'info', 'debug', 'trace'] },
    Hostname: text,
    // Not additionalProperties: a mistake inside would be told as an unknown key too.
    Listeners: { type: 'object', patternProperties: { '': listener } },
  },
  {
    NoTextIndex: yesOrNo,
    KeepExpungedDays: { type: 'integer', minimum: 1, maximum: 36_500 },
    KeepAuditMonths: months,
    KeepReportMonths: months,
    NoOutgoingTLSReports: yesOrNo,
    Pedantic: yesOrNo,
    RateLimits: rateLimits,
    Transports: { type: 'object', patternProperties: { '': transport } },
    Queue: queue,
  },
);
