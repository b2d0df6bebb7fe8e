/**
 * LIST, LSUB and STATUS.
 *
 * RFC 9051 §6.3.9, §6.3.11; RFC 3501 §6.3.9 (LSUB); RFC 5258 (options), RFC 3348 (children), RFC
 * 9590 (METADATA)
 */

import { HIERARCHY_SEPARATOR } from '#domain/values/mailbox-name';
import type { MailboxSummary } from '#projections/account-views';
import { annotationsTold, metadataLine } from '../annotation-values.ts';
import { list as listWords, lsub as lsubWords, status as statusWords } from '../grammar.ts';
import { listLine } from '../list-lines.ts';
import { namePattern } from '../name-pattern.ts';
import { Turn } from '../pace.ts';
import { no, ok, type Session } from '../session.ts';
import { statusLine } from '../status-items.ts';
import type { ListWords, StatusItem } from '../words.ts';
import { mailboxName } from '../writer.ts';
import { imapCommand, LOGGED_IN, type WholeCommand } from './command.ts';

export const list: WholeCommand = imapCommand({
  states: LOGGED_IN,
  parse: listWords,
  async run(words, session) {
    // RFC 9051 §6.3.9: an empty pattern asks for the separator.
    if (words.patterns.length === 1 && words.patterns[0] === '') {
      session.out.line('* LIST () "/" ""');
      return ok('LIST done');
    }
    enableByStatus(words.returnStatus, session);
    const turn = new Turn(session.ports.clock);
    const tree = new NameTree(session);
    await turn.giveWay();
    for (const name of tree.matching(words)) {
      const entry = entryOf(name, words, tree);
      if (entry === undefined) continue;
      session.out.put(listLine(entry.attributes, name, session.utf8, entry.extended));
      const mailbox = tree.mailboxes.get(name);
      // RFC 5819 §2: a name without a mailbox has no STATUS.
      if (words.returnStatus !== undefined && mailbox !== undefined) {
        session.out.put(statusLine(mailbox, words.returnStatus, session));
      }
      if (words.returnMetadata !== undefined && mailbox !== undefined) {
        session.out.put(metadataOf(mailbox, words.returnMetadata, session));
      }
      if (!session.out.full) continue;
      await session.out.flush();
      await turn.giveWay();
    }
    return ok('LIST done');
  },
});

export const lsub: WholeCommand = imapCommand({
  states: LOGGED_IN,
  parse: lsubWords,
  async run(words, session) {
    const turn = new Turn(session.ports.clock);
    const tree = new NameTree(session);
    await turn.giveWay();
    // RFC 3501 §6.3.9: with `%`, a parent stands for the subscribed children that `%` leaves out.
    const byLevel = words.patterns.every((pattern) => !pattern.includes('*'));
    for (const name of tree.matching(words)) {
      if (tree.subscribed.has(name)) {
        session.out.line(`* LSUB () "/" ${mailboxName(name, session.utf8)}`);
      } else if (byLevel && tree.subscribedBelow(name)) {
        session.out.line(`* LSUB (\\Noselect) "/" ${mailboxName(name, session.utf8)}`);
      }
      if (!session.out.full) continue;
      await session.out.flush();
      await turn.giveWay();
    }
    return ok('LSUB done');
  },
});

export const status: WholeCommand = imapCommand({
  states: LOGGED_IN,
  parse: statusWords,
  run(words, session) {
    const mailbox = session.mailboxNamed(words.mailbox);
    if (mailbox === undefined) return no('the mailbox does not exist', 'NONEXISTENT');
    enableByStatus(words.items, session);
    session.out.put(statusLine(mailbox, words.items, session));
    return ok('STATUS done');
  },
});

/** RFC 9590 §3: every entry that was asked for, also those that are not there. */
function metadataOf(mailbox: MailboxSummary, names: readonly string[], session: Session): string {
  const there = new Map(
    annotationsTold(mailbox, session.account.views).map((each) => [each.name, each]),
  );
  const entries = new Map(names.map((name) => [name, there.get(name)]));
  return metadataLine(mailbox.name, entries, session.utf8);
}

