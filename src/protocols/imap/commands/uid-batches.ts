/**
 * UIDBATCHES: where to cut the mailbox into parts of about the same number of messages.
 *
 * RFC 10022 §3.1: the parts lie side by side, the newest first, and reach down to UID 1.
 */

import type { UidRuns } from '#domain/values/uid-runs';
import { IMAP_BATCH_MESSAGES_MIN, IMAP_BATCHED_MESSAGES_MAX } from '../../limits.ts';
import type { Parser } from '../parser.ts';
import { bad, no, ok, type Reply, type Session } from '../session.ts';
import { quotedOrLiteral } from '../writer.ts';
import { imapCommand, SELECTED, type WholeCommand } from './command.ts';

interface BatchWords {
  readonly size: number;
  /** Which batches, counted from 1. */
  readonly first: number;
  readonly last: number;
}

export const uidBatches: WholeCommand = imapCommand({ states: SELECTED, parse: batchWords, run });

function batchWords(p: Parser): BatchWords {
  p.space();
  const size = p.nzNumber();
  let first = 1;
  let last = Infinity;
  if (p.trySpace()) {
    first = p.nzNumber();
    p.expect(':');
    last = p.nzNumber();
  }
  p.end();
  return { size, first, last };
}

function run({ size, first, last }: BatchWords, session: Session): Reply {
  if (first > last) return { ...bad('the range of batches is upside down'), code: 'CLIENTBUG' };
  if (size < IMAP_BATCH_MESSAGES_MIN) {
    return no(`a batch has ${IMAP_BATCH_MESSAGES_MIN} messages at least`, 'TOOFEW');
  }
  session.out.put(session.takeNews('mailbox'));
  const { told } = session.mailbox;
  const until = Math.min(last, Math.ceil(told.count / size));
  if ((until - first + 1) * size > IMAP_BATCHED_MESSAGES_MAX + size) {
    return no('these are too many messages, please ask for fewer batches', 'TOOMANY');
  }
  const ranges: string[] = [];
  for (let batch = first; batch <= until; batch++) ranges.push(batchText(told, size, batch));
  const text = ranges.length === 0 ? '' : ` ${ranges.join(',')}`;
  session.out.line(`* UIDBATCHES (TAG ${quotedOrLiteral(session.tag)})${text}`);
  return ok('UIDBATCHES done');
}

/** Each batch goes down to where the next one begins, so that no UID is between them. */
function batchText(told: UidRuns, size: number, batch: number): string {
  const highest = told.uidAt(told.count - (batch - 1) * size) ?? 1;
  const next = told.uidAt(told.count - batch * size) ?? 0;
  return `${highest}:${next + 1}`;
}
