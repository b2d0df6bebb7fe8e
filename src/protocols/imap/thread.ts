/**
 * Threads: which message answers which, from ids and subjects, as THREAD tells them.
 *
 * Messages and the ids that only others name are nodes, numbered as they come; messages come first.
 * Nothing here recurses, so that a thread may be of any depth.
 * The steps of REFERENCES are those of RFC 5256 §3; their numbers stand beside them.
 */

import type { Uid } from '#domain/values/ids';
import type { ReferencesRow, ThreadRow } from '#projections/listing-reads';
import { IMAP_THREAD_ABSENT_MAX } from '../limits.ts';

/** A message with its answers; without a UID it stands for one that is not there. */
export interface Thread {
  readonly uid: Uid | undefined;
  readonly answers: readonly Thread[];
}

interface Node extends Thread {
  readonly sentAt: number;
  readonly subject: string;
  readonly isReply: boolean;
  answers: Node[];
}

const NOBODY = -1;
/** How far up ancestors are followed; who is further away than that is taken for one. */
const ANCESTORS_MAX = 1000;

/** Takes in all messages, then all references, each in the order of the mailbox. */
export class ReferenceThreads {
  readonly #messages: ThreadRow[] = [];
  readonly #nodeOf = new Map<string, number>();
  readonly #parents: number[] = [];
  readonly #childCounts: number[] = [];
  /** Messages before this one have their place. */
  #next = 0;

  addMessages(rows: readonly ThreadRow[]): void {
    for (const row of rows) {
      const node = this.#addNode();
      this.#messages.push(row);
      // RFC 5256 §3 (1): an id belongs to the first message that has it.
      if (row.key !== '' && !this.#nodeOf.has(row.key)) this.#nodeOf.set(row.key, node);
    }
  }

  addReferences(rows: readonly ReferencesRow[]): void {
    for (const { uid, references } of rows) {
      this.#passTo(uid);
      if (this.#messages[this.#next]?.uid !== uid) continue;
      this.#place(this.#next, references.split(' '));
      this.#next++;
    }
  }

  /** The threads of everything that was taken in. */
  threads(): readonly Thread[] {
    this.#passTo(Infinity);
    const roots = this.#pruned();
    // (4)
    sortNodes(roots);
    return sortedDeeply(gatheredBySubject(roots));
  }

  /** (1)(B): the messages up to `uid` that have no ancestors are the child of nobody. */
  #passTo(uid: Uid): void {
    for (; this.#next < this.#messages.length; this.#next++) {
      if ((this.#messages[this.#next] as ThreadRow).uid >= uid) return;
      this.#unlink(this.#next);
    }
  }

  #place(message: number, ancestors: readonly string[]): void {
    let before = NOBODY;
    // (1)(A)
    for (const key of ancestors) {
      const node = this.#named(key);
      if (node === undefined) continue;
      if (before !== NOBODY && this.#parents[node] === NOBODY) this.#link(before, node);
      before = node;
    }
    // (1)(B)
    this.#unlink(message);
    if (before !== NOBODY) this.#link(before, message);
  }

  /** Undefined when there are too many already that are not there. */
  #named(key: string): number | undefined {
    const known = this.#nodeOf.get(key);
    if (known !== undefined) return known;
    if (this.#parents.length - this.#messages.length >= IMAP_THREAD_ABSENT_MAX) return undefined;
    const node = this.#addNode();
    this.#nodeOf.set(key, node);
    return node;
  }

  #addNode(): number {
    this.#childCounts.push(0);
    return this.#parents.push(NOBODY) - 1;
  }

  /** (1)(A): no link is made that closes a circle. */
  #link(parent: number, child: number): void {
    if (parent === child || this.#isAbove(child, parent)) return;
    this.#parents[child] = parent;
    this.#childCounts[parent] = (this.#childCounts[parent] as number) + 1;
  }

  #unlink(child: number): void {
    const parent = this.#parents[child] as number;
    if (parent === NOBODY) return;
    this.#parents[child] = NOBODY;
    this.#childCounts[parent] = (this.#childCounts[parent] as number) - 1;
  }

  #isAbove(node: number, other: number): boolean {
    if (this.#childCounts[node] === 0) return false;
    let above = this.#parents[other] as number;
    for (let steps = 0; above !== NOBODY; steps++) {
      if (above === node || steps === ANCESTORS_MAX) return true;
      above = this.#parents[above] as number;
    }
    return false;
  }

  /** (3): a message that is not there stays only where several would be without a parent. */
  #pruned(): Node[] {
    const nodes = this.#messages.map((row): Node => ({
      ...row,
      isReply: row.isReply === 1,
      answers: [],
    }));
    const roots: Node[] = [];
    const absent = new Map<number, Node>();
    const tops = new Map<number, number>();
    for (const [i, node] of nodes.entries()) {
      const above = this.#presentAbove(i, tops);
      if (above === NOBODY) roots.push(node);
      else if (above < nodes.length) nodes[above]?.answers.push(node);
      else {
        const known = absent.get(above);
        if (known === undefined) absent.set(above, absentNode([node]));
        else known.answers.push(node);
      }
    }
    for (const node of absent.values()) {
      const [only] = node.answers;
      roots.push(node.answers.length === 1 && only !== undefined ? only : node);
    }
    return roots;
  }

  /** The nearest ancestor that is there, else the highest that is not. */
  #presentAbove(message: number, tops: Map<number, number>): number {
    const passed: number[] = [];
    let found = this.#parents[message] as number;
    while (found >= this.#messages.length) {
      const known = tops.get(found);
      const above = known ?? this.#parents[found] ?? NOBODY;
      if (known === undefined) passed.push(found);
      if (above === NOBODY || known === found) break;
      found = above;
    }
    for (const node of passed) tops.set(node, found);
    return found;
  }
}

