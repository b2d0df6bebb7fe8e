/**
 * Threads as THREAD tells them: the steps of RFC 5256 one by one, and beside a plain rendering of
 * its words that knows nothing of speed.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ThreadRow } from '#projections/listing-reads';
import { ReferenceThreads, subjectThreads, threadText } from '#protocols/imap/thread';

interface Message {
  readonly id?: string;
  readonly references?: readonly string[];
  readonly subject?: string;
  readonly isReply?: boolean;
  readonly sentAt?: number;
}

/** Numbered 1, 2, …, each sent after the one before unless it says otherwise. */
function rowsOf(messages: readonly Message[]): readonly ThreadRow[] {
  return messages.map(({ id = '', subject = '', isReply = false, sentAt }, i) => ({
    uid: i + 1,
    sentAt: sentAt ?? i,
    subject,
    isReply: isReply ? 1 : 0,
    key: id,
  }));
}

function byReferences(...messages: readonly Message[]): string {
  const threads = new ReferenceThreads();
  threads.addMessages(rowsOf(messages));
  const withReferences = messages.flatMap(({ references = [] }, i) =>
    references.length === 0 ? [] : [{ uid: i + 1, references: references.join(' ') }],
  );
  const half = withReferences.length >> 1;
  threads.addReferences(withReferences.slice(0, half));
  threads.addReferences(withReferences.slice(half));
  return [...threadText(threads.threads(), (uid) => uid)].join('');
}

function bySubject(...messages: readonly Message[]): string {
  return [...threadText(subjectThreads(rowsOf(messages)), (uid) => uid)].join('');
}

const to = (id: string, ...references: readonly string[]): Message => ({ id, references });
const about = (subject: string, isReply = false): Message => ({ subject, isReply });

describe('threads by reference', () => {
  it('of nothing are nothing', () => {
    assert.equal(byReferences(), '');
  });

  it('follow the ids', () => {
    assert.equal(byReferences(to('a'), to('b', 'a'), to('c', 'a', 'b'), to('d')), '(1 2 3)(4)');
    assert.equal(byReferences(to('a'), to('b', 'a'), to('c', 'a'), to('d', 'b')), '(1 (2 4)(3))');
  });

  it('leave out who is not there, but keep their answers together', () => {
    assert.equal(byReferences(to('b', 'a'), to('c', 'a')), '((1)(2))');
    assert.equal(byReferences(to('b', 'a')), '(1)');
    assert.equal(byReferences(to('a'), to('c', 'a', 'x'), to('d', 'a', 'x')), '(1 (2)(3))');
    assert.equal(byReferences(to('c', 'a', 'b'), to('d', 'a', 'b')), '((1)(2))');
    assert.equal(byReferences(to('c', 'a', 'b'), to('d', 'a')), '((1)(2))');
  });

  it('do not depend on who came first', () => {
    assert.equal(byReferences(to('c', 'a', 'b'), to('b', 'a'), to('a')), '(3 2 1)');
  });

  it('never run in circles', () => {
    assert.equal(byReferences(to('a', 'a')), '(1)');
    assert.equal(byReferences(to('a', 'b'), to('b', 'a')), '(2 1)');
    assert.equal(byReferences(to('a', 'b'), to('b', 'c'), to('c', 'a')), '(3 2 1)');
    assert.equal(byReferences(to('x', 'a', 'b', 'a')), '(1)');
  });

  it('give a doubled id to the first who has it', () => {
    assert.equal(byReferences(to('a'), to('a'), to('b', 'a')), '(1 3)(2)');
  });

  it('believe a message more than those that speak of it', () => {
    assert.equal(byReferences(to('a'), to('c', 'a', 'b'), to('b')), '(1)(3 2)');
    assert.equal(byReferences(to('a'), to('b'), to('d', 'a', 'c'), to('c', 'b')), '(1)(2 4 3)');
  });

  it('are ordered by the day they were sent', () => {
    const messages = [
      { id: 'a', sentAt: 9 },
      { ...to('b', 'a'), sentAt: 3 },
      { ...to('c', 'a'), sentAt: 2 },
      { id: 'd', sentAt: 5 },
      { ...to('f', 'x'), sentAt: 8 },
      { ...to('g', 'x'), sentAt: 1 },
    ];
    assert.equal(byReferences(...messages), '((6)(5))(4)(1 (3)(2))');
  });

  it('are also held together by their subjects', () => {
    assert.equal(byReferences(about('S'), about('T'), about('S', true)), '(1 3)(2)');
    assert.equal(byReferences(about('S', true), about('S')), '(2 1)');
    assert.equal(byReferences(about('S'), about('S')), '((1)(2))');
    assert.equal(byReferences(about('S'), about('S'), about('S', true)), '((1)(2)(3))');
    assert.equal(byReferences(about(''), about('')), '(1)(2)');
  });

  it('join those that are not there by the subject of their first answer', () => {
    const b = { ...to('b', 'a'), subject: 'S' };
    const c = { ...to('c', 'a'), subject: 'T' };
    const e = { ...to('e', 'd'), subject: 'S' };
    const f = { ...to('f', 'd') };
    assert.equal(byReferences(b, c, about('S')), '((1)(2)(3))');
    assert.equal(byReferences(b, c, e, f), '((1)(2)(3)(4))');
    assert.equal(byReferences(about('S'), b, c), '((1)(2)(3))');
  });

  it('may be of any depth and breadth', () => {
    const chain = Array.from({ length: 50_000 }, (_, i) =>
      to(`${i}`, ...(i > 0 ? [`${i - 1}`] : [])),
    );
    const down = chain.map((_, i) => i + 1);
    assert.equal(byReferences(...chain), `(${down.join(' ')})`);
    assert.equal(byReferences(...chain.toReversed()), `(${down.toReversed().join(' ')})`);
    const fan = Array.from({ length: 50_000 }, (_, i) => to(`${i}`, 'x'));
    assert.equal(byReferences(...fan), `(${down.map((number) => `(${number})`).join('')})`);
  });
});

