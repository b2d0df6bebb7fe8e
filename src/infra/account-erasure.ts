/**
 * Takes what an account had off the disk: views, texts, bodies, secrets, and its stream at last.
 *
 * Invariants: everything may be done again, so that an erasure that was cut short is finished by
 * the next one; the stream goes last, for it tells which secrets there are.
 */

import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { EventLog } from '#domain/log/event-log';
import { accountFactsOf } from '#domain/log/fact';
import { secretsOf } from '#domain/log/secret-refs';
import { accountStream } from '#domain/log/streams';
import type { AccountId } from '#domain/values/ids';
import type { BodyStore } from './bodies.ts';
import { diskFault, syncDirectory } from './files.ts';
import type { Lanes } from './lanes.ts';
import type { Secrets } from './secrets.ts';
import type { ServerBooks } from './server-books.ts';
import type { TextIndex } from './text-index.ts';

/** Events that are looked through for secrets in one go. */
const PAGE_EVENTS = 500;

export interface ErasurePorts {
  readonly lanes: Pick<Lanes, 'forget'>;
  readonly texts: Pick<TextIndex, 'forget'> | undefined;
  readonly books: Pick<ServerBooks, 'forget'>;
  readonly secrets: Pick<Secrets, 'remove'>;
  readonly bodies: Pick<BodyStore, 'settle'>;
  readonly eventLog: EventLog;
  /** Where the files of an account are. */
  readonly directoryOf: (accountId: AccountId) => string;
}

export async function eraseAccountData(accountId: AccountId, ports: ErasurePorts): Promise<void> {
  const { lanes, texts, books, bodies, eventLog, directoryOf } = ports;
  await lanes.forget(accountId);
  await texts?.forget(accountId);
  await removeSecrets(accountId, ports);
  // Bodies that came a moment ago stand in the journal too.
  await bodies.settle();
  await removeDirectory(directoryOf(accountId));
  books.forget(accountId);
  await eventLog.drop(accountStream(accountId));
}

async function removeSecrets(
  accountId: AccountId,
  { eventLog, secrets }: ErasurePorts,
): Promise<void> {
  for (let from = 0; ;) {
    const recorded = await eventLog.read(accountStream(accountId), from, PAGE_EVENTS);
    for (const { event, revision } of accountFactsOf(recorded, 0)) {
      for (const secret of secretsOf(event)) await secrets.remove(secret);
      from = revision + 1;
    }
    if (recorded.length === 0) return;
  }
}

async function removeDirectory(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true });
    await syncDirectory(path.dirname(directory));
  } catch (error) {
    throw diskFault(error);
  }
}
