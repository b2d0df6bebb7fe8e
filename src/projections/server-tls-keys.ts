/**
 * Read model of the server: the TLS keys of all accounts, so that a handshake opens no account.
 *
 * A key may stand with several accounts for a moment, or after a crash; which of them it lets in,
 * the directory says (docs/adr/0014-tls-keys.md).
 */

import type { TlsKey } from '#domain/credential/state';
import type { AccountId, Instant } from '#domain/values/ids';
import type { ServerFact, ServerModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';
import { tlsKeyColumns, tlsKeyOf, type TlsKeyColumns } from './tls-keys.ts';

interface ServerTlsKeyTables {
  account_tls_keys: TlsKeyColumns & { account_id: AccountId; added_at: Instant };
}

type Columns = ServerTlsKeyTables['account_tls_keys'];

const db = tables<ServerTlsKeyTables>();

export const serverTlsKeys: ServerModel = {
  name: 'server-tls-keys',
  version: 1,
  ddl: [
    `CREATE TABLE account_tls_keys (
      fingerprint TEXT NOT NULL,
      account_id INTEGER NOT NULL,
      key_type TEXT NOT NULL,
      name TEXT NOT NULL,
      no_imap_preauth INTEGER NOT NULL,
      certificate TEXT NOT NULL,
      login TEXT NOT NULL,
      added_at INTEGER NOT NULL,
      PRIMARY KEY (fingerprint, account_id)
    ) WITHOUT ROWID`,
  ],
  rows: [
    db.selectFrom('account_tls_keys').selectAll().orderBy('fingerprint').orderBy('account_id'),
  ],
  apply,
};

/** A key with the account that has it. */
export interface AccountTlsKey extends TlsKey {
  readonly accountId: AccountId;
  readonly addedAt: Instant;
}

type KeyOf = Pick<Columns, 'fingerprint' | 'account_id'>;

const addKey = query((at: Markers<Columns>) =>
  db.insertInto('account_tls_keys').values({
    fingerprint: at.fingerprint,
    account_id: at.account_id,
    key_type: at.key_type,
    name: at.name,
    no_imap_preauth: at.no_imap_preauth,
    certificate: at.certificate,
    login: at.login,
    added_at: at.added_at,
  }),
);

type Changes = KeyOf & Pick<Columns, 'name' | 'no_imap_preauth' | 'login'>;

const changeKey = query((at: Markers<Changes>) =>
  db
    .updateTable('account_tls_keys')
    .set({ name: at.name, no_imap_preauth: at.no_imap_preauth, login: at.login })
    .where('fingerprint', '=', at.fingerprint)
    .where('account_id', '=', at.account_id),
);

const removeKey = query((at: Markers<KeyOf>) =>
  db
    .deleteFrom('account_tls_keys')
    .where('fingerprint', '=', at.fingerprint)
    .where('account_id', '=', at.account_id),
);

const oneKey = query((at: Markers<KeyOf>) =>
  db
    .selectFrom('account_tls_keys')
    .selectAll()
    .where('fingerprint', '=', at.fingerprint)
    .where('account_id', '=', at.account_id),
);

const allKeys = query(() =>
  db
    .selectFrom('account_tls_keys')
    .selectAll()
    .orderBy('account_id')
    .orderBy('added_at')
    .orderBy('fingerprint'),
);

/** False for facts that leave the keys as they are. */
export function touchesTlsKeys({ fact }: ServerFact): boolean {
  const { type } = fact.event;
  return type === 'TlsKeyAdded' || type === 'TlsKeyChanged' || type === 'TlsKeyRemoved';
}

function apply({ accountId, fact }: ServerFact, write: Sql): void {
  const { event } = fact;
  switch (event.type) {
    case 'TlsKeyAdded':
      addKey.run(write, { ...tlsKeyColumns(event), account_id: accountId, added_at: fact.at });
      return;
    case 'TlsKeyChanged': {
      const { fingerprint, name, login } = event;
      const of = { fingerprint, account_id: accountId };
      changeKey.run(write, { ...of, name, login, no_imap_preauth: +event.noImapPreauth });
      return;
    }
    case 'TlsKeyRemoved':
      removeKey.run(write, { fingerprint: event.fingerprint, account_id: accountId });
      return;
    default:
      return;
  }
}

export function accountTlsKey(
  sql: Sql,
  accountId: AccountId,
  fingerprint: string,
): AccountTlsKey | undefined {
  const row = oneKey.get(sql, { account_id: accountId, fingerprint });
  return row === undefined ? undefined : keyOf(row);
}

/** By account, in the order in which they were added. */
export function accountTlsKeys(sql: Sql): readonly AccountTlsKey[] {
  return allKeys.all(sql, {}).map(keyOf);
}

function keyOf(row: Columns): AccountTlsKey {
  return { ...tlsKeyOf(row), accountId: row.account_id, addedAt: row.added_at };
}
