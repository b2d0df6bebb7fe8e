/**
 * Read model of the server: how every account proves who it is, so that a login opens no account.
 */

import type { Credentials } from '#domain/credential/state';
import type { AccountId, SecretRef } from '#domain/values/ids';
import { credentialsOf } from './credentials.ts';
import type { ServerFact, ServerModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

export interface ServerCredentialTables {
  account_credentials: {
    account_id: AccountId;
    password_secret: SecretRef | null;
    forbidden: string | null;
  };
}

const db = tables<ServerCredentialTables>();

export const serverCredentials: ServerModel = {
  name: 'server-credentials',
  version: 1,
  ddl: [
    `CREATE TABLE account_credentials (
      account_id INTEGER PRIMARY KEY,
      password_secret TEXT,
      forbidden TEXT
    )`,
  ],
  rows: [db.selectFrom('account_credentials').selectAll().orderBy('account_id')],
  apply,
};

const addAccount = query((at: Markers<{ accountId: AccountId }>) =>
  db.insertInto('account_credentials').orIgnore().values({ account_id: at.accountId }),
);

const setPassword = query((at: Markers<{ accountId: AccountId; secret: SecretRef }>) =>
  db
    .updateTable('account_credentials')
    .set({ password_secret: at.secret })
    .where('account_id', '=', at.accountId),
);

const setForbidden = query((at: Markers<{ accountId: AccountId; reason: string | null }>) =>
  db
    .updateTable('account_credentials')
    .set({ forbidden: at.reason })
    .where('account_id', '=', at.accountId),
);

/** False for facts that leave the credentials as they are. */
export function touchesCredentials({ fact }: ServerFact): boolean {
  const { type } = fact.event;
  return type === 'PasswordSet' || type === 'LoginForbidden' || type === 'LoginAllowed';
}

function apply(of: ServerFact, write: Sql): void {
  const { accountId, fact } = of;
  if (!touchesCredentials(of)) return;
  addAccount.run(write, { accountId });
  switch (fact.event.type) {
    case 'PasswordSet':
      setPassword.run(write, { accountId, secret: fact.event.secret });
      return;
    case 'LoginForbidden':
      setForbidden.run(write, { accountId, reason: fact.event.reason });
      return;
    case 'LoginAllowed':
      setForbidden.run(write, { accountId, reason: null });
      return;
    default:
      return;
  }
}

const credentialsById = query((at: Markers<{ accountId: AccountId }>) =>
  db
    .selectFrom('account_credentials')
    .select(['password_secret as passwordSecret', 'forbidden'])
    .where('account_id', '=', at.accountId),
);

export function accountCredentials(sql: Sql, accountId: AccountId): Credentials {
  const row = credentialsById.get(sql, { accountId });
  return credentialsOf(row?.passwordSecret ?? null, row?.forbidden ?? null);
}
