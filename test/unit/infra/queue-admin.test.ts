/** Changes of outgoing mail, in portions that fit. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALICE, queueDesk } from '../../support/queue-desk.ts';

describe('dropping mail', () => {
  it('takes smaller portions where applications are told a lot', async () => {
    await using desk = await queueDesk();
    await desk.set(ALICE, { outgoingWebhook: { url: 'http://127.0.0.1:1/', events: [] } });
    const options = { extra: { Data: '\u0001'.repeat(4000) } };
    const recipients = Array.from({ length: 60 }, (_, i) => `r${i}@example.org`);
    await desk.submit(ALICE, recipients, { options });
    assert.deepEqual((await desk.run('drop', '--all')).out, ['60 message(s) dropped']);
    assert.equal((await desk.records('webhook', 'list', '--max', '100')).length, 60);
  });
});
