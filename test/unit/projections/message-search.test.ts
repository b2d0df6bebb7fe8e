/**
 * Search conditions find the messages they describe, and more only where the body must be read.
 */

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { ARRIVAL, INBOX_ID, OPENED, recorded } from '../../support/given.ts';
import { emptyViews, someFacts } from '../../support/views.ts';
import type { AccountEvent } from '#domain/log/streams';
import type { NewMessage } from '#domain/message/events';
import { formatUidSet, uidSetOf } from '#domain/values/uid-set';
import type { SearchCondition } from '#projections/message-search';

const DAY = 86_400_000;
const NOON = Date.UTC(2026, 4, 1, 12);

function delivery(uid: number, change: Partial<NewMessage>): AccountEvent {
  const message: NewMessage = {
    uid,
    messageId: uid,
    body: uid.toString(16).repeat(64),
    prefix: '',
    sizeBytes: uid * 100,
    flags: [],
    receivedAt: NOON,
    zoneMinutes: 0,
    ...change,
  };
  return { type: 'MessageDelivered', mailboxId: INBOX_ID, message, arrival: ARRIVAL };
}

// Modseq of the n-th message is n + 1. The subject of message n is `subject n`; it was sent on
// 2026-01-n, except for 6, which has no date.
const views = emptyViews((hash) => {
  const { sentDay, ...facts } = someFacts(hash);
  return hash.startsWith('6') || sentDay === undefined ? facts : { ...facts, sentDay };
});
views.post(
  recorded(
    [
      OPENED,
      delivery(1, { flags: ['\\Seen'] }),
      delivery(2, { flags: ['\\Seen', '\\Flagged', 'work'] }),
      delivery(3, { receivedAt: NOON + 11 * 3_600_000, zoneMinutes: 120, flags: ['workshop'] }),
      delivery(4, { receivedAt: NOON - DAY }),
      delivery(5, { receivedAt: NOON + DAY, flags: ['\\Deleted'] }),
      delivery(6, { flags: ['later', 'work'] }),
    ],
    0,
    NOON,
  ),
);
after(() => views[Symbol.dispose]());

const seen: SearchCondition = { type: 'flag', flag: '\\Seen' };
const flagged: SearchCondition = { type: 'flag', flag: '\\Flagged' };
const inBody: SearchCondition = { type: 'body-text', text: 'x' };
const not = (condition: SearchCondition): SearchCondition => ({ type: 'not', condition });
const and = (...all: readonly SearchCondition[]): SearchCondition => ({ type: 'and', all });
const or = (...any: readonly SearchCondition[]): SearchCondition => ({ type: 'or', any });

function finds(condition: SearchCondition, uids: string): void {
  it(`${JSON.stringify(condition)} finds ${uids || 'nothing'}`, () => {
    assert.equal(formatUidSet(views.reader.search(INBOX_ID, condition)), uids);
  });
}

describe('conditions on what the views know', () => {
  finds({ type: 'all' }, '1:6');
  finds({ type: 'none' }, '');
  finds(seen, '1:2');
  finds(not(seen), '3:6');
  finds(and(seen, flagged), '2');
  finds(and(), '1:6');
  finds(or(flagged, { type: 'keyword', keyword: 'later' }), '2,6');
  finds(or(), '');
  finds({ type: 'keyword', keyword: 'work' }, '2,6');
  finds({ type: 'larger', bytes: 300 }, '4:6');
  finds({ type: 'smaller', bytes: 300 }, '1:2');
  finds({ type: 'mod-seq', atLeast: 6 }, '5:6');
  finds({ type: 'received-at', compare: '<=', at: NOON }, '1:2,4,6');
  finds({ type: 'received-at', compare: '>=', at: NOON + 1 }, '3,5');
  finds(
    {
      type: 'uids',
      uids: [
        [2, 3],
        [5, 4_000_000_000],
      ],
    },
    '2:3,5:6',
  );
  finds({ type: 'uids', uids: [] }, '');
});

describe('days are those of the zone of the message', () => {
  // Message 3 came at 23:00 UTC, which is 01:00 on the next day where it came from.
  finds({ type: 'received-day', compare: '=', day: 20_260_501 }, '1:2,6');
  finds({ type: 'received-day', compare: '<', day: 20_260_501 }, '4');
  finds({ type: 'received-day', compare: '>=', day: 20_260_502 }, '3,5');
  finds({ type: 'saved-day', compare: '=', day: 20_260_501 }, '1:6');
  finds({ type: 'received-day', compare: '<', day: 500_101 }, '');
});

describe('conditions on what was parsed from the body', () => {
  finds({ type: 'field', field: 'subject', text: 'ject 4' }, '4');
  finds({ type: 'field', field: 'from', text: '@5.example' }, '5');
  finds({ type: 'field', field: 'cc', text: 'x' }, '');
  finds({ type: 'field', field: 'cc', text: '' }, '1:6');
  finds({ type: 'sent-day', compare: '<', day: 20_260_103 }, '1:2');
  finds({ type: 'sent-day', compare: '>=', day: 20_260_104 }, '4:5');
  finds(not({ type: 'sent-day', compare: '=', day: 20_260_102 }), '1,3:6');
});

describe('conditions that only the body answers', () => {
  finds(inBody, '1:6');
  finds(not(inBody), '1:6');
  finds(and(seen, inBody), '1:2');
  finds(and(seen, not(inBody)), '1:2');
  finds(not(or(seen, inBody)), '3:6');
  finds(not(and(seen, inBody)), '1:6');
  finds(or(seen, { type: 'header', field: 'x-a', text: '' }), '1:6');
  finds(and(not(not(flagged)), { type: 'any-text', text: 'x' }), '2');
});

describe('a condition of great size', () => {
  it('is answered all the same', () => {
    const many = Array.from({ length: 5000 }, () => seen);
    assert.equal(formatUidSet(views.reader.search(INBOX_ID, and(...many))), '1:2');
    const odd = uidSetOf(Array.from({ length: 10_000 }, (_, i) => i * 2 + 1));
    assert.equal(formatUidSet(views.reader.search(INBOX_ID, { type: 'uids', uids: odd })), '1,3,5');
  });
});
