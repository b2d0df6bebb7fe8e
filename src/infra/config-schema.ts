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
  };
  readonly SMTP?: ListenerEndpoint;
  readonly Submission?: ListenerEndpoint;
  readonly Submissions?: ListenerEndpoint;
  readonly IMAP?: ListenerEndpoint;
  readonly IMAPS?: ListenerEndpoint;
}

/** What one address may do; the networks around it may three and nine times as much. */
export interface RateLimits {
  readonly ConnectionsPerMinute?: number;
  readonly ConnectionsAtOnce?: number;
  /** Above these, the address cannot log in by any protocol for a while. */
  readonly FailedLoginsPerMinute?: number;
  readonly FailedLoginsPerDay?: number;
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
  /** Takes standards at their word, also where known clients do not (CHANGEDSINCE 0). */
  readonly Pedantic?: boolean;
  readonly Listeners: Readonly<Record<string, Listener>>;
  readonly RateLimits?: RateLimits;
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

const listener = strict(
  'Addresses to listen on and the services there',
  { IPs: { type: 'array', items: text, minItems: 1 } },
  {
    Hostname: text,
    SMTPMaxMessageSize: { type: 'integer', minimum: 1024 },
    TLS: strict('How connections are protected', {}, { ClientAuthDisabled: yesOrNo }),
    SMTP: service('Mail from other servers, port 25'),
    Submission: service('Mail from our users, STARTTLS, port 587'),
    Submissions: service('Mail from our users, TLS, port 465'),
    IMAP: service('Mailboxes, STARTTLS, port 143', mailboxes),
    IMAPS: service('Mailboxes, TLS, port 993', mailboxes),
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
  { NoTextIndex: yesOrNo, Pedantic: yesOrNo, RateLimits: rateLimits },
);
