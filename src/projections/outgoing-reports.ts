/**
 * Read model of the server: what is to be reported to others. How TLS went with their hosts, one
 * row for each day (UTC), recipient's domain and policy.
 *
 * Invariants: what is 30 days old is gone, by the time of the facts; a row has a bounded number of
 * details, the first ones.
 */

import type { Compilable, Generated, Selectable, SelectQueryBuilder } from 'kysely';
import type { ReportFact } from '#domain/log/fact';
import { TLS_DETAILS_MAX, type GatheredTlsResult } from '#domain/report/decide';
import type { TlsDetail, TlsPolicy, TlsResultType } from '#domain/report/events';
import type { Instant } from '#domain/values/ids';
import type { ReportModel } from './model.ts';
import { query, rowsOf, tables, type Markers, type Sql } from './query.ts';

export const TLS_RESULTS_KEPT_MS: number = 30 * 86_400_000;

interface ReportTables {
  tls_results: {
    result_id: Generated<number>;
    day: string;
    recipient_domain: string;
    policy_domain: string;
    is_host: 0 | 1;
    policy_type: TlsPolicy['type'];
    /** JSON, lists of texts. */
    policy_strings: string;
    mx_hosts: string;
    send_report: 0 | 1;
    successes: number;
    failures: number;
  };
  tls_details: {
    result_id: number;
    result_type: TlsResultType;
    sending_ip: string;
    receiving_mx: string;
    receiving_helo: string;
    receiving_ip: string;
    reason_code: string;
    sessions: number;
  };
}

type ResultColumns = Omit<Selectable<ReportTables['tls_results']>, 'result_id'>;
type DetailColumns = ReportTables['tls_details'];
type KeyColumns = Omit<ResultColumns, 'send_report' | 'successes' | 'failures'>;

const db = tables<ReportTables>();

const RESULT_KEY = [
  'day',
  'recipient_domain',
  'policy_domain',
  'is_host',
  'policy_type',
  'policy_strings',
  'mx_hosts',
] as const;
const COUNTS = ['send_report', 'successes', 'failures'] as const;
const DETAIL_KEY = [
  'result_type',
  'sending_ip',
  'receiving_mx',
  'receiving_helo',
  'receiving_ip',
  'reason_code',
] as const;

function resultsInOrder(): Compilable<object> {
  const results = db.selectFrom('tls_results').select([...RESULT_KEY, ...COUNTS]);
  // One by one: Kysely says on standard output that it does not like lists.
  return RESULT_KEY.reduce((list, column) => list.orderBy(column), results);
}

function detailsInOrder(): Compilable<object> {
  const details = db
    .selectFrom('tls_details')
    .innerJoin('tls_results', 'tls_results.result_id', 'tls_details.result_id')
    .select([...RESULT_KEY, ...DETAIL_KEY, 'sessions']);
  return [...RESULT_KEY, ...DETAIL_KEY].reduce((list, column) => list.orderBy(column), details);
}

export const outgoingReports: ReportModel = {
  name: 'outgoing-reports',
  version: 1,
  ddl: [
    `CREATE TABLE tls_results (
      result_id INTEGER PRIMARY KEY,
      day TEXT NOT NULL,
      recipient_domain TEXT NOT NULL,
      policy_domain TEXT NOT NULL,
      is_host INTEGER NOT NULL,
      policy_type TEXT NOT NULL,
      policy_strings TEXT NOT NULL,
      mx_hosts TEXT NOT NULL,
      send_report INTEGER NOT NULL,
      successes INTEGER NOT NULL,
      failures INTEGER NOT NULL
    )`,
    'CREATE INDEX tls_results_of ON tls_results (day, recipient_domain, policy_domain)',
    `CREATE TABLE tls_details (
      result_id INTEGER NOT NULL,
      result_type TEXT NOT NULL,
      sending_ip TEXT NOT NULL,
      receiving_mx TEXT NOT NULL,
      receiving_helo TEXT NOT NULL,
      receiving_ip TEXT NOT NULL,
      reason_code TEXT NOT NULL,
      sessions INTEGER NOT NULL,
      PRIMARY KEY (result_id, result_type, sending_ip, receiving_mx, receiving_helo,
        receiving_ip, reason_code)
    ) WITHOUT ROWID`,
  ],
  // Without the numbers of results: older ones may have left the log.
  rows: [resultsInOrder(), detailsInOrder()],
  apply,
};

