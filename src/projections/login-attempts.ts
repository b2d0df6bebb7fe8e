/**
 * Read model of the server: who tried to log in during the last 30 days, equal attempts in one row.
 *
 * Invariants: a row is of one month, so that it does not matter whether those before it are still
 * in the log; one that nothing was added to for 30 days is gone, by the time of the facts; an
 * account (and all logins that are nobody's together) has at most 10,000 rows of attempts that
 * failed, the latest ones.
 */

import { sql as raw } from 'kysely';
import { attemptKey, type GatheredAttempt } from '#domain/audit/decide';
import type { LoginAttempt, LoginResult } from '#domain/audit/events';
import type { AuditFact } from '#domain/log/fact';
import { monthNumber } from '#domain/log/streams';
import type { AccountId, Instant } from '#domain/values/ids';
import type { AuditModel } from './model.ts';
import { query, rowsOf, tables, type Markers, type Sql } from './query.ts';

export const ATTEMPTS_KEPT_MS: number = 30 * 86_400_000;
export const FAILED_ATTEMPTS_MAX = 10_000;

/** Stands for whoever has no account. */
const NOBODY = 0;

interface LoginAttemptTables {
  login_attempts: {
    attempt_key: string;
    /** Months since the year 0. */
    month: number;
    account_id: AccountId;
    protocol: 'imap' | 'submission';
    result: LoginResult;
    failed: 0 | 1;
    /** 0: of many only the number is known, and the columns behind this one are empty. */
    detailed: 0 | 1;
    mechanism: string;
    login: string;
    remote_ip: string;
    local_ip: string;
    tls_version: string;
    tls_cipher: string;
    fingerprint: string;
    user_agent: string;
    count: number;
    first_at: Instant;
    last_at: Instant;
  };
}

type Columns = LoginAttemptTables['login_attempts'];

const db = tables<LoginAttemptTables>();

export const loginAttempts: AuditModel = {
  name: 'login-attempts',
  version: 2,
  ddl: [
    `CREATE TABLE login_attempts (
      attempt_key TEXT NOT NULL,
      month INTEGER NOT NULL,
      account_id INTEGER NOT NULL,
      protocol TEXT NOT NULL,
      result TEXT NOT NULL,
      failed INTEGER NOT NULL,
      detailed INTEGER NOT NULL,
      mechanism TEXT NOT NULL,
      login TEXT NOT NULL,
      remote_ip TEXT NOT NULL,
      local_ip TEXT NOT NULL,
      tls_version TEXT NOT NULL,
      tls_cipher TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      user_agent TEXT NOT NULL,
      count INTEGER NOT NULL,
      first_at INTEGER NOT NULL,
      last_at INTEGER NOT NULL,
      PRIMARY KEY (attempt_key, month)
    ) WITHOUT ROWID`,
    'CREATE INDEX login_attempts_old ON login_attempts (last_at)',
    `CREATE INDEX login_attempts_of
      ON login_attempts (account_id, failed, last_at DESC, attempt_key DESC, month DESC)`,
  ],
  rows: [db.selectFrom('login_attempts').selectAll().orderBy('attempt_key').orderBy('month')],
  apply,
};

const addAttempt = query((at: Markers<Columns>) =>
  db
    .insertInto('login_attempts')
    .values({
      attempt_key: at.attempt_key,
      month: at.month,
      account_id: at.account_id,
      protocol: at.protocol,
      result: at.result,
      failed: at.failed,
      detailed: at.detailed,
      mechanism: at.mechanism,
      login: at.login,
      remote_ip: at.remote_ip,
      local_ip: at.local_ip,
      tls_version: at.tls_version,
      tls_cipher: at.tls_cipher,
      fingerprint: at.fingerprint,
      user_agent: at.user_agent,
      count: at.count,
      first_at: at.first_at,
      last_at: at.last_at,
    })
    .onConflict((conflict) =>
      conflict.columns(['attempt_key', 'month']).doUpdateSet(({ eb, ref, fn }) => ({
        count: eb('login_attempts.count', '+', ref('excluded.count')),
        first_at: fn('min', ['login_attempts.first_at', 'excluded.first_at']),
        last_at: fn('max', ['login_attempts.last_at', 'excluded.last_at']),
      })),
    ),
);

const dropOld = query((at: Markers<{ before: Instant }>) =>
  db.deleteFrom('login_attempts').where('last_at', '<', at.before),
);

