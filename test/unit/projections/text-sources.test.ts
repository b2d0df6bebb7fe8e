/**
 * What a full-text index is told by the views, and which messages its answers mean.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ARCHIVE_ID, delivered, INBOX_ID, OPENED, recorded } from '../../support/given.ts';
import { emptyViews, type PostedViews } from '../../support/views.ts';
import { formatUidSet } from '#domain/values/uid-set';

/** Inbox with contents 1 … 5; UIDs 7 and 8 of the archive are copies of 2 and 4; 3 is gone. */
function views(): PostedViews {
  const posted = emptyViews();
  posted.post(
    recorded([
      OPENED,
      ...[1, 2, 3, 4, 5].map((id) => delivered(INBOX_ID, id)),
      {
        type: 'MessagesCopied',
        source: INBOX_ID,
        uids: '2,4',
        target: ARCHIVE_ID,
        firstUid: 7,
        firstMessageId: 6,
      },
      { type: 'MessagesExpunged', mailboxId: INBOX_ID, uids: '2:3' },
    ]),
  );
  return posted;
}

describe('views', () => {
  it('tell contents in the order in which they came, a page at a time', () => {
    using posted = views();
    const { reader } = posted;
    const ids = (after: number, limit: number): number[] =>
      reader.textSources(after, limit).map(({ contentId }) => contentId);
    assert.deepEqual(ids(-1, 3), [1, 2, 3]);
    assert.deepEqual(ids(3, 3), [4, 5]);
    assert.deepEqual(ids(5, 3), []);
    const [first] = reader.textSources(-1, 1);
    assert.equal(first?.body, 'ab'.repeat(32));
    assert.equal(first?.prefix, 'Received: by localhost\r\n');
  });

  it('tell which contents some message still has', () => {
    using posted = views();
    assert.deepEqual(posted.reader.liveContents(-1, 10), [1, 2, 4, 5]);
    assert.deepEqual(posted.reader.liveContents(1, 2), [2, 4]);
  });

  it('know the messages of contents, copies too', () => {
    using posted = views();
    const { reader } = posted;
    const uids = (mailboxId: number, ...contents: number[]): string =>
      formatUidSet(reader.uidsOfContents(mailboxId, Float64Array.from(contents)));
    assert.equal(uids(INBOX_ID, 1, 2, 3, 4), '1,4');
    assert.equal(uids(ARCHIVE_ID, 1, 2, 3, 4), '7:8');
    assert.equal(uids(INBOX_ID), '');
    assert.equal(uids(INBOX_ID, 99), '');
  });

  it('know the messages of contents that came later', () => {
    using posted = views();
    const { reader } = posted;
    assert.equal(formatUidSet(reader.uidsOfContentsAfter(INBOX_ID, 3)), '4:5');
    assert.equal(formatUidSet(reader.uidsOfContentsAfter(ARCHIVE_ID, 3)), '8');
    assert.equal(formatUidSet(reader.uidsOfContentsAfter(INBOX_ID, 5)), '');
  });
});