describe('threads by subject', () => {
  it('have the first message with all others as its answers', () => {
    assert.equal(bySubject(about('S'), about('T'), about('S'), about('S')), '(1 (3)(4))(2)');
    assert.equal(bySubject(about('S'), about('S')), '(1 2)');
    assert.equal(bySubject(), '');
  });

  it('are ordered by the day they were sent', () => {
    const messages = [
      { subject: 'S', sentAt: 5 },
      { subject: 'T', sentAt: 2 },
      { subject: 'S', sentAt: 1 },
    ];
    assert.equal(bySubject(...messages), '(3 1)(2)');
  });
});

describe('threads of any messages', () => {
  const id = fc.constantFrom('', 'a', 'b', 'c', 'd', 'e');
  const message = fc.record({
    id,
    references: fc.array(
      id.filter((each) => each !== ''),
      { maxLength: 4 },
    ),
    subject: fc.constantFrom('', 'S', 'T'),
    isReply: fc.boolean(),
    sentAt: fc.nat(4),
  });
  const messages = fc.array(message, { maxLength: 9 });
  const numbersIn = (text: string): readonly number[] =>
    (text.match(/\d+/g) ?? []).map(Number).sort((a, b) => a - b);

  it('have every message once', () => {
    fc.assert(
      fc.property(messages, (given) => {
        const all = given.map((_, i) => i + 1);
        assert.deepEqual(numbersIn(byReferences(...given)), all);
        assert.deepEqual(numbersIn(bySubject(...given)), all);
      }),
      { numRuns: 500, seed: 20_260_603 },
    );
  });

  it('are those of the standard, word for word', () => {
    fc.assert(
      fc.property(messages, (given) => {
        assert.equal(byReferences(...given), wordForWord(given));
      }),
      { numRuns: 2000, seed: 20_260_604 },
    );
  });
});

/** A message of RFC 5256 §3, or a dummy. */
class Plain {
  readonly number: number;
  readonly message: Message;
  parent: Plain | undefined;
  children: Plain[] = [];

  constructor(number: number, message: Message) {
    this.number = number;
    this.message = message;
  }