/** RFC 7162 §3.1.2: who asks for HIGHESTMODSEQ knows CONDSTORE. */
function enableByStatus(items: readonly StatusItem[] | undefined, session: Session): void {
  if (items?.includes('HIGHESTMODSEQ') === true) session.enableCondstore();
}

/** All names that there are, and who is below whom. */
class NameTree {
  readonly mailboxes: ReadonlyMap<string, MailboxSummary>;
  readonly subscribed: ReadonlySet<string>;
  readonly #parents = new Set<string>();
  readonly #subscribedParents = new Set<string>();
  readonly #specialParents = new Set<string>();

  constructor(session: Session) {
    const { views } = session.account;
    this.mailboxes = new Map(views.mailboxes().map((mailbox) => [mailbox.name, mailbox]));
    this.subscribed = new Set(views.subscriptions());
    for (const [name, mailbox] of this.mailboxes) {
      addParents(name, this.#parents);
      if (mailbox.specialUse !== undefined) addParents(name, this.#specialParents);
    }
    for (const name of this.subscribed) addParents(name, this.#subscribedParents);
  }

  /** Every mailbox, subscription and parent that a pattern fits, sorted, Inbox first. */
  matching(words: ListWords): readonly string[] {
    const patterns = words.patterns.map((pattern) => namePattern(words.reference, pattern));
    const names = new Set(this.mailboxes.keys());
    if (words.selectSubscribed) {
      for (const name of this.subscribed) names.add(name);
      if (words.recursiveMatch) for (const name of this.#subscribedParents) names.add(name);
    }
    return [...names].filter((name) => patterns.some((fits) => fits(name))).sort(byName);
  }

  hasChildren(name: string): boolean {
    return this.#parents.has(name);
  }

  subscribedBelow(name: string): boolean {
    return this.#subscribedParents.has(name);
  }

  specialBelow(name: string): boolean {
    return this.#specialParents.has(name);
  }
}

function addParents(name: string, parents: Set<string>): void {
  let slash = name.lastIndexOf(HIERARCHY_SEPARATOR);
  while (slash > 0) {
    const parent = name.slice(0, slash);
    if (parents.has(parent)) return;
    parents.add(parent);
    slash = parent.lastIndexOf(HIERARCHY_SEPARATOR);
  }
}

function byName(a: string, b: string): number {
  const inboxFirst = Number(b === 'Inbox') - Number(a === 'Inbox');
  return inboxFirst !== 0 ? inboxFirst : a < b ? -1 : 1;
}

interface ListEntry {
  readonly attributes: readonly string[];
  readonly extended?: string;
}

/** What is told of a name, or undefined when it was not asked for. */
function entryOf(name: string, words: ListWords, tree: NameTree): ListEntry | undefined {
  const mailbox = tree.mailboxes.get(name);
  const subscribed = tree.subscribed.has(name);
  const special = mailbox?.specialUse;
  const fits =
    (!words.selectSubscribed || subscribed) && (!words.selectSpecialUse || special !== undefined);
  // RFC 5258 §3.5: what fits below makes a name worth telling that does not fit itself.
  const below = words.recursiveMatch ? criteriaBelow(name, words, tree) : [];
  if (!fits && below.length === 0) return undefined;
  const attributes: string[] = [];
  if (mailbox === undefined) attributes.push('\\NonExistent');
  if (words.returnSubscribed && subscribed) attributes.push('\\Subscribed');
  // RFC 3348 §3: told always, whether asked or not.
  attributes.push(tree.hasChildren(name) ? '\\HasChildren' : '\\HasNoChildren');
  if (special !== undefined) attributes.push(special);
  if (below.length === 0) return { attributes };
  const criteria = below.map((criterion) => `"${criterion}"`).join(' ');
  return { attributes, extended: `"CHILDINFO" (${criteria})` };
}

/** The selection options that something below the name fits. */
function criteriaBelow(name: string, words: ListWords, tree: NameTree): readonly string[] {
  const criteria: string[] = [];
  if (words.selectSubscribed && tree.subscribedBelow(name)) criteria.push('SUBSCRIBED');
  if (words.selectSpecialUse && tree.specialBelow(name)) criteria.push('SPECIAL-USE');
  return criteria;
}
