/**
 * The part of a search that only the messages themselves can answer: what the views know is asked
 * of the views, the rest is read from the bodies of those messages that may still match.
 *
 * RFC 9051 §6.4.4 (BODY, TEXT, HEADER)
 */

import type { MailboxId, Uid } from '#domain/values/ids';
import {
  differenceOf,
  hasUid,
  intersectionOf,
  uidCount,
  UidSetBuilder,
  unionOf,
  type UidSet,
} from '#domain/values/uid-set';
import type { MessageRow } from '#projections/account-views';
import type { SearchCondition } from '#projections/message-search';
import { MessageText } from '../message/text.ts';
import { Turn } from './pace.ts';
import type { Progress } from './progress.ts';
import { withIndex } from './search-texts.ts';
import { chunksOf } from './selected.ts';
import type { Session } from './session.ts';

const CHUNK_MESSAGES = 200;
/** Messages that are looked into sooner than an index is asked. */
const FEW_MESSAGES = 10;

/** True for conditions that the views answer only in part. */
export function needsBody(condition: SearchCondition): boolean {
  switch (condition.type) {
    case 'and':
      return condition.all.some(needsBody);
    case 'or':
      return condition.any.some(needsBody);
    case 'not':
      return needsBody(condition.condition);
    case 'header':
    case 'body-text':
    case 'any-text':
      return true;
    default:
      return false;
  }
}

/** A message under test; its text is read when a test first asks. */
interface Candidate {
  readonly uid: Uid;
  readonly text: () => MessageText;
}

type Test = (candidate: Candidate) => boolean;

interface Scan {
  readonly mailboxId: MailboxId;
  readonly session: Session;
  /** Counts messages. */
  readonly progress: Progress;
}

/** Those of `candidates` for which the condition is true. */
export async function scan(
  condition: SearchCondition,
  candidates: UidSet,
  { mailboxId, session, progress }: Scan,
): Promise<UidSet> {
  const isIndexed = uidCount(candidates) > FEW_MESSAGES;
  const known = isIndexed ? await withIndex(condition, mailboxId, session) : condition;
  const { views } = session.account;
  const among = (inner: SearchCondition): UidSet =>
    intersectionOf(views.search(mailboxId, inner), candidates);
  const matching = isIndexed ? among(known) : candidates;
  if (!needsBody(known)) return matching;
  // What may fail is where it may not be true; the others match whatever their texts say.
  const open = intersectionOf(matching, among({ type: 'not', condition: known }));
  progress.done += uidCount(candidates) - uidCount(open);
  const found = await lookInto(known, open, { mailboxId, session, progress });
  return unionOf(differenceOf(matching, open), found);
}

async function lookInto(
  condition: SearchCondition,
  candidates: UidSet,
  { mailboxId, session, progress }: Scan,
): Promise<UidSet> {
  const { views } = session.account;
  const test = testOf(condition, (inner) =>
    views.search(mailboxId, { type: 'and', all: [{ type: 'uids', uids: candidates }, inner] }),
  );
  const found = new UidSetBuilder();
  const turn = new Turn(session.ports.clock);
  for (const chunk of chunksOf(candidates, CHUNK_MESSAGES)) {
    for (const row of views.rows(mailboxId, chunk)) {
      if (session.isOver) return found.build();
      if (test(candidateOf(row, session))) found.add(row.uid);
      progress.done++;
      await turn.giveWay();
    }
  }
  return found.build();
}

function candidateOf(row: MessageRow, session: Session): Candidate {
  let text: MessageText | undefined;
  return {
    uid: row.uid,
    text() {
      if (text !== undefined) return text;
      const { accountId } = session.account;
      const { bodies } = session.ports;
      const prefix = Buffer.from(row.prefix);
      // A message without its content matches what its added header says, and nothing else.
      const withBody = (body: Buffer | undefined): Buffer =>
        body === undefined ? prefix : Buffer.concat([prefix, body]);
      return (text = new MessageText({
        header: () => withBody(bodies.header(accountId, row.body)),
        whole: () => withBody(bodies.read(accountId, row.body)),
      }));
    },
  };
}

function testOf(condition: SearchCondition, exactly: (condition: SearchCondition) => UidSet): Test {
  if (!needsBody(condition)) {
    const uids = exactly(condition);
    return ({ uid }) => hasUid(uids, uid);
  }
  switch (condition.type) {
    case 'and': {
      const tests = sorted(condition.all).map((inner) => testOf(inner, exactly));
      return (candidate) => tests.every((test) => test(candidate));
    }
    case 'or': {
      const tests = sorted(condition.any).map((inner) => testOf(inner, exactly));
      return (candidate) => tests.some((test) => test(candidate));
    }
    case 'not': {
      const test = testOf(condition.condition, exactly);
      return (candidate) => !test(candidate);
    }
    case 'header':
      return ({ text }) => text().fieldHas(condition.field, condition.text);
    case 'body-text':
      return ({ text }) => text().bodyHas(condition.text);
    case 'any-text':
      return ({ text }) => text().anythingHas(condition.text);
    default:
      throw new Error(`${condition.type} needs no body`);
  }
}

/** What is cheap to know comes first. */
function sorted(conditions: readonly SearchCondition[]): readonly SearchCondition[] {
  return conditions.toSorted((a, b) => Number(needsBody(a)) - Number(needsBody(b)));
}
