/**
 * GETMETADATA and SETMETADATA: annotations of mailboxes and of the account.
 *
 * One account has one user: what is private and what is shared is kept alike.
 *
 * RFC 5464 §4; RFC 6154 §4 (/private/specialuse)
 */

import { isRefusal } from '#domain/values/decision';
import { valueBytes, type Annotation } from '#domain/mailbox/annotations';
import { annotationsTold, metadataLine } from '../annotation-values.ts';
import {
  getMetadata as getMetadataWords,
  setMetadata as setMetadataWords,
  type GetMetadataWords,
} from '../grammar-metadata.ts';
import { no, ok, refused } from '../session.ts';
import { imapCommand, LOGGED_IN, type WholeCommand } from './command.ts';

export const getMetadata: WholeCommand = imapCommand({
  states: LOGGED_IN,
  parse: getMetadataWords,
  run(words, session) {
    const mailbox = words.mailbox === '' ? undefined : session.mailboxNamed(words.mailbox);
    if (words.mailbox !== '' && mailbox === undefined) {
      return no('the mailbox does not exist', 'NONEXISTENT');
    }
    // RFC 5464 §3.2.1: entries are private or shared, there is nothing else.
    if (words.entries.some((entry) => !/^\/(private|shared)(\/|$)/.test(entry))) {
      return no('entries begin with /private or /shared');
    }
    const { found, longest } = asked(words, annotationsTold(mailbox, session.account.views));
    if (found.size > 0) session.out.put(metadataLine(mailbox?.name ?? '', found, session.utf8));
    return ok('GETMETADATA done', longest > 0 ? { code: `METADATA LONGENTRIES ${longest}` } : {});
  },
});

interface Asked {
  readonly found: ReadonlyMap<string, Annotation | undefined>;
  /** Octets of the longest value that was left out. */
  readonly longest: number;
}

function asked(words: GetMetadataWords, annotations: readonly Annotation[]): Asked {
  const found = new Map<string, Annotation | undefined>();
  let longest = 0;
  const take = (annotation: Annotation): void => {
    const bytes = valueBytes(annotation.value, annotation.encoding);
    if (bytes <= words.maxSize) found.set(annotation.name, annotation);
    else longest = Math.max(longest, bytes);
  };
  for (const entry of words.entries) {
    const itself = annotations.find(({ name }) => name === entry);
    if (itself !== undefined) take(itself);
    else if (words.depth === 0) found.set(entry, undefined);
    for (const annotation of annotations) {
      if (isWithin(annotation.name, entry, words.depth)) take(annotation);
    }
  }
  return { found, longest };
}

/** RFC 5464 §4.2.2: below the entry, but not more than `depth` levels. */
function isWithin(name: string, entry: string, depth: number): boolean {
  if (!name.startsWith(`${entry}/`)) return false;
  return name.slice(entry.length + 1).split('/').length <= depth;
}

export const setMetadata: WholeCommand = imapCommand({
  states: LOGGED_IN,
  parse: setMetadataWords,
  async run({ mailbox, entries }, session) {
    const outcome = await session.execute({
      type: 'SetAnnotations',
      entries,
      ...(mailbox !== '' && { mailbox }),
    });
    return isRefusal(outcome) ? refused(outcome) : ok('SETMETADATA done');
  },
});