  get isDummy(): boolean {
    return this.number === 0;
  }

  get shown(): Plain {
    return this.isDummy ? (this.children[0] as Plain) : this;
  }

  adopt(child: Plain): void {
    child.leave();
    child.parent = this;
    this.children.push(child);
  }

  leave(): void {
    this.parent?.children.splice(this.parent.children.indexOf(this), 1);
    this.parent = undefined;
  }

  reaches(other: Plain): boolean {
    return this === other || this.children.some((child) => child.reaches(other));
  }

  sort(): void {
    for (const child of this.children) child.sort();
    this.children.sort((a, b) => {
      const [x, y] = [a.shown, b.shown];
      return (x.message.sentAt ?? 0) - (y.message.sentAt ?? 0) || x.number - y.number;
    });
  }

  text(): string {
    const own = this.isDummy ? '' : String(this.number);
    if (this.children.length === 1) return `${own} ${this.children[0]?.text()}`.trim();
    const lists = this.children.map((child) => `(${child.text()})`).join('');
    return `${own}${own !== '' && lists !== '' ? ' ' : ''}${lists}`;
  }
}

function wordForWord(messages: readonly Message[]): string {
  const byId = new Map<string, Plain>();
  const all = messages.map((message, i) => {
    const plain = new Plain(i + 1, message);
    if (message.id !== undefined && message.id !== '' && !byId.has(message.id)) {
      byId.set(message.id, plain);
    }
    return plain;
  });
  for (const plain of all) linkOne(plain, byId);
  const root = new Plain(0, {});
  for (const plain of new Set([...all, ...byId.values()])) {
    if (plain.parent === undefined) root.adopt(plain);
  }
  prune(root, true);
  sortTop(root);
  gather(root);
  root.sort();
  return root.children.map((thread) => `(${thread.text()})`).join('');
}

function linkOne(plain: Plain, byId: Map<string, Plain>): void {
  let last: Plain | undefined;
  for (const id of plain.message.references ?? []) {
    const known = byId.get(id) ?? new Plain(0, {});
    byId.set(id, known);
    if (last !== undefined && known.parent === undefined && !known.reaches(last)) last.adopt(known);
    last = known;
  }
  plain.leave();
  if (last !== undefined && !plain.reaches(last)) last.adopt(plain);
}

function prune(node: Plain, isRoot: boolean): void {
  for (const child of node.children.slice()) {
    prune(child, false);
    if (!child.isDummy) continue;
    if (child.children.length === 0) child.leave();
    else if (!isRoot || child.children.length === 1) {
      for (const grandchild of child.children.slice()) node.adopt(grandchild);
      child.leave();
    }
  }
}

function sortTop(root: Plain): void {
  for (const child of root.children) if (child.isDummy) child.sort();
  root.children.sort((a, b) => {
    const [x, y] = [a.shown, b.shown];
    return (x.message.sentAt ?? 0) - (y.message.sentAt ?? 0) || x.number - y.number;
  });
}

function gather(root: Plain): void {
  const table = new Map<string, Plain>();
  for (const current of root.children) {
    const subject = current.shown.message.subject ?? '';
    const known = table.get(subject);
    if (subject === '') continue;
    if (
      known === undefined ||
      (!known.isDummy &&
        (current.isDummy || (known.message.isReply === true && current.message.isReply !== true)))
    ) {
      table.set(subject, current);
    }
  }
  for (const current of root.children.slice()) {
    if (current.parent !== root) continue;
    const subject = current.shown.message.subject ?? '';
    const known = table.get(subject);
    if (subject === '' || known === undefined || known === current) continue;
    if (known.isDummy && current.isDummy) {
      for (const child of current.children.slice()) known.adopt(child);
      current.leave();
    } else if (known.isDummy) known.adopt(current);
    else if (current.message.isReply === true && known.message.isReply !== true) {
      known.adopt(current);
    } else {
      const dummy = new Plain(0, {});
      root.adopt(dummy);
      dummy.adopt(known);
      dummy.adopt(current);
      table.set(subject, dummy);
    }
  }
}
