/**
 * Read models of an account in memory, posted from given facts.
 */

import type { AccountState } from '#domain/account';
import type { AccountFact } from '#domain/log/streams';
import type { MessageFacts } from '#domain/values/facts';
import type { BodyHash } from '#domain/values/ids';
import { digestsOf, ViewsDatabase } from '#infra/read-models';
import { AccountReader } from '#projections/account-reader';
import { AccountWriter } from '#projections/account-writer';
import { ACCOUNT_MODELS } from '#projections/catalog';
import { CHECKPOINT_DDL } from '#projections/checkpoints';
import type { FactsOf } from '#projections/model';

export interface PostedViews extends Disposable {
  readonly db: ViewsDatabase;
  readonly state: AccountState;
  readonly reader: AccountReader;
  /** One turn, committed. */
  post(facts: readonly AccountFact[]): void;
  /** One turn that is rolled back; `asked` is called behind each of its facts. */
  attempt(facts: readonly AccountFact[], asked: (fact: AccountFact) => void): void;
  digests(): ReadonlyMap<string, string>;
}

export function emptyViews(factsOf: FactsOf = someFacts): PostedViews {
  const db = new ViewsDatabase(':memory:', 'builder');
  db.execute(CHECKPOINT_DDL);
  for (const { ddl } of ACCOUNT_MODELS) db.execute(ddl);
  const reader = new AccountReader(() => db, -1);
  const writer = new AccountWriter(db, reader.pages, factsOf);
  return {
    db,
    reader,
    state: writer.state,
    post(facts) {
      db.transaction(() => {
        for (const fact of facts) writer.apply(fact);
        writer.finish();
      });
      writer.keep();
      reader.learn(facts);
    },
    attempt(facts, asked) {
      db.begin();
      for (const fact of facts) {
        writer.apply(fact);
        asked(fact);
      }
      writer.drop();
      db.rollback();
    },
    digests: () => digestsOf(db, ACCOUNT_MODELS),
    [Symbol.dispose]: () => db.close(),
  };
}

/** Facts that differ from body to body: the first digit of its hash says which. */
export function someFacts(hash: BodyHash): MessageFacts {
  const digit = hash.slice(0, 1);
  return {
    version: 1,
    envelope: `("envelope ${digit}")`,
    body: `("body ${digit}")`,
    bodyStructure: `("structure ${digit}")`,
    headerBytes: 100,
    sentDay: 20_260_100 + parseInt(digit, 16),
    subject: `subject ${digit}`,
    from: `"alice" <alice@${digit}.example>`,
    to: 'bob@example.org',
    cc: '',
    bcc: '',
    headerId: `<${digit}@example.org>`,
    sortSubject: `SUBJECT ${digit}`,
    isReply: false,
    sortFrom: 'ALICE',
    sortTo: 'BOB',
    sortCc: '',
    displayFrom: 'ALICE',
    displayTo: 'BOB@EXAMPLE.ORG',
    threadKey: `id-${digit}`,
    threadReferences: digit > '8' ? `id-${Number.parseInt(digit, 16) % 3}` : '',
  };
}
