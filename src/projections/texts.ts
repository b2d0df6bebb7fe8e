/**
 * The full-text index of an account: which contents hold a text, in a database of its own.
 *
 * Every three characters in a row are a token, with their positions, so that a text of three
 * characters or more is found wherever it stands, and found exactly: three characters at one
 * position and the next three at the next share two. Texts come folded, and SQLite leaves them as
 * they are. The texts themselves are not stored. Two characters are found by the tokens that begin
 * with them, one by nothing.
 *
 * Invariants: contents enter in the order of their ids, which is that of the log, so that one
 * number says which are in; a content that is too much for an index is noted as unread, and every
 * search has to look into it.
 */

import { sql as raw } from 'kysely';
import { unreachable } from '#domain/values/decision';
import type { MessageTexts } from '#domain/values/facts';
import type { BodyHash, MessageId, Revision } from '#domain/values/ids';
import { TEXT_BREAK } from '#domain/values/text';
import type { SearchCondition } from './message-search.ts';
import type { ReadModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

interface TextTables {
  /** The FTS5 table; the row of a content has its id. */
  texts: { rowid: MessageId; fields: string; part_fields: string; words: string };
  tokens: { term: string };
  sources: { content_id: MessageId; body: BodyHash; is_read: number };
  reached: { id: number; content_id: MessageId; revision: Revision; event_id: string };
}

/** How far an index has come. */
export interface TextsReached {
  /** Contents up to this one are in. */
  readonly contentId: MessageId;
  /** The fact up to which the views were when they told the contents. */
  readonly revision: Revision;
  /** Id of its event: another one, and the index was made from another log. */
  readonly eventId: string;
}

/** Octets of tokens that are collected before they are written; more make fewer, larger pieces. */
const COLLECTED_BYTES: number = 8 * 1024 * 1024;

/** To be raised also when texts are read or folded in another way. */
export const TEXT_MODELS: readonly Pick<ReadModel<never>, 'name' | 'version' | 'ddl' | 'rows'>[] = [
  {
    name: 'texts',
    version: 2,
    ddl: [
      `CREATE VIRTUAL TABLE texts USING fts5 (
        fields, part_fields, words,
        content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1'
      )`,
      'CREATE VIRTUAL TABLE tokens USING fts5vocab (texts, row)',
      `INSERT INTO texts (texts, rank) VALUES ('hashsize', ${COLLECTED_BYTES})`,
      `CREATE TABLE sources (
        content_id INTEGER PRIMARY KEY,
        body TEXT NOT NULL,
        is_read INTEGER NOT NULL
      )`,
      'CREATE INDEX sources_unread ON sources (content_id) WHERE is_read = 0',
      `CREATE TABLE reached (
        id INTEGER PRIMARY KEY,
        content_id INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        event_id TEXT NOT NULL
      )`,
    ],
    rows: [],
  },
];

const db = tables<TextTables>();

const addRow = query((at: Markers<TextTables['texts']>) =>
  db.insertInto('texts').values({
    rowid: at.rowid,
    fields: at.fields,
    part_fields: at.part_fields,
    words: at.words,
  }),
);
const dropRow = query((at: Markers<{ contentId: MessageId }>) =>
  db.deleteFrom('texts').where('rowid', '=', at.contentId),
);
const addSource = query((at: Markers<TextTables['sources']>) =>
  db
    .insertInto('sources')
    .values({ content_id: at.content_id, body: at.body, is_read: at.is_read }),
);
const dropSource = query((at: Markers<{ contentId: MessageId }>) =>
  db.deleteFrom('sources').where('content_id', '=', at.contentId),
);
const someSources = query((at: Markers<{ after: MessageId; limit: number }>) =>
  db
    .selectFrom('sources')
    .select(['content_id as contentId', 'body'])
    .where('content_id', '>', at.after)
    .orderBy('content_id')
    .limit(at.limit),
);
const sourcesBetween = query((at: Markers<{ after: MessageId; upTo: MessageId }>) =>
  db
    .selectFrom('sources')
    .select(['content_id as contentId', 'is_read as isRead'])
    .where('content_id', '>', at.after)
    .where('content_id', '<=', at.upTo),
);
const unreadSources = query(() =>
  db
    .selectFrom('sources')
    .select('content_id as contentId')
    .where('is_read', '=', raw.lit(0))
    .orderBy('content_id'),
);
const putReached = query((at: Markers<TextTables['reached']>) =>
  db.replaceInto('reached').values({
    id: at.id,
    content_id: at.content_id,
    revision: at.revision,
    event_id: at.event_id,
  }),
);
const oneReached = query(() =>
  db.selectFrom('reached').select(['content_id as contentId', 'revision', 'event_id as eventId']),
);
const someTokens = query((at: Markers<{ from: string; upTo: string; limit: number }>) =>
  db
    .selectFrom('tokens')
    .select('term')
    .where('term', '>=', at.from)
    .where('term', '<=', at.upTo)
    .limit(at.limit),
);
const found = query((at: Markers<{ match: string }>) =>
  db
    .selectFrom('texts')
    .select('rowid')
    .where(raw<boolean>`texts MATCH ${at.match}`)
    .orderBy('rowid'),
);

/** Undefined for an index that has nothing yet. */
export function textsReached(sql: Sql): TextsReached | undefined {
  return oneReached.get(sql, {});
}

export function writeTextsReached(write: Sql, reached: TextsReached): void {
  const { contentId, revision, eventId } = reached;
  putReached.run(write, { id: 1, content_id: contentId, revision, event_id: eventId });
}

/** A content that the index has, whether its texts were read or not. */
export interface IndexedSource {
  readonly contentId: MessageId;
  readonly body: BodyHash;
}

/** Takes a content in; without texts it stays unread. */
export function addTexts(
  write: Sql,
  { contentId, body }: IndexedSource,
  texts: MessageTexts | undefined,
): void {
  addSource.run(write, { content_id: contentId, body, is_read: texts === undefined ? 0 : 1 });
  if (texts === undefined) return;
  addRow.run(write, {
    rowid: contentId,
    fields: joined(texts.fields),
    part_fields: joined(texts.partFields),
    words: joined(texts.texts),
  });
}

function joined(texts: readonly string[]): string {
  return texts.length === 0 ? '' : `${TEXT_BREAK}${texts.join(TEXT_BREAK)}${TEXT_BREAK}`;
}

/** Of the contents behind `after` up to `upTo`, keeps those in `live`. How many went. */
export function keepTexts(
  write: Sql,
  after: MessageId,
  upTo: MessageId,
  live: Iterable<MessageId>,
): number {
  const kept = new Set(live);
  const gone = sourcesBetween.all(write, { after, upTo }).filter((s) => !kept.has(s.contentId));
  for (const { contentId, isRead } of gone) {
    if (isRead === 1) dropRow.run(write, { contentId });
    dropSource.run(write, { contentId });
  }
  return gone.length;
}

export function indexedSources(sql: Sql, after: MessageId, limit: number): IndexedSource[] {
  return someSources.all(sql, { after, limit });
}

/** Compares the parts of the index with each other; an error of the file when they differ. */
export function checkTexts(write: Sql): void {
  write.passing(`INSERT INTO texts (texts) VALUES ('integrity-check')`).run([]);
}

/** A condition about what a message says. */
export type TextCondition = Extract<
  SearchCondition,
  { readonly type: 'header' | 'body-text' | 'any-text' }
>;

/** Contents, by id, ascending. */
export interface FoundTexts {
  readonly sure: Float64Array;
  /** To be looked into. */
  readonly perhaps: Float64Array;
  /** Contents behind this one are not known here. */
  readonly upTo: MessageId;
}

/** Undefined when the index cannot say, or has nothing yet. Reads in one transaction of `sql`. */
export function findTexts(sql: Sql, condition: TextCondition): FoundTexts | undefined {
  const reached = textsReached(sql);
  const hits = hitsOf(sql, condition);
  if (reached === undefined || hits === undefined) return undefined;
  const unread = unreadSources.all(sql, {}).map(({ contentId }) => contentId);
  const perhaps = hits.areSure ? unread : [...hits.contents, ...unread].sort((a, b) => a - b);
  return {
    sure: Float64Array.from(hits.areSure ? hits.contents : []),
    perhaps: Float64Array.from(perhaps),
    upTo: reached.contentId,
  };
}

interface Hits {
  readonly contents: readonly MessageId[];
  readonly areSure: boolean;
}

/** Fields that are looked into sooner than it is found out which field it was. */
const FEW_FIELDS = 500;

function hitsOf(sql: Sql, condition: TextCondition): Hits | undefined {
  switch (condition.type) {
    case 'any-text':
      return hits(sql, soughtText(sql, condition.text));
    case 'body-text':
      return hits(sql, within('words', soughtText(sql, condition.text)));
    case 'header':
      return fieldHits(sql, condition.field, condition.text);
    default:
      return unreachable(condition);
  }
}

/** Nearly every message has most fields: what stands in them is the shorter way. */
function fieldHits(sql: Sql, name: string, value: string): Hits {
  const field = within('fields', phraseOf(`${TEXT_BREAK}${name}: `));
  if (value === '') return hits(sql, field);
  const text = within('fields', soughtText(sql, value));
  if (text === undefined) return hits(sql, { ...field, isExact: false });
  const some = hits(sql, { ...text, isExact: false });
  if (some.contents.length <= FEW_FIELDS) return some;
  return hits(sql, { match: `${field.match} AND ${text.match}`, isExact: false });
}

function hits(sql: Sql, sought: Sought): Hits;
function hits(sql: Sql, sought: Sought | undefined): Hits | undefined;
function hits(sql: Sql, sought: Sought | undefined): Hits | undefined {
  if (sought === undefined) return undefined;
  const rows = found.all(sql, { match: sought.match });
  return { contents: rows.map(({ rowid }) => rowid), areSure: sought.isExact };
}

/** Of longer texts this much is sought: it finds little else. */
const SOUGHT_CHARS_MAX = 64;
/** Tokens that may begin with a text of two characters. */
const SOUGHT_TOKENS_MAX = 500;
/** Not in any text, like TEXT_BREAK. */
const NOTHING = '"\ufdd1\ufdd1\ufdd1"';

interface Sought {
  readonly match: string;
  /** Everything that matches holds the text. */
  readonly isExact: boolean;
}

/** Undefined for a text that is too short. */
function soughtText(sql: Sql, text: string): Sought | undefined {
  const characters = Array.from(text).length;
  if (characters > 2) return phraseOf(text);
  if (characters < 2) return undefined;
  // Behind two characters there is a third one, TEXT_BREAK at the least.
  const range = { from: text, upTo: `${text}\u{10ffff}`, limit: SOUGHT_TOKENS_MAX + 1 };
  const tokens = someTokens.all(sql, range).map(({ term }) => quoted(term));
  if (tokens.length > SOUGHT_TOKENS_MAX) return undefined;
  return { match: tokens.length === 0 ? NOTHING : `(${tokens.join(' OR ')})`, isExact: true };
}

/** The text, of three characters at least, as one phrase. */
function phraseOf(text: string): Sought {
  const characters = Array.from(text);
  const match = quoted(characters.slice(0, SOUGHT_CHARS_MAX).join(''));
  return { match, isExact: characters.length <= SOUGHT_CHARS_MAX };
}

/** Inside quotes FTS5 knows one special character. */
function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

function within(column: string, sought: Sought): Sought;
function within(column: string, sought: Sought | undefined): Sought | undefined;
function within(column: string, sought: Sought | undefined): Sought | undefined {
  return sought && { ...sought, match: `${column} : ${sought.match}` };
}
