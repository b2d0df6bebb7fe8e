/**
 * Annotations of mailboxes and of the account: what decisions ask about them, the rules, and the
 * reference model.
 *
 * Invariants: names are canonical, lower-case under `/private/` or `/shared/`; an account has at
 * most ANNOTATIONS_MAX of them, of ANNOTATION_BYTES_MAX octets in all, names and values together.
 * RFC 5464 §3.2
 */

import { eventLists } from '../log/event-size.ts';
import type { AccountEvent } from '../log/streams.ts';
import { decided, refuse, type Decision, type Refusal } from '../values/decision.ts';
import type { MailboxId } from '../values/ids.ts';
import { canonicalMailboxName } from '../values/mailbox-name.ts';
import { utf8Length } from '../values/text.ts';
import type { AnnotationEntry, AnnotationsSet } from './events.ts';
import type { MailboxState } from './state.ts';

const ANNOTATIONS_MAX = 1000;
export const ANNOTATION_BYTES_MAX = 1_000_000;

/** RFC 6154 §4: the special use of a mailbox as an annotation. */
export const SPECIAL_USE_ANNOTATION = '/private/specialuse';

/** An annotation that there is. */
export interface Annotation extends AnnotationEntry {
  readonly value: string;
}

export interface AnnotationTotals {
  readonly count: number;
  readonly bytes: number;
}

export interface AnnotationState {
  /** Those of a mailbox, or of the account itself, by name. */
  annotationsOf(mailboxId: MailboxId | undefined): readonly Annotation[];
  /** Of the whole account. */
  annotationTotals(): AnnotationTotals;
}

/** All or nothing; the last one counts of entries with the same name. */
export interface SetAnnotations {
  readonly type: 'SetAnnotations';
  /** Absent: the annotations of the account itself. */
  readonly mailbox?: string;
  /** Names in lower case. */
  readonly entries: readonly AnnotationEntry[];
}

/** Octets that count against the limit. */
export function annotationBytes({ name, value, encoding }: Annotation): number {
  return name.length + valueBytes(value, encoding);
}

/** Octets of the value as a client gave it. */
export function valueBytes(value: string, encoding: AnnotationEntry['encoding']): number {
  if (encoding === undefined) return utf8Length(value);
  const padding = value.endsWith('==') ? 2 : value.endsWith('=') ? 1 : 0;
  return (value.length / 4) * 3 - padding;
}

export function setAnnotations(
  { mailbox: name, entries }: SetAnnotations,
  state: MailboxState & AnnotationState,
): Decision<AnnotationsSet, object> {
  const forbidden = entries.find((entry) => !isAnnotationName(entry.name));
  if (forbidden !== undefined) return refuse('AnnotationNameForbidden', forbidden.name);
  let mailboxId: MailboxId | undefined;
  if (name !== undefined) {
    const canonical = canonicalMailboxName(name);
    mailboxId = canonical === undefined ? undefined : state.mailboxNamed(canonical)?.mailboxId;
    if (mailboxId === undefined) return refuse('NoSuchMailbox', name);
    // RFC 6154 §4: it shows what the mailbox was made for, and that stays.
    if (entries.some((entry) => entry.name === SPECIAL_USE_ANNOTATION)) {
      return refuse('SpecialUseUnknown', SPECIAL_USE_ANNOTATION);
    }
  }
  const before = new Map(state.annotationsOf(mailboxId).map((each) => [each.name, each]));
  const wanted = [...new Map(entries.map((entry) => [entry.name, entry])).values()];
  const changed = wanted.filter((entry) => differs(before.get(entry.name), entry));
  const events = recorded(mailboxId, before, changed, state);
  return 'refused' in events ? events : decided(events, {});
}

/** The annotations of a mailbox, given to another one that has none. */
export function copiedAnnotations(
  source: MailboxId,
  target: MailboxId,
  state: AnnotationState,
): readonly AnnotationsSet[] | Refusal {
  return recorded(target, new Map(), state.annotationsOf(source), state);
}

function recorded(
  mailboxId: MailboxId | undefined,
  before: ReadonlyMap<string, Annotation>,
  changed: readonly AnnotationEntry[],
  state: AnnotationState,
): readonly AnnotationsSet[] | Refusal {
  let more = 0;
  let moreBytes = 0;
  for (const entry of changed) {
    const old = before.get(entry.name);
    if (old !== undefined) {
      more--;
      moreBytes -= annotationBytes(old);
    }
    if (!isAnnotation(entry)) continue;
    more++;
    moreBytes += annotationBytes(entry);
  }
  const { count, bytes } = state.annotationTotals();
  // What makes it less is allowed also when there are too many.
  if (more > 0 && count + more > ANNOTATIONS_MAX) return refuse('TooManyAnnotations');
  if (moreBytes > 0 && bytes + moreBytes > ANNOTATION_BYTES_MAX) {
    return refuse('AnnotationsTooLarge');
  }
  const lists = eventLists(changed);
  if (lists === undefined) return refuse('TooMuchAtOnce');
  const which = mailboxId === undefined ? {} : { mailboxId };
  return lists.map((entries) => ({ type: 'AnnotationsSet', ...which, entries }));
}

function differs(before: Annotation | undefined, { value, encoding }: AnnotationEntry): boolean {
  if (before === undefined) return value !== null;
  return before.value !== value || before.encoding !== encoding;
}

function isAnnotation(entry: AnnotationEntry): entry is Annotation {
  return entry.value !== null;
}

/** RFC 5464 §3.2.1: who the entry is for comes first; vendors have a place of their own. */
function isAnnotationName(name: string): boolean {
  const [, scope, ...path] = name.split('/');
  if ((scope !== 'private' && scope !== 'shared') || path.length === 0) return false;
  return path[0] !== 'vendor' || path.length >= 3;
}

/** The reference model: by mailbox, under OF_ACCOUNT those of the account itself, and by name. */
export type AnnotationRecords = Map<MailboxId, Map<string, Annotation>>;

/** No mailbox has this number. */
export const OF_ACCOUNT: MailboxId = 0;

export function evolveAnnotations(records: AnnotationRecords, event: AccountEvent): void {
  switch (event.type) {
    case 'AnnotationsSet': {
      const key = event.mailboxId ?? OF_ACCOUNT;
      const annotations = records.get(key) ?? new Map<string, Annotation>();
      records.set(key, annotations);
      for (const entry of event.entries) {
        if (isAnnotation(entry)) annotations.set(entry.name, entry);
        else annotations.delete(entry.name);
      }
      return;
    }
    case 'MailboxDeleted':
      records.delete(event.mailboxId);
      return;
    default:
      return;
  }
}

export function annotationRecordsOf(
  records: AnnotationRecords,
  mailboxId: MailboxId | undefined,
): readonly Annotation[] {
  const annotations = records.get(mailboxId ?? OF_ACCOUNT)?.values() ?? [];
  return [...annotations].sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function annotationRecordTotals(records: AnnotationRecords): AnnotationTotals {
  const all = [...records.values()].flatMap((annotations) => [...annotations.values()]);
  return { count: all.length, bytes: all.reduce((sum, each) => sum + annotationBytes(each), 0) };
}
