/**
 * Files of read models: whole under their name, or not there.
 */

import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { temporaryDirectory } from '../../support/temporary.ts';
import {
  beginViewsFile,
  digestsOf,
  dropViewsFile,
  finishViewsFile,
  isDamage,
  openViewsFile,
  ViewsDatabase,
} from '#infra/read-models';
import { ACCOUNT_MODELS } from '#projections/catalog';

const ADD = `INSERT INTO subscriptions VALUES ('a')`;

describe('a file of read models', () => {
  it('has its name when it is finished, and not before', async () => {
    await using directory = await temporaryDirectory();
    const file = directory.file('deep/views.db');
    const built = beginViewsFile(file, ACCOUNT_MODELS);
    assert.deepEqual(openViewsFile(file, ACCOUNT_MODELS), { type: 'missing' });
    await finishViewsFile(file, built);
    const opened = openViewsFile(file, ACCOUNT_MODELS);
    assert.ok(opened.type === 'ready');
    opened.db.close();
    assert.ok(!existsSync(`${file}.part`));
  });

  it('leaves nothing when it is given up', async () => {
    await using directory = await temporaryDirectory();
    const file = directory.file('views.db');
    dropViewsFile(file, beginViewsFile(file, ACCOUNT_MODELS));
    assert.ok(!existsSync(file) && !existsSync(`${file}.part`));
  });

  it('of other models, or of none, is told apart', async () => {
    await using directory = await temporaryDirectory();
    const file = directory.file('views.db');
    await finishViewsFile(file, beginViewsFile(file, ACCOUNT_MODELS.slice(1)));
    assert.equal(openViewsFile(file, ACCOUNT_MODELS).type, 'outdated');
    writeFileSync(file, 'no database at all, but long enough to be read as one'.repeat(100));
    assert.equal(openViewsFile(file, ACCOUNT_MODELS).type, 'damaged');
  });

  it('that has vanished is a Fault, not a new database', async () => {
    await using directory = await temporaryDirectory();
    const file = directory.file('views.db');
    assert.throws(() => new ViewsDatabase(file, 'reader'), { code: 'ViewsUnavailable' });
    assert.ok(!existsSync(file));
  });
});

describe('a connection', () => {
  it('keeps nothing of a transaction that throws', async () => {
    await using directory = await temporaryDirectory();
    const db = beginViewsFile(directory.file('views.db'), ACCOUNT_MODELS);
    const before = digestsOf(db, ACCOUNT_MODELS);
    assert.throws(() =>
      db.transaction(() => {
        db.execute([ADD]);
        throw new RangeError('a bug');
      }),
    );
    assert.deepEqual(digestsOf(db, ACCOUNT_MODELS), before);
    db.transaction(() => db.execute([ADD]));
    assert.notDeepEqual(digestsOf(db, ACCOUNT_MODELS), before);
    db.close();
  });

  it('that reads sees committed transactions only, and cannot write', async () => {
    await using directory = await temporaryDirectory();
    const file = directory.file('views.db');
    await finishViewsFile(file, beginViewsFile(file, ACCOUNT_MODELS));
    const writer = new ViewsDatabase(file, 'writer');
    const reader = new ViewsDatabase(file, 'reader');
    const seen = (): number => reader.passing('SELECT name FROM subscriptions').all([]).length;
    writer.begin();
    writer.execute([ADD]);
    assert.equal(seen(), 0);
    writer.commit();
    assert.equal(seen(), 1);
    assert.throws(() => reader.execute([ADD]));
    reader.close();
    writer.close();
  });

  it('throws what is wrong with a statement as it is', async () => {
    await using directory = await temporaryDirectory();
    const db = beginViewsFile(directory.file('views.db'), ACCOUNT_MODELS);
    assert.throws(
      () => db.statement('SELECT a FROM nowhere'),
      (error) => !isDamage(error) && error instanceof Error && /no such table/.test(error.message),
    );
    db.close();
  });
});