const dropOldDetails = query((at: Markers<{ before: string }>) =>
  db
    .deleteFrom('tls_details')
    .where('result_id', 'in', (of) =>
      of.selectFrom('tls_results').select('result_id').where('day', '<', at.before),
    ),
);

const dropOld = query((at: Markers<{ before: string }>) =>
  db.deleteFrom('tls_results').where('day', '<', at.before),
);

const resultLike = query((at: Markers<KeyColumns>) =>
  db
    .selectFrom('tls_results')
    .select('result_id as resultId')
    .where('day', '=', at.day)
    .where('recipient_domain', '=', at.recipient_domain)
    .where('policy_domain', '=', at.policy_domain)
    .where('is_host', '=', at.is_host)
    .where('policy_type', '=', at.policy_type)
    .where('policy_strings', '=', at.policy_strings)
    .where('mx_hosts', '=', at.mx_hosts),
);

const newResult = query((at: Markers<ResultColumns>) =>
  db
    .insertInto('tls_results')
    .values({
      day: at.day,
      recipient_domain: at.recipient_domain,
      policy_domain: at.policy_domain,
      is_host: at.is_host,
      policy_type: at.policy_type,
      policy_strings: at.policy_strings,
      mx_hosts: at.mx_hosts,
      send_report: at.send_report,
      successes: at.successes,
      failures: at.failures,
    })
    .returning('result_id as resultId'),
);

type Counts = Pick<ResultColumns, 'send_report' | 'successes' | 'failures'>;

const addCounts = query((at: Markers<Counts & { resultId: number }>) =>
  db
    .updateTable('tls_results')
    .set(({ eb, fn, ref }) => ({
      send_report: fn<0 | 1>('max', [ref('send_report'), at.send_report]),
      successes: eb('successes', '+', at.successes),
      failures: eb('failures', '+', at.failures),
    }))
    .where('result_id', '=', at.resultId),
);

const addSessions = query((at: Markers<DetailColumns>) =>
  db
    .updateTable('tls_details')
    .set(({ eb }) => ({ sessions: eb('sessions', '+', at.sessions) }))
    .where('result_id', '=', at.result_id)
    .where('result_type', '=', at.result_type)
    .where('sending_ip', '=', at.sending_ip)
    .where('receiving_mx', '=', at.receiving_mx)
    .where('receiving_helo', '=', at.receiving_helo)
    .where('receiving_ip', '=', at.receiving_ip)
    .where('reason_code', '=', at.reason_code),
);

const detailCount = query((at: Markers<{ resultId: number }>) =>
  db
    .selectFrom('tls_details')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('result_id', '=', at.resultId),
);

const newDetail = query((at: Markers<DetailColumns>) =>
  db.insertInto('tls_details').values({
    result_id: at.result_id,
    result_type: at.result_type,
    sending_ip: at.sending_ip,
    receiving_mx: at.receiving_mx,
    receiving_helo: at.receiving_helo,
    receiving_ip: at.receiving_ip,
    reason_code: at.reason_code,
    sessions: at.sessions,
  }),
);

function apply({ event, at }: ReportFact, write: Sql): void {
  const before = dayOf(at - TLS_RESULTS_KEPT_MS);
  dropOldDetails.run(write, { before });
  dropOld.run(write, { before });
  const row = columnsOf(event);
  const { send_report, successes, failures, ...key } = row;
  const known = resultLike.get(write, key)?.resultId;
  if (known !== undefined) {
    addCounts.run(write, { resultId: known, send_report, successes, failures });
  }
  const resultId = known ?? newResult.get(write, row)?.resultId;
  if (resultId === undefined) throw new Error('a row was inserted and is not there');
  for (const detail of event.details) addDetail(write, resultId, detail);
}

