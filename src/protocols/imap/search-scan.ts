/**
 * The part of a search that only the messages themselves can answer: what the views know is asked
 * of the views, the rest is read from the bodies of those messages that may still match.
 *
 * RFC 9051 §6.4.4 (BODY, TEXT, HEADER)
 */

import type { MailboxId, Uid } from '#domain/values/ids';
import {
  chunksOf,
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
import { MessageText, type WantedText } from '../message/text.ts';
import { Turn } from './pace.ts';
import type { Progress } from './progress.ts';
import { withIndex } from './search-texts.ts';
import type { Session } from './session.ts';

const CHUNK_MESSAGES = 200;
/** Messages that are looked into sooner than an index is asked. */
const FEW_MESSAGES = 10;
/** Messages that are looked into by the reader of messages, while others have their turn. */
const LARGE_BYTES: number = 256 * 1024;

type BodyCondition = Extract<
  SearchCondition,
  { readonly type: 'header' | 'body-text' | 'any-text' }
>;

/** True for conditions that the views answer only in part. */
export function needsBody(condition: SearchCondition): boolean {
  return bodyConditions(condition).length > 0;
}

function bodyConditions(condition: SearchCondition): readonly BodyCondition[] {
  switch (condition.type) {
    case 'and':
      return condition.all.flatMap(bodyConditions);
    case 'or':
      return condition.any.flatMap(bodyConditions);
    case 'not':
      return bodyConditions(condition.condition);
    case 'header':
    case 'body-text':
    case 'any-text':
      return [condition];
    default:
      return [];
  }
}

/** A message under test; its text is read when a test first asks. */
interface Candidate {
  readonly uid: Uid;
  readonly fieldHas: (field: string, text: string) => boolean;
  readonly has: (wanted: WantedText) => boolean | Promise<boolean>;
}

type Test = (candidate: Candidate) => boolean | Promise<boolean>;

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
  const wanted = bodyConditions(condition).filter((one) => one.type !== 'header');
  const found = new UidSetBuilder();
  const turn = new Turn(session.ports.clock);
  for (const chunk of chunksOf(candidates, CHUNK_MESSAGES)) {
    for (const row of views.rows(mailboxId, chunk)) {
      if (session.isOver) return found.build();
      if (await test(candidateOf(row, wanted, session))) found.add(row.uid);
      progress.done++;
      await turn.giveWay();
    }
  }
  return found.build();
}

function candidateOf(row: MessageRow, all: readonly WantedText[], session: Session): Candidate {
  const { accountId } = session.account;
  const { bodies, reader } = session.ports;
  const prefix = Buffer.from(row.prefix);
  // A message without its content matches what its added header says, and nothing else.
  const withBody = (body: Buffer | undefined): Buffer =>
    body === undefined ? prefix : Buffer.concat([prefix, body]);
  const text = new MessageText({
    header: () => withBody(bodies.header(accountId, row.body)),
    whole: () => withBody(bodies.read(accountId, row.body)),
  });
  let answers: Promise<readonly boolean[] | undefined> | undefined;
  const ask = async (wanted: WantedText): Promise<boolean> => {
    answers ??= reader.read(accountId, row, { type: 'texts', wanted: all });
    return (await answers)?.[all.indexOf(wanted)] ?? text.has(wanted);
  };
  return {
    uid: row.uid,
    fieldHas: (field, value) => text.fieldHas(field, value),
    has: (wanted) => (row.sizeBytes > LARGE_BYTES ? ask(wanted) : text.has(wanted)),
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
      return async (candidate) => {
        for (const test of tests) if (!(await test(candidate))) return false;
        return true;
      };
    }
    case 'or': {
      const tests = sorted(condition.any).map((inner) => testOf(inner, exactly));
      return async (candidate) => {
        for (const test of tests) if (await test(candidate)) return true;
        return false;
      };
    }
    case 'not': {
      const test = testOf(condition.condition, exactly);
      return async (candidate) => !(await test(candidate));
    }
    case 'header':
      return ({ fieldHas }) => fieldHas(condition.field, condition.text);
    case 'body-text':
    case 'any-text':
      return ({ has }) => has(condition);
    default:
      throw new Error(`${condition.type} needs no body`);
  }
}

/** What is cheap to know comes first. */
function sorted(conditions: readonly SearchCondition[]): readonly SearchCondition[] {
  return conditions.toSorted((a, b) => Number(needsBody(a)) - Number(needsBody(b)));
}
