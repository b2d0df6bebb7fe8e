/**
 * Read model of how an account proves who it is: one row, in the account's own database.
 */

import type { AccountFact } from '#domain/log/streams';
import type { Credentials } from '#domain/credential/state';
import type { SecretRef } from '#domain/values/ids';
import type { AccountModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

export interface CredentialTables {
  credentials: { password_secret: SecretRef | null; forbidden: string | null };
}

const db = tables<CredentialTables>();

export const credentials: AccountModel = {
  name: 'credentials',
  version: 1,
  ddl: [
    'CREATE TABLE credentials (password_secret TEXT, forbidden TEXT)',
    'INSERT INTO credentials VALUES (NULL, NULL)',
  ],
  rows: [db.selectFrom('credentials').selectAll()],
  apply,
};

const setPassword = query((at: Markers<{ secret: SecretRef }>) =>
  db.updateTable('credentials').set({ password_secret: at.secret }),
);

const setForbidden = query((at: Markers<{ reason: string | null }>) =>
  db.updateTable('credentials').set({ forbidden: at.reason }),
);

const theRow = query(() =>
  db.selectFrom('credentials').select(['password_secret as passwordSecret', 'forbidden']),
);

function apply({ event }: AccountFact, write: Sql): void {
  switch (event.type) {
    case 'PasswordSet':
      setPassword.run(write, { secret: event.secret });
      return;
    case 'LoginForbidden':
      setForbidden.run(write, { reason: event.reason });
      return;
    case 'LoginAllowed':
      setForbidden.run(write, { reason: null });
      return;
    default:
      return;
  }
}

export function credentialsIn(sql: Sql): Credentials {
  const row = theRow.get(sql, {});
  return credentialsOf(row?.passwordSecret ?? null, row?.forbidden ?? null);
}

export function credentialsOf(secret: SecretRef | null, forbidden: string | null): Credentials {
  return {
    ...(secret === null ? {} : { passwordSecret: secret }),
    ...(forbidden === null ? {} : { forbidden }),
  };
}