function absentNode(answers: Node[]): Node {
  return { uid: undefined, sentAt: 0, subject: '', isReply: false, answers };
}

/** RFC 5256 §2.2: by the day they were sent, then by their place in the mailbox. */
function sortNodes(nodes: Node[]): void {
  for (const node of nodes) if (node.uid === undefined) sortNodes(node.answers);
  nodes.sort((a, b) => {
    const [x, y] = [shown(a), shown(b)];
    return x.sentAt - y.sentAt || (x.uid ?? 0) - (y.uid ?? 0);
  });
}

/** (4), (5)(B)(i): for one that is not there speaks its first answer. */
function shown(node: Node): Node {
  return node.uid === undefined ? (node.answers[0] ?? node) : node;
}

/** (5): threads that only their subject holds together. */
function gatheredBySubject(roots: readonly Node[]): Node[] {
  const bySubject = new Map<string, Node>();
  // (B)
  for (const node of roots) {
    const { subject } = shown(node);
    if (subject === '') continue;
    const known = bySubject.get(subject);
    const isBetter =
      known === undefined ||
      (known.uid !== undefined && (node.uid === undefined || (known.isReply && !node.isReply)));
    if (isBetter) bySubject.set(subject, node);
  }
  // (C)
  const gathered = new Set(roots);
  for (const node of roots) {
    const { subject } = shown(node);
    const first = bySubject.get(subject);
    if (first === undefined || first === node || !gathered.has(node)) continue;
    gathered.delete(node);
    if (first.uid === undefined) {
      for (const answer of node.uid === undefined ? node.answers : [node]) {
        first.answers.push(answer);
      }
    } else if (node.isReply && !first.isReply) {
      first.answers.push(node);
    } else {
      gathered.delete(first);
      const both = absentNode([first, node]);
      gathered.add(both);
      bySubject.set(subject, both);
    }
  }
  return [...gathered];
}

/** (6) */
function sortedDeeply(roots: Node[]): readonly Node[] {
  sortNodes(roots);
  const waiting = [...roots];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node.uid !== undefined && node.answers.length > 1) sortNodes(node.answers);
    for (const answer of node.answers) waiting.push(answer);
  }
  return roots;
}

/** RFC 5256 §3 ORDEREDSUBJECT: who has the same subject answers the first who had it. */
export function subjectThreads(rows: readonly ThreadRow[]): readonly Thread[] {
  const nodes = rows.map((row): Node => ({ ...row, isReply: false, answers: [] }));
  sortNodes(nodes);
  const bySubject = new Map<string, Node>();
  for (const node of nodes) {
    const first = bySubject.get(node.subject);
    if (first === undefined) bySubject.set(node.subject, node);
    else first.answers.push(node);
  }
  return [...bySubject.values()];
}

/** RFC 5256 §4 thread-list, in pieces; `numberOf` gives what the client calls a message. */
export function* threadText(
  threads: readonly Thread[],
  numberOf: (uid: Uid) => number,
): Generator<string> {
  const waiting: (Thread | string)[] = [];
  for (const thread of threads) {
    waiting.push(thread);
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (typeof next === 'string') yield next;
      else {
        waiting.push(')');
        yield `(${openedThread(next, numberOf, waiting)}`;
      }
    }
  }
}

/** A message with those behind it that stand in the same list; what branches off waits. */
function openedThread(
  thread: Thread,
  numberOf: (uid: Uid) => number,
  waiting: (Thread | string)[],
): string {
  let text = '';
  let next: Thread | undefined = thread;
  while (next !== undefined) {
    if (next.uid !== undefined) text += `${text === '' ? '' : ' '}${numberOf(next.uid)}`;
    const { answers }: Thread = next;
    next = answers.length === 1 ? answers[0] : undefined;
    if (answers.length < 2) continue;
    if (text !== '') text += ' ';
    for (let i = answers.length - 1; i >= 0; i--) waiting.push(answers[i] as Thread);
  }
  return text;
}
