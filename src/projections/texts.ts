/**
 * The full-text index of an account: which contents hold a text, in a database of its own.
 *
 * Every three characters in a row are a token, with their positions, so that a text of three
 * characters or more is found wherever it stands, and found exactly: three characters at one
 * position and the next three at the next share two. Texts come folded, and SQLite leaves them as
 * they are. The texts themselves are not stored.
 *
 * Invariants: contents enter in the order of their ids, which is that of the log, so that one
 * number says which are in; a content that is too much for an index is noted as unread, and every
 * search has to look into it.
 */

import { sql as raw } from 'kysely';
import type { MessageTexts } from '#domain/values/facts';
import type { BodyHash, MessageId, Revision } from '#domain/values/ids';
import { TEXT_BREAK } from '#domain/values/text';
import type { SearchCondition } from './message-search.ts';
import type { ReadModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

interface TextTables {
  /** The FTS5 table; the row of a content has its id. */
  texts: { rowid: MessageId; fields: string; part_fields: string; words: string };
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
    version: 1,
    ddl: [
      `CREATE VIRTUAL TABLE texts USING fts5 (
        fields, part_fields, words,
        content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1'
      )`,
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
  const sought = soughtBy(condition);
  if (reached === undefined || sought === undefined) return undefined;
  const hits = found.all(sql, { match: sought.match }).map(({ rowid }) => rowid);
  const unread = unreadSources.all(sql, {}).map(({ contentId }) => contentId);
  const perhaps = sought.isExact ? unread : [...hits, ...unread].sort((a, b) => a - b);
  return {
    sure: Float64Array.from(sought.isExact ? hits : []),
    perhaps: Float64Array.from(perhaps),
    upTo: reached.contentId,
  };
}

/** Shorter texts have no token. */
const SOUGHT_CHARS_MIN = 3;
/** Of longer texts this much is sought: it finds little else. */
const SOUGHT_CHARS_MAX = 64;

interface Sought {
  readonly match: string;
  /** Everything that matches holds the text. */
  readonly isExact: boolean;
}

function soughtBy(condition: TextCondition): Sought | undefined {
  switch (condition.type) {
    case 'any-text':
      return phraseOf(condition.text);
    case 'body-text':
      return inColumn('words', phraseOf(condition.text));
    case 'header': {
      const field = inColumn('fields', phraseOf(`${TEXT_BREAK}${condition.field}: `));
      const text = inColumn('fields', phraseOf(condition.text));
      if (field === undefined || text === undefined) {
        return field && { ...field, isExact: field.isExact && condition.text === '' };
      }
      return { match: `${field.match} AND ${text.match}`, isExact: false };
    }
  }
}

/** The text as one phrase; inside quotes FTS5 knows one special character. */
function phraseOf(text: string): Sought | undefined {
  const characters = Array.from(text);
  if (characters.length < SOUGHT_CHARS_MIN) return undefined;
  const sought = characters.slice(0, SOUGHT_CHARS_MAX).join('').replaceAll('"', '""');
  return { match: `"${sought}"`, isExact: characters.length <= SOUGHT_CHARS_MAX };
}

function inColumn(column: string, sought: Sought | undefined): Sought | undefined {
  return sought && { ...sought, match: `${column} : ${sought.match}` };
}