function addDetail(write: Sql, resultId: number, detail: TlsDetail): void {
  const row = {
    result_id: resultId,
    result_type: detail.resultType,
    sending_ip: detail.sendingIp,
    receiving_mx: detail.receivingMx,
    receiving_helo: detail.receivingHelo,
    receiving_ip: detail.receivingIp,
    reason_code: detail.reasonCode,
    sessions: detail.sessions,
  };
  if (addSessions.run(write, row) > 0) return;
  const count = detailCount.get(write, { resultId })?.count ?? 0;
  if (count < TLS_DETAILS_MAX) newDetail.run(write, row);
}

function columnsOf(result: GatheredTlsResult): ResultColumns {
  const { policy } = result;
  return {
    day: result.day,
    recipient_domain: result.recipientDomain,
    policy_domain: result.policyDomain,
    is_host: result.isHost ? 1 : 0,
    policy_type: policy.type,
    policy_strings: JSON.stringify(policy.strings),
    mx_hosts: JSON.stringify(policy.mxHosts),
    send_report: result.sendReport ? 1 : 0,
    successes: result.successes,
    failures: result.failures,
  };
}

export interface TlsResultFilter {
  /** Of the recipients, or of a policy. */
  readonly domain?: string | undefined;
  /** UTC: `2026-01-31`. */
  readonly day?: string | undefined;
  readonly limit: number;
}

/** What the days since `since` saw, the latest day first. */
export function tlsResultsSince(
  sql: Sql,
  since: Instant,
  { domain, day, limit }: TlsResultFilter,
): readonly GatheredTlsResult[] {
  let rows = db.selectFrom('tls_results').selectAll().where('day', '>=', dayOf(since));
  if (day !== undefined) rows = rows.where('day', '=', day);
  if (domain !== undefined) {
    rows = rows.where(({ eb, or }) =>
      or([eb('recipient_domain', '=', domain), eb('policy_domain', '=', domain)]),
    );
  }
  const latest = rows
    .orderBy('day', 'desc')
    .orderBy('recipient_domain')
    .orderBy('policy_domain')
    .orderBy('is_host')
    .orderBy('result_id')
    .limit(limit);
  const found = rowsOf(sql, latest);
  return found.map((row) => resultOf(row, detailsOf(sql, row.result_id)));
}

const detailsIn = query((at: Markers<{ resultId: number }>) =>
  inOrder(db.selectFrom('tls_details').selectAll().where('result_id', '=', at.resultId)),
);

type Details = SelectQueryBuilder<ReportTables, 'tls_details', Selectable<DetailColumns>>;

function inOrder(details: Details): Details {
  return details
    .orderBy('result_type')
    .orderBy('sending_ip')
    .orderBy('receiving_mx')
    .orderBy('receiving_helo')
    .orderBy('receiving_ip')
    .orderBy('reason_code');
}

function detailsOf(sql: Sql, resultId: number): readonly TlsDetail[] {
  return detailsIn.all(sql, { resultId }).map((row) => ({
    resultType: row.result_type,
    sendingIp: row.sending_ip,
    receivingMx: row.receiving_mx,
    receivingHelo: row.receiving_helo,
    receivingIp: row.receiving_ip,
    reasonCode: row.reason_code,
    sessions: row.sessions,
  }));
}

function resultOf(row: ResultColumns, details: readonly TlsDetail[]): GatheredTlsResult {
  return {
    day: row.day,
    recipientDomain: row.recipient_domain,
    policyDomain: row.policy_domain,
    isHost: row.is_host === 1,
    sendReport: row.send_report === 1,
    policy: {
      type: row.policy_type,
      strings: JSON.parse(row.policy_strings),
      mxHosts: JSON.parse(row.mx_hosts),
    },
    successes: row.successes,
    failures: row.failures,
    details,
  };
}

/** `2026-01-31` */
function dayOf(at: Instant): string {
  return new Date(at).toISOString().slice(0, 10);
}
