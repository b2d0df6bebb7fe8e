/**
 * In which order messages are listed, and which of them belong together.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { INBOX_ID, OPENED, recorded } from '../../support/given.ts';
import { emptyViews, someFacts, type PostedViews } from '../../support/views.ts';
import type { AccountEvent } from '#domain/log/streams';
import type { MessageFacts } from '#domain/values/facts';
import { uidSetOf, type UidSet } from '#domain/values/uid-set';
import type { SortField, SortKey } from '#projections/listing-reads';

const ALL: UidSet = [[1, 1_000_000]];
const RUNS = { numRuns: 100, seed: 20_260_602 };

type Said = Partial<MessageFacts> & { readonly sizeBytes?: number; readonly receivedAt?: number };

/** Inbox with these messages; the body of each says what is given of it. */
function inbox(said: readonly Said[]): PostedViews {
  const hashOf = (i: number): string => String(i).padStart(64, '0');
  const { sentDay: _, ...base } = someFacts('0');
  const facts = new Map(said.map((given, i) => [hashOf(i), { ...base, threadKey: '', ...given }]));
  const views = emptyViews((hash) => facts.get(hash));
  const events = said.map(({ sizeBytes = 100, receivedAt = 0 }, i): AccountEvent => ({
    type: 'MessagesAppended',
    mailboxId: INBOX_ID,
    messages: [
      {
        uid: i + 1,
        messageId: i + 1,
        body: hashOf(i),
        prefix: i % 2 === 0 ? '' : 'Received: x\r\n',
        sizeBytes,
        flags: [],
        receivedAt,
        zoneMinutes: 0,
      },
    ],
  }));
  views.post(recorded([OPENED, ...events]));
  return views;
}

function order(said: readonly Said[], ...keys: readonly SortKey[]): readonly number[] {
  using views = inbox(said);
  return views.reader.sorted(INBOX_ID, ALL, keys);
}

const by = (field: SortField): SortKey => ({ field, reverse: false });
const reverse = (field: SortField): SortKey => ({ field, reverse: true });

describe('a list of messages', () => {
  it('is ordered by one key after the other, and then by UID', () => {
    const said = [
      { sortSubject: 'B', sizeBytes: 1 },
      { sortSubject: 'A', sizeBytes: 2 },
      { sortSubject: 'B', sizeBytes: 3 },
      { sortSubject: 'A', sizeBytes: 2 },
    ];
    assert.deepEqual(order(said, by('subject')), [2, 4, 1, 3]);
    assert.deepEqual(order(said, reverse('subject')), [1, 3, 2, 4]);
    assert.deepEqual(order(said, by('subject'), reverse('size')), [2, 4, 3, 1]);
  });

  it('has those without a Date field where they arrived', () => {
    const said = [{ sentAt: 3, receivedAt: 9 }, { receivedAt: 2 }, { sentAt: 1, receivedAt: 5 }];
    assert.deepEqual(order(said, by('date')), [3, 2, 1]);
    assert.deepEqual(order(said, by('arrival')), [2, 3, 1]);
  });

  it('can be ordered by everything that is shown of an address', () => {
    const said = [
      { sortFrom: 'B', sortTo: 'B', sortCc: 'A', displayFrom: 'A', displayTo: 'B' },
      { sortFrom: 'A', sortTo: 'B', sortCc: 'B', displayFrom: 'B', displayTo: 'A' },
    ];
    assert.deepEqual(order(said, by('from')), [2, 1]);
    assert.deepEqual(order(said, by('to')), [1, 2]);
    assert.deepEqual(order(said, by('cc')), [1, 2]);
    assert.deepEqual(order(said, by('display-from')), [1, 2]);
    assert.deepEqual(order(said, by('display-to')), [2, 1]);
  });

  it('holds those that are asked for and exist', () => {
    using views = inbox([{}, {}, {}]);
    assert.deepEqual(views.reader.sorted(INBOX_ID, uidSetOf([1, 3, 7]), [reverse('size')]), [1, 3]);
    assert.deepEqual(views.reader.sorted(INBOX_ID, [], [by('size')]), []);
  });

  it('is what a stable sort gives', () => {
    const text = fc.constantFrom('', 'A', 'AB', 'B', 'ZZ', 'é', '\uffff', '😀');
    const message = fc.record(
      {
        sortSubject: text,
        sortFrom: text,
        displayTo: text,
        sizeBytes: fc.nat(3),
        sentAt: fc.integer({ min: -2, max: 2 }),
        receivedAt: fc.nat(3),
      },
      { requiredKeys: ['sortSubject', 'sortFrom', 'displayTo', 'sizeBytes', 'receivedAt'] },
    );
    const key = fc.record({
      field: fc.constantFrom<SortField>('subject', 'from', 'display-to', 'size', 'date', 'arrival'),
      reverse: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 12 }),
        fc.array(key, { minLength: 1, maxLength: 3 }),
        (said, keys) => {
          const uids = said.map((_, i) => i + 1);
          const right = uids.sort((a, b) => {
            for (const each of keys) {
              const [x, y] = [valueOf(said[a - 1], each), valueOf(said[b - 1], each)];
              const difference = Buffer.isBuffer(x)
                ? Buffer.compare(x, y as Buffer)
                : x - (y as number);
              if (difference !== 0) return each.reverse ? -difference : difference;
            }
            return a - b;
          });
          assert.deepEqual(order(said, ...keys), right);
        },
      ),
      RUNS,
    );
  });
});