/** The latest one that is too many. */
const surplus = query((at: Markers<{ accountId: AccountId; kept: number }>) =>
  db
    .selectFrom('login_attempts')
    .select(['attempt_key as attemptKey', 'month'])
    .where('account_id', '=', at.accountId)
    .where('failed', '=', raw.lit(1))
    .orderBy('last_at', 'desc')
    .orderBy('attempt_key', 'desc')
    .orderBy('month', 'desc')
    .limit(raw.lit(1))
    .offset(at.kept),
);

const drop = query((at: Markers<{ attemptKey: string; month: number }>) =>
  db
    .deleteFrom('login_attempts')
    .where('attempt_key', '=', at.attemptKey)
    .where('month', '=', at.month),
);

function apply({ event, at }: AuditFact, write: Sql): void {
  const row = columnsOf(event, at);
  dropOld.run(write, { before: at - ATTEMPTS_KEPT_MS });
  addAttempt.run(write, row);
  if (row.failed === 0) return;
  // A fact adds one row at most: there is never more than one too many.
  const over = surplus.get(write, { accountId: row.account_id, kept: FAILED_ATTEMPTS_MAX });
  if (over !== undefined) drop.run(write, over);
}

function columnsOf({ attempt, count, firstAt, lastAt }: GatheredAttempt, at: Instant): Columns {
  const { protocol, result, accountId, details } = attempt;
  return {
    attempt_key: attemptKey(attempt),
    month: monthNumber(at),
    account_id: accountId ?? NOBODY,
    protocol,
    result,
    failed: result === 'ok' ? 0 : 1,
    detailed: details === undefined ? 0 : 1,
    mechanism: details?.mechanism ?? '',
    login: details?.login ?? '',
    remote_ip: details?.remoteIp ?? '',
    local_ip: details?.localIp ?? '',
    tls_version: details?.tls?.version ?? '',
    tls_cipher: details?.tls?.cipher ?? '',
    fingerprint: details?.fingerprint ?? '',
    user_agent: details?.userAgent ?? '',
    count,
    first_at: firstAt,
    last_at: lastAt,
  };
}

export interface AttemptFilter {
  /** 'nobody': attempts of logins that are nobody's. Absent: all. */
  readonly account?: AccountId | 'nobody' | undefined;
  readonly failedOnly: boolean;
  readonly limit: number;
}

/** What the last 30 days saw, the latest first. */
export function attemptsSince(
  sql: Sql,
  since: Instant,
  { account, failedOnly, limit }: AttemptFilter,
): readonly GatheredAttempt[] {
  let rows = db
    .selectFrom('login_attempts')
    .selectAll()
    // The last column of a name counts; what is not summed up is the same in all months.
    .select(({ fn }) => [
      fn.sum<number>('count').as('count'),
      fn.min('first_at').as('first_at'),
      fn.max('last_at').as('last_at'),
    ])
    .where('last_at', '>=', since)
    .groupBy('attempt_key');
  if (account !== undefined) {
    rows = rows.where('account_id', '=', account === 'nobody' ? NOBODY : account);
  }
  if (failedOnly) rows = rows.where('failed', '=', 1);
  const latest = rows
    .orderBy(({ fn }) => fn.max('last_at'), 'desc')
    .orderBy('attempt_key', 'desc')
    .limit(limit);
  return rowsOf(sql, latest).map(gatheredOf);
}

function gatheredOf(row: Columns): GatheredAttempt {
  const { protocol, result, count, first_at: firstAt, last_at: lastAt } = row;
  const attempt: LoginAttempt = {
    protocol,
    result,
    ...(row.account_id === NOBODY ? {} : { accountId: row.account_id }),
    ...(row.detailed === 0 ? {} : { details: detailsOf(row) }),
  };
  return { attempt, count, firstAt, lastAt };
}

function detailsOf(row: Columns): NonNullable<LoginAttempt['details']> {
  const { tls_version: version, tls_cipher: cipher, fingerprint } = row;
  return {
    mechanism: row.mechanism,
    login: row.login,
    remoteIp: row.remote_ip,
    localIp: row.local_ip,
    ...(version === '' ? {} : { tls: { version, cipher } }),
    ...(fingerprint === '' ? {} : { fingerprint }),
    userAgent: row.user_agent,
  };
}
