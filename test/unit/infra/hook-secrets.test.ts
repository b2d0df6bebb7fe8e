/** Authorizations of webhooks, for as long as somebody names them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeRandom } from '../../support/clock.ts';
import { hookId, hookQueued } from '../../support/hooks.ts';
import { emptyServerViews } from '../../support/server-views.ts';
import { temporaryDirectory } from '../../support/temporary.ts';
import { evolveDirectory } from '#domain/directory/evolve';
import { emptyDirectory } from '#domain/directory/state';
import { HookSecrets } from '#infra/hook-secrets';
import { openSecrets } from '#infra/secrets';

test('an Authorization is sealed, and there again when it is asked for', async () => {
  await using place = await temporaryDirectory();
  const directory = place.file('secrets');
  const random = fakeRandom();
  const secrets = await openSecrets({ directory, keyFile: place.file('key'), random });
  const hookSecrets = new HookSecrets(secrets, random);
  const authorization = await hookSecrets.put('Bearer s');
  assert.equal(await hookSecrets.text(authorization), 'Bearer s');
  await hookSecrets.remove(authorization);
  await assert.rejects(hookSecrets.text(authorization), { code: 'SecretUnreadable' });
});

test('webapi 41: it stays while a setting names it, or a webhook that waits', async () => {
  await using place = await temporaryDirectory();
  using views = emptyServerViews();
  const directory = place.file('secrets');
  const random = fakeRandom();
  const secrets = await openSecrets({ directory, keyFile: place.file('key'), random });
  const hookSecrets = new HookSecrets(secrets, random);
  const password = await secrets.put(Buffer.from('another kind'));
  const [outgoing, incoming, waiting, retired, forgotten] = await Promise.all(
    ['a', 'b', 'c', 'd', 'e'].map((text) => hookSecrets.put(text)),
  );
  assert.ok(outgoing && incoming && waiting && retired && forgotten);
  views.happen(
    1000,
    { ...hookQueued(1), authorization: waiting },
    { ...hookQueued(2, { queueId: 8 }), authorization: retired },
    { type: 'WebhookRetired', hookId: hookId(2), outcome: 'canceled', keepUntil: 10_000 },
  );
  const target = { url: 'http://localhost/' };
  const settings = {
    outgoingWebhook: { ...target, authorization: outgoing, events: [] },
    incomingWebhook: { ...target, authorization: incoming },
  };
  const state = [
    { type: 'AccountAdded', accountId: 7, name: 'alice' } as const,
    { type: 'AccountSettingsChanged', accountId: 7, changes: settings } as const,
  ].reduce(evolveDirectory, emptyDirectory());
  await hookSecrets.sweep(state, { read: (question) => question(views.db) });
  assert.deepEqual(await secrets.list('hook-'), [outgoing, incoming, waiting].sort());
  assert.ok(await secrets.get(password));
});
