/**
 * Ids that outlive names and UIDs: of one alphabet, told apart by their first letter.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  contentOfObjectId,
  emailObjectId,
  mailboxObjectId,
  threadObjectId,
  threadOfObjectId,
} from '#protocols/imap/object-ids';

const BODY = 'ab'.repeat(32);

describe('an object id', () => {
  it('begins with the letter of its kind', () => {
    const ids = [
      mailboxObjectId(7),
      emailObjectId({ body: BODY, arrival: 0 }),
      emailObjectId({ body: BODY, arrival: 12 }),
      threadObjectId({ thread: 'Zm9v_-' }),
    ];
    assert.deepEqual(ids, ['F7', `M${BODY}`, `M${BODY}-12`, 'TZm9v_-']);
    // RFC 8474 §7
    for (const id of ids) assert.match(id, /^[A-Za-z0-9_-]{1,255}$/);
  });

  it('leads back to what it names', () => {
    for (const content of [
      { body: BODY, arrival: 0 },
      { body: BODY, arrival: 12 },
    ]) {
      assert.deepEqual(contentOfObjectId(emailObjectId(content)), content);
    }
    assert.equal(threadOfObjectId(threadObjectId({ thread: '12' })), '12');
  });

  it('of another kind leads nowhere', () => {
    for (const id of ['', 'M', 'M12', `T${BODY}`, `M${BODY}-`, `M${BODY}-0`, `M${BODY}-x`]) {
      assert.equal(contentOfObjectId(id), undefined);
    }
    assert.equal(threadOfObjectId(`M${BODY}`), undefined);
  });
});