function valueOf(said: Said | undefined, { field }: SortKey): Buffer | number {
  switch (field) {
    case 'subject':
      return Buffer.from(said?.sortSubject ?? '');
    case 'from':
      return Buffer.from(said?.sortFrom ?? '');
    case 'display-to':
      return Buffer.from(said?.displayTo ?? '');
    case 'size':
      return said?.sizeBytes ?? 0;
    case 'date':
      return said?.sentAt ?? said?.receivedAt ?? 0;
    default:
      return said?.receivedAt ?? 0;
  }
}

/** `key < ancestor ancestor` → the threads of the messages, in order. */
function threads(...messages: readonly string[]): readonly string[] {
  using views = inbox(
    messages.map((text) => {
      const [key = '', references = ''] = text.split('<');
      return { threadKey: key.trim(), threadReferences: references.trim() };
    }),
  );
  return views.reader.identities(INBOX_ID, ALL).map(({ thread }) => thread);
}

describe('messages belong together', () => {
  it('when one names the other', () => {
    assert.deepEqual(threads('a', 'b < a', 'c < a b', 'd'), ['a', 'a', 'a', 'd']);
  });

  it('when both name a third, which need not be there', () => {
    assert.deepEqual(threads('b < a', 'c < a'), ['a', 'a']);
  });

  it('when only the nearest ancestor is named', () => {
    assert.deepEqual(threads('a', 'b < a', 'c < b', 'd < c'), ['a', 'a', 'a', 'a']);
  });

  it('when they arrive in any order', () => {
    assert.deepEqual(threads('c < a b', 'b < a', 'a'), ['a', 'a', 'a']);
    assert.deepEqual(threads('c < b', 'b < a', 'd < b'), ['b', 'b', 'b']);
  });

  it('not when they name nobody', () => {
    assert.deepEqual(threads('', '', 'a'), ['1', '2', 'a']);
  });

  it('for ever: who joins two threads does not change them', () => {
    assert.deepEqual(threads('b < a', 'y < x', 'z < x b', 'q < y', 'r < b'), [
      'a',
      'x',
      'a',
      'x',
      'a',
    ]);
  });

  it('so that what was told before is told after more has come', () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', '');
    const message = fc
      .tuple(id, fc.uniqueArray(id, { maxLength: 3 }))
      .map(([key, ancestors]) => `${key} < ${ancestors.filter((each) => each !== '').join(' ')}`);
    fc.assert(
      fc.property(fc.array(message, { maxLength: 10 }), fc.nat(10), (messages, cut) => {
        assert.deepEqual(threads(...messages).slice(0, cut), threads(...messages.slice(0, cut)));
      }),
      RUNS,
    );
  });
});

describe('what makes a message the same one', () => {
  it('is its body, and its arrival where that added something', () => {
    using views = inbox([{}, {}]);
    const copied: AccountEvent = {
      type: 'MessagesCopied',
      source: INBOX_ID,
      uids: '1:2',
      target: INBOX_ID,
      firstUid: 3,
      firstMessageId: 3,
    };
    views.post(recorded([copied], views.reader.revision + 1));
    const identities = views.reader.identities(INBOX_ID, ALL);
    assert.deepEqual(
      identities.map(({ uid, body, arrival, thread }) => [uid, Number(body), arrival, thread]),
      [
        [1, 0, 0, '1'],
        [2, 1, 2, '2'],
        [3, 0, 0, '1'],
        [4, 1, 2, '2'],
      ],
    );
  });
});

describe('what threads are made of', () => {
  it('are the messages, and those of them that have ancestors', () => {
    using views = inbox([
      { threadKey: 'a', sortSubject: 'S', sentAt: 5 },
      { threadKey: 'b', threadReferences: 'x a', isReply: true, receivedAt: 7 },
    ]);
    assert.deepEqual(
      views.reader.threadRows(INBOX_ID, ALL).map((row) => ({ ...row })),
      [
        { uid: 1, sentAt: 5, subject: 'S', isReply: 0, key: 'a' },
        { uid: 2, sentAt: 7, subject: 'SUBJECT 0', isReply: 1, key: 'b' },
      ],
    );
    assert.deepEqual(
      views.reader.references(INBOX_ID, ALL).map((row) => ({ ...row })),
      [{ uid: 2, references: 'x a' }],
    );
  });
});
