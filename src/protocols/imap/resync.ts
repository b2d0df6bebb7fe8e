/**
 * What a client that knows a mailbox from earlier has missed: the answer to SELECT (QRESYNC …).
 *
 * The cost follows what happened since, not the size of the mailbox.
 *
 * RFC 7162 §3.2.5 (SELECT QRESYNC), §3.2.5.1 (known UIDs), §3.2.5.2 (match data)
 */

import type { MessageMark } from '#domain/message/state';
import type { ModSeq, Uid } from '#domain/values/ids';
import { intersectionOf, uidRange, type UidSet } from '#domain/values/uid-set';
import type { UidRuns } from '#domain/values/uid-runs';
import type { AccountViews, MailboxSummary } from '#projections/account-views';
import type { Session } from './session.ts';
import type { QresyncWords } from './words.ts';
import { linesOf, vanishedLines } from './writer.ts';

/** What is to be reported. */
interface Scope {
  readonly since: ModSeq;
  /** Changes are told of these. */
  readonly known: UidSet;
  /** Nothing up to here has vanished since. */
  readonly intactTo: Uid;
  /** The client claims to know what it cannot know. */
  readonly inconsistent: boolean;
}

/** What a client has missed, all of it at the same moment. */
export interface Missed {
  /** Lines that come before those of the changed messages. */
  readonly text: string;
  readonly changed: readonly MessageMark[];
}

const NOTHING: Missed = { text: '', changed: [] };

export function missedSince(
  words: QresyncWords,
  mailbox: MailboxSummary,
  told: UidRuns,
  session: Session,
): Missed {
  // RFC 7162 §3.2.5: under another UIDVALIDITY the client knows nothing.
  if (words.uidValidity !== mailbox.uidValidity) return NOTHING;
  if (words.modSeq > mailbox.highestModSeq) {
    const { mailboxId, highestModSeq } = mailbox;
    session.log.warn({ mailboxId, highestModSeq, modSeq: words.modSeq }, 'client is ahead of us');
    return NOTHING;
  }
  const views = session.account.views;
  const scope = scopeOf(words, mailbox, told, views);
  const unsure = intersectionOf(scope.known, uidRange(scope.intactTo + 1, mailbox.uidNext - 1));
  const vanished = views.vanishedSince(mailbox.mailboxId, scope.since, unsure);
  const alert = scope.inconsistent
    ? '* OK [ALERT] the client is out of step and gets more than asked\r\n'
    : '';
  return {
    // RFC 7162 §3.2.5.1: a FETCH behind VANISHED never speaks of a message that is gone.
    text: alert + linesOf(vanishedLines(vanished, true)),
    changed: views.changedSince(mailbox.mailboxId, scope.since, scope.known),
  };
}

function scopeOf(
  words: QresyncWords,
  mailbox: MailboxSummary,
  told: UidRuns,
  views: AccountViews,
): Scope {
  const all = uidRange(1, mailbox.uidNext - 1);
  const known = words.knownUids === undefined ? all : intersectionOf(words.knownUids, all);
  let intactTo = 0;
  for (const [i, seq] of words.match?.seqs.entries() ?? []) {
    const uid = words.match?.uids[i] as Uid;
    if (told.uidAt(seq) === uid) {
      // RFC 7162 §3.2.5.2: as many messages up to here as then, so none of them is gone.
      intactTo = uid;
      continue;
    }
    const goneAt = views.vanishedAt(mailbox.mailboxId, uid);
    if (goneAt === undefined || goneAt > words.modSeq) break;
    return { since: goneAt - 1, known: all, intactTo: 0, inconsistent: true };
  }
  return { since: words.modSeq, known, intactTo, inconsistent: false };
}
