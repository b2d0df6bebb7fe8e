/**
 * What a log needs to be told after an older copy of it was put back: clients have seen more than
 * it holds, and mail may have been sent since. Nothing leaves until somebody has looked, and every
 * mailbox begins anew.
 */

import path from 'node:path';
import { policyOf } from '#domain/directory/state';
import { isRefusal } from '#domain/values/decision';
import type { MessageFacts } from '#domain/values/facts';
import type { Log } from '#protocols/ports';
import { openBodies } from './bodies.ts';
import { systemClock, systemRandom } from './clock.ts';
import { DirectoryLane } from './directory-lane.ts';
import { accountFile, LOG_FILE, VIEWS_FILE } from './engine.ts';
import { openSqliteEventLog } from './event-log-sqlite.ts';
import { Lanes } from './lanes.ts';

const CAUSE = { actor: 'system:restore' } as const;

export interface SettlePorts {
  readonly readFacts: (body: Buffer) => MessageFacts;
  readonly notes: Log;
}

/** Needs no secrets. Makes the views of accounts on the way. */
export async function settleRestored(
  dataDir: string,
  { readFacts, notes }: SettlePorts,
): Promise<void> {
  const fatal = (error: unknown): never => {
    throw error;
  };
  const log = await openSqliteEventLog({ file: path.join(dataDir, LOG_FILE), onFatal: fatal });
  const ports = { log, clock: systemClock, random: systemRandom, fatal };
  const bodies = openBodies({ dir: dataDir, readFacts, fatal });
  const directory = await DirectoryLane.open(ports);
  const lanes = new Lanes({
    ...ports,
    notes,
    factsOf: (accountId) => (hash) => bodies.facts(accountId, hash),
    fileOf: (accountId) => accountFile(dataDir, accountId, VIEWS_FILE),
    policyOf: (accountId) => policyOf(directory.state, accountId),
    announce: () => undefined,
  });
  try {
    await directory.execute({ type: 'PauseDelivery', reason: 'restored' }, CAUSE);
    for (const { accountId, name } of directory.state.accounts.values()) {
      const outcome = await lanes.execute(accountId, { type: 'RenumberMailboxes' }, CAUSE);
      if (isRefusal(outcome)) throw new Error(`account ${name}: ${outcome.refused}`);
    }
  } finally {
    await lanes.close();
    await directory.close();
    await log.close();
  }
}
