/**
 * Puts together who administers accounts, addresses and domains of the running server.
 */

import { AccountRemoval } from '#infra/account-removal';
import { AccountsAdmin } from '#infra/accounts-admin';
import { addressesAdmin } from '#infra/addresses-admin';
import { systemClock } from '#infra/clock';
import { domainsAdmin } from '#infra/domains-admin';
import { accountDirectory, type Engine } from '#infra/engine';
import type { OpenLogins } from '#infra/logins';
import type { ControlCommands } from '#protocols/cli/control';
import { directoryCommands } from '#protocols/cli/directory-control';
import type { Log } from '#protocols/ports';
import type { NoticeWriter } from '#protocols/smtp/notices';

export interface DirectoryDeskParts {
  readonly engine: Engine;
  readonly dataDir: string;
  readonly logins: OpenLogins;
  readonly notices: NoticeWriter;
  readonly log: Log;
}

export interface DirectoryDesk {
  readonly commands: ControlCommands;
  stop(): Promise<void>;
}

/** Resolves when what an earlier run began is finished, or on its way. */
export async function startDirectoryDesk(parts: DirectoryDeskParts): Promise<DirectoryDesk> {
  const { engine, dataDir, logins, notices, log } = parts;
  const { dkimKeys, directory } = engine;
  const removal = new AccountRemoval({
    ...engine,
    directoryOf: (accountId) => accountDirectory(dataDir, accountId),
    noticeOf: (accountId, item) => notices.ofCancel(accountId, item),
    clock: systemClock,
    log: log.child({ pkg: 'accounts' }),
  });
  const accounts = new AccountsAdmin({ ...engine, logins, removal });
  await accounts.openNew();
  removal.resume();
  const commands = directoryCommands({
    accounts,
    addresses: addressesAdmin(engine),
    domains: domainsAdmin({ directory, dkimKeys, accounts, clock: systemClock }),
  });
  return { commands, stop: () => removal.stop() };
}
