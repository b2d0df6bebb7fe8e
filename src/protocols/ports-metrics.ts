/**
 * What is counted while mail and webhooks go out. Names are those under which it is told, without
 * the prefix.
 */

export interface Metrics {
  count<Name extends keyof Counts>(name: Name, labels: Counts[Name]): void;
  observe<Name extends keyof Durations>(name: Name, labels: Durations[Name], ms: number): void;
}

type Plain = Readonly<Record<never, never>>;

export interface Counts {
  readonly queue_connection_total: {
    readonly result: 'ok' | 'timeout' | 'canceled' | 'error';
  };
  readonly queue_destinations_total: Plain;
  readonly queue_destinations_authentic_total: Plain;
  readonly queue_destination_dane_required_total: Plain;
  readonly queue_destination_dane_starttlsunverified_total: Plain;
  readonly queue_destination_dane_gathertlsa_errors_total: Plain;
  readonly queue_tlsrequiredno_ignored_total: {
    readonly ignored: 'mtastspolicy' | 'mtastsmx' | 'badtls' | 'badtlsa';
  };
  readonly queue_requiretls_unsupported_total: { readonly reason: 'nopolicy' | 'norequiretls' };
  readonly queue_plaintext_fallback_total: Plain;
  readonly queue_dmarcreport_failure_total: Plain;
  readonly webhook_results_total: { readonly code: HookCode };
}

export interface Durations {
  readonly queue_delivery_duration_seconds: {
    /** Counted from 1. */
    readonly attempt: string;
    /** '' is direct delivery. */
    readonly transport: string;
    readonly tlsmode: TlsMode;
    readonly result: DeliveryWord;
  };
  readonly webhook_request_duration_seconds: Plain;
}

type TlsMode =
  'immediate' | 'skip' | `${'opportunistic' | 'requiredstarttls'}${'' | '+mtasts'}${'' | '+dane'}`;

export type DeliveryWord =
  'ok' | 'okpartial' | 'timeout' | 'canceled' | 'temperror' | 'permerror' | 'error';

/** HTTP status; by its class where receivers seldom answer so. */
export type HookCode =
  | `${200 | 201 | 202 | 204 | 301 | 302 | 303 | 307 | 308}`
  | `${400 | 401 | 403 | 404 | 405 | 410 | 413 | 422 | 429}`
  | `${500 | 502 | 503 | 504}`
  | `${1 | 2 | 3 | 4 | 5}xx`
  | 'error';
