/**
 * Files of full-text indexes, and what is asked of them, one after the other.
 *
 * Diagnostics: a Fault changes nothing, and the file is opened again by whoever asks next.
 */

import { unreachable } from '#domain/values/decision';
import type { MessageTexts } from '#domain/values/facts';
import { Fault } from '#domain/values/fault';
import {
  addTexts,
  checkTexts,
  findTexts,
  indexedSources,
  keepTexts,
  TEXT_MODELS,
  textsReached,
  writeTextsReached,
} from '#projections/texts';
import {
  beginViewsFile,
  finishViewsFile,
  openViewsFile,
  type ViewsDatabase,
} from './read-models.ts';
import { readStoredMessage } from './stored-message.ts';
import type { TextAnswers, TextRequest, TextThreadRole } from './text-thread.ts';

/** Indexes that are kept open; the one used longest ago is closed first. */
const OPEN_FILES_MAX = 16;

/** What reads messages; undefined for one that is too much for an index. */
export type ReadTexts = (message: Buffer) => MessageTexts | undefined;

export interface TextFilesOptions {
  readonly role: TextThreadRole;
  readonly reader: () => Promise<ReadTexts>;
  /** What is under way is to be given up. */
  readonly isStopped: () => boolean;
}

type Add = Extract<TextRequest, { readonly type: 'add' }>;
type Keep = Extract<TextRequest, { readonly type: 'keep' }>;
type Answer = TextAnswers[TextRequest['type']];

export class TextFiles {
  readonly #options: TextFilesOptions;
  /** In the order of last use: maps keep the order of insertion. */
  readonly #opened = new Map<string, ViewsDatabase>();

  constructor(options: TextFilesOptions) {
    this.#options = options;
  }

  async answer(file: string, request: TextRequest): Promise<Answer> {
    try {
      return await this.#answer(file, request);
    } catch (error) {
      this.#close(file);
      throw error;
    }
  }

  close(): void {
    for (const file of this.#opened.keys()) this.#close(file);
  }

  async #answer(file: string, request: TextRequest): Promise<Answer> {
    switch (request.type) {
      case 'begin':
        this.#close(file);
        return finishViewsFile(file, beginViewsFile(file, TEXT_MODELS));
      case 'close':
        return this.#close(file);
      case 'reached': {
        const db = this.#openIfGood(file);
        return db && textsReached(db);
      }
      case 'find': {
        const db = this.#openIfGood(file);
        return db && atOneTime(db, () => findTexts(db, request.condition));
      }
      case 'add':
        return this.#add(this.#open(file), request);
      case 'keep':
        return keep(this.#open(file), request);
      case 'sources':
        return indexedSources(this.#open(file), request.after, request.limit);
      case 'check':
        return checkTexts(this.#open(file));
      default:
        return unreachable(request);
    }
  }

  async #add(db: ViewsDatabase, { sources, reached }: Add): Promise<void> {
    const readTexts = await this.#options.reader();
    db.transaction(() => {
      for (const source of sources) {
        if (this.#options.isStopped()) throw new Fault('Closing', 'The index is closing.');
        // Without its body the message has to be looked into, should that come back.
        const message = readStoredMessage(source.bodyFile, source.prefix);
        addTexts(db, source, message && readTexts(message));
      }
      writeTextsReached(db, reached);
    });
  }

  #open(file: string): ViewsDatabase {
    const db = this.#openIfGood(file);
    if (db === undefined) throw new Fault('ViewsUnavailable', `${file} cannot be used.`);
    return db;
  }

  #openIfGood(file: string): ViewsDatabase | undefined {
    const known = this.#opened.get(file);
    if (known !== undefined) {
      this.#opened.delete(file);
      this.#opened.set(file, known);
      return known;
    }
    // The maker looks at every page of it; searches do not wait for that.
    const checking = this.#options.role === 'maker' ? {} : { checkedBytesMax: 0 };
    const found = openViewsFile(file, TEXT_MODELS, checking);
    if (found.type !== 'ready') return undefined;
    this.#opened.set(file, found.db);
    for (const oldest of this.#opened.keys()) {
      if (this.#opened.size <= OPEN_FILES_MAX) break;
      this.#close(oldest);
    }
    return found.db;
  }

  #close(file: string): void {
    this.#opened.get(file)?.close();
    this.#opened.delete(file);
  }
}

function keep(db: ViewsDatabase, { after, upTo, live }: Keep): number {
  let gone = 0;
  db.transaction(() => {
    gone = keepTexts(db, after, upTo, live);
  });
  return gone;
}

/** Sees nothing of what is written meanwhile. */
function atOneTime<T>(db: ViewsDatabase, read: () => T): T {
  db.statement('BEGIN').run([]);
  try {
    return read();
  } finally {
    db.rollback();
  }
}
