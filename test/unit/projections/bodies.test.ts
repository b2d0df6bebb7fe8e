/**
 * Since when nothing refers to a body, where webhooks and outgoing mail refer to it too.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ARRIVAL, delivered, OPENED, recorded } from '../../support/given.ts';
import { FIRST, QUEUED, SECOND } from '../../support/queued.ts';
import { emptyViews } from '../../support/views.ts';
import { emptyAccountState, evolveAccount } from '#domain/account-state';
import type { BodyRelease } from '#domain/body/state';
import type { AccountEvent } from '#domain/log/streams';
import type { WebhookQueued } from '#domain/webhook/events';
import type { BodyHash } from '#domain/values/ids';
import { heldBodiesAfter } from '#projections/body-reads';

const LETTER: BodyHash = 'ab'.repeat(32);
const SENT: BodyHash = QUEUED.body;

const HOOK: WebhookQueued = {
  type: 'WebhookQueued',
  hookId: 1,
  url: 'https://app.example/',
  occasion: {
    type: 'incoming',
    messageId: 1,
    mailboxId: 1,
    mailbox: 'Inbox',
    arrival: ARRIVAL,
    receivedAt: 0,
    body: LETTER,
    prefix: '',
    sizeBytes: 10,
  },
};

const EXPUNGED: AccountEvent = { type: 'MessagesExpunged', mailboxId: 1, uids: '1' };
const TOLD: AccountEvent = { type: 'WebhookRetired', hookId: 1, outcome: 'delivered' };
const SWEPT: AccountEvent = { type: 'BodiesSwept', bodies: [LETTER] };

function retired(queueId: number): AccountEvent {
  return { type: 'MessageRetired', queueId, outcome: 'delivered' };
}

/** The facts are a second apart, the first one at 1000; both models must say the same. */
function releaseAfter(body: BodyHash, ...events: readonly AccountEvent[]): BodyRelease | undefined {
  const facts = [OPENED, ...events].flatMap((event, i) => recorded([event], i, (i + 1) * 1000));
  using views = emptyViews();
  views.post(facts);
  const release = views.state.bodyRelease(body);
  assert.deepEqual(release, facts.reduce(evolveAccount, emptyAccountState()).bodyRelease(body));
  return release;
}

describe('a body', () => {
  it('is let go of with the last message that has it', () => {
    assert.equal(releaseAfter(LETTER, delivered(1, 1)), undefined);
    const gone = [delivered(1, 1), EXPUNGED];
    assert.deepEqual(releaseAfter(LETTER, ...gone), { expungedAt: 3000, retiredAt: 0 });
    assert.equal(releaseAfter(LETTER, ...gone, delivered(1, 2)), undefined);
    assert.equal(releaseAfter(LETTER, ...gone, SWEPT), undefined);
  });

  it('of outgoing mail is let go of with the last recipient', () => {
    assert.equal(releaseAfter(SENT, QUEUED, retired(FIRST)), undefined);
    const gone = [QUEUED, retired(FIRST), retired(SECOND)];
    assert.deepEqual(releaseAfter(SENT, ...gone), { expungedAt: 0, retiredAt: 4000 });
  });

  it('waits for a webhook that tells of it', () => {
    const untold = [delivered(1, 1), HOOK, EXPUNGED];
    assert.equal(releaseAfter(LETTER, ...untold), undefined);
    assert.deepEqual(releaseAfter(LETTER, ...untold, TOLD), { expungedAt: 4000, retiredAt: 0 });
    const told = [delivered(1, 1), HOOK, TOLD, EXPUNGED];
    assert.deepEqual(releaseAfter(LETTER, ...told), { expungedAt: 5000, retiredAt: 0 });
  });

  it('that was swept does not come back with a webhook', () => {
    const swept = [delivered(1, 1), EXPUNGED, SWEPT, HOOK];
    assert.equal(releaseAfter(LETTER, ...swept), undefined);
    assert.equal(releaseAfter(LETTER, ...swept, TOLD), undefined);
    using views = emptyViews();
    views.post(recorded([OPENED, ...swept]));
    assert.deepEqual(heldBodiesAfter(views.db, '', 10), []);
  });

  it('of which a message is left goes with that, not with the outgoing mail', () => {
    const sent = { ...QUEUED, body: LETTER };
    const left = [delivered(1, 1), sent, retired(FIRST), retired(SECOND)];
    assert.equal(releaseAfter(LETTER, ...left), undefined);
    assert.deepEqual(releaseAfter(LETTER, ...left, EXPUNGED), { expungedAt: 6000, retiredAt: 0 });
    const last = [delivered(1, 1), sent, retired(FIRST), EXPUNGED, retired(SECOND)];
    assert.deepEqual(releaseAfter(LETTER, ...last), { expungedAt: 5000, retiredAt: 6000 });
  });

  it('is held for outgoing mail and in its time of grace', () => {
    using views = emptyViews();
    views.post(recorded([OPENED, delivered(1, 1), QUEUED]));
    assert.deepEqual(heldBodiesAfter(views.db, '', 10), [SENT]);
    views.post(recorded([retired(FIRST), retired(SECOND)], 3));
    assert.deepEqual(heldBodiesAfter(views.db, '', 10), [SENT]);
    assert.deepEqual(heldBodiesAfter(views.db, SENT, 10), []);
  });
});
