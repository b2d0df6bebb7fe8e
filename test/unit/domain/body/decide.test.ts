/**
 * Which bodies may be swept.
 */

import { describe, it } from 'node:test';
import { CONTEXT, delivered, given, OPENED } from '../../../support/given.ts';
import { FIRST, QUEUED, SECOND } from '../../../support/queued.ts';
import type { SweepBodies } from '#domain/body/decide';
import type { AccountEvent } from '#domain/log/streams';

const LETTER = 'ab'.repeat(32);
const OTHER = 'ef'.repeat(32);
const AT = CONTEXT.at;
const SWEEP: SweepBodies = {
  type: 'SweepBodies',
  bodies: [LETTER, OTHER, QUEUED.body, LETTER],
  expungedUpTo: AT,
  retiredUpTo: AT,
};
const EXPUNGED: AccountEvent = { type: 'MessagesExpunged', mailboxId: 1, uids: '1' };
const SWEPT: AccountEvent = { type: 'BodiesSwept', bodies: [LETTER] };

describe('sweeping bodies', () => {
  it('takes those that were let go of, each once, and leaves all others', () => {
    given(OPENED, delivered(1, 1), EXPUNGED, QUEUED)
      .when(SWEEP)
      .gives([SWEPT], { swept: [LETTER] });
  });

  it('leaves what a message has, or never had', () => {
    given(OPENED, delivered(1, 1)).when(SWEEP).gives([], { swept: [] });
    given(OPENED, delivered(1, 1), delivered(2, 2), EXPUNGED).when(SWEEP).gives([]);
  });

  it('leaves what was let go of too short a time ago', () => {
    const gone = given(OPENED, delivered(1, 1), EXPUNGED);
    gone.when({ ...SWEEP, expungedUpTo: AT - 1 }).gives([]);
    gone.when({ ...SWEEP, retiredUpTo: AT - 1 }).gives([SWEPT]);
  });

  it('takes the body of outgoing mail when its last item has left, after its own time', () => {
    const retired = (queueId: number): AccountEvent => ({
      type: 'MessageRetired',
      queueId,
      outcome: 'delivered',
    });
    given(OPENED, QUEUED, retired(FIRST)).when(SWEEP).gives([]);
    const gone = given(OPENED, QUEUED, retired(FIRST), retired(SECOND));
    gone.when({ ...SWEEP, retiredUpTo: AT - 1 }).gives([]);
    gone
      .when({ ...SWEEP, expungedUpTo: 0 })
      .gives([{ type: 'BodiesSwept', bodies: [QUEUED.body] }]);
  });

  it('does nothing twice, and begins anew with a content that comes again', () => {
    given(OPENED, delivered(1, 1), EXPUNGED, SWEPT).when(SWEEP).gives([]);
    given(OPENED, delivered(1, 1), EXPUNGED, SWEPT, delivered(1, 2)).when(SWEEP).gives([]);
  });
});
