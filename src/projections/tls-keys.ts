/**
 * Read model of the TLS keys of an account, in the account's own database: what decisions ask.
 */

import type { TlsKey } from '#domain/credential/state';
import type { AccountFact } from '#domain/log/streams';
import type { AccountModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

export interface TlsKeyTables {
  tls_keys: {
    fingerprint: string;
    key_type: string;
    name: string;
    no_imap_preauth: number;
    certificate: string;
    login: string;
  };
}

export type TlsKeyColumns = TlsKeyTables['tls_keys'];

const db = tables<TlsKeyTables>();

export const tlsKeys: AccountModel = {
  name: 'tls-keys',
  version: 1,
  ddl: [
    `CREATE TABLE tls_keys (
      fingerprint TEXT PRIMARY KEY,
      key_type TEXT NOT NULL,
      name TEXT NOT NULL,
      no_imap_preauth INTEGER NOT NULL,
      certificate TEXT NOT NULL,
      login TEXT NOT NULL
    ) WITHOUT ROWID`,
  ],
  rows: [db.selectFrom('tls_keys').selectAll().orderBy('fingerprint')],
  apply,
};

const addKey = query((at: Markers<TlsKeyColumns>) =>
  db.insertInto('tls_keys').values({
    fingerprint: at.fingerprint,
    key_type: at.key_type,
    name: at.name,
    no_imap_preauth: at.no_imap_preauth,
    certificate: at.certificate,
    login: at.login,
  }),
);

type Changes = Omit<TlsKeyColumns, 'key_type' | 'certificate'>;

const changeKey = query((at: Markers<Changes>) =>
  db
    .updateTable('tls_keys')
    .set({ name: at.name, no_imap_preauth: at.no_imap_preauth, login: at.login })
    .where('fingerprint', '=', at.fingerprint),
);

const removeKey = query((at: Markers<{ fingerprint: string }>) =>
  db.deleteFrom('tls_keys').where('fingerprint', '=', at.fingerprint),
);

const oneKey = query((at: Markers<{ fingerprint: string }>) =>
  db.selectFrom('tls_keys').selectAll().where('fingerprint', '=', at.fingerprint),
);

const countOfKeys = query(() =>
  db.selectFrom('tls_keys').select(({ fn }) => fn.countAll<number>().as('count')),
);

function apply({ event }: AccountFact, write: Sql): void {
  switch (event.type) {
    case 'TlsKeyAdded':
      addKey.run(write, tlsKeyColumns(event));
      return;
    case 'TlsKeyChanged': {
      const { fingerprint, name, login } = event;
      changeKey.run(write, { fingerprint, name, login, no_imap_preauth: +event.noImapPreauth });
      return;
    }
    case 'TlsKeyRemoved':
      removeKey.run(write, { fingerprint: event.fingerprint });
      return;
    default:
      return;
  }
}

export function tlsKeyIn(sql: Sql, fingerprint: string): TlsKey | undefined {
  const row = oneKey.get(sql, { fingerprint });
  return row === undefined ? undefined : tlsKeyOf(row);
}

export function tlsKeyCountIn(sql: Sql): number {
  return countOfKeys.get(sql, {})?.count ?? 0;
}

/** A key as a row. */
export function tlsKeyColumns(key: TlsKey): TlsKeyColumns {
  const { fingerprint, keyType, name, noImapPreauth, certificate, login } = key;
  return {
    fingerprint,
    key_type: keyType,
    name,
    no_imap_preauth: +noImapPreauth,
    certificate,
    login,
  };
}

/** A row as a key. */
export function tlsKeyOf(row: TlsKeyColumns): TlsKey {
  const { fingerprint, name, certificate, login } = row;
  const noImapPreauth = row.no_imap_preauth !== 0;
  return { fingerprint, keyType: row.key_type, name, noImapPreauth, certificate, login };
}
