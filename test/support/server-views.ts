/**
 * Read models of the server in memory, posted from given facts of accounts.
 */

import { recorded } from './given.ts';
import type { AccountEvent, AccountFact } from '#domain/log/streams';
import type { AccountId, Instant } from '#domain/values/ids';
import { digestsOf, ViewsDatabase } from '#infra/read-models';
import { SERVER_MODELS } from '#projections/catalog';

export interface PostedServerViews extends Disposable {
  readonly db: ViewsDatabase;
  /** Events of account 7, one behind the other. */
  happen(at: Instant, ...events: readonly AccountEvent[]): void;
  post(accountId: AccountId, facts: readonly AccountFact[]): void;
  digests(): ReadonlyMap<string, string>;
}

export function emptyServerViews(): PostedServerViews {
  const db = new ViewsDatabase(':memory:', 'builder');
  for (const { ddl } of SERVER_MODELS) db.execute(ddl);
  let revision = 0;
  const views: PostedServerViews = {
    db,
    happen(at, ...events) {
      views.post(7, recorded(events, revision, at));
      revision += events.length;
    },
    post(accountId, facts) {
      db.transaction(() => {
        for (const fact of facts) {
          for (const model of SERVER_MODELS) {
            model.apply({ accountId, fact }, db, () => undefined);
          }
        }
      });
    },
    digests: () => digestsOf(db, SERVER_MODELS),
    [Symbol.dispose]: () => db.close(),
  };
  return views;
}
