/**
 * `daybook config …` and `setaccountpassword` talking through a pipe to who administers accounts,
 * addresses and domains; behind it the accounts alice and bob in example.org.
 */

import { controlOf, runLine, type Ran } from './command-line.ts';
import { newRemains, openRemovalDesk, withTwoAccounts, type RemovalDesk } from './removal-desk.ts';
import { temporaryDirectory } from './temporary.ts';
import type { SecretRef } from '#domain/values/ids';
import { AccountsAdmin } from '#infra/accounts-admin';
import { addressesAdmin } from '#infra/addresses-admin';
import { DkimKeyring } from '#infra/dkim-keys';
import { domainsAdmin } from '#infra/domains-admin';
import { directoryCommands } from '#protocols/cli/directory-control';
import { dkimCommands } from '#protocols/cli/dkim-control';

export interface DirectoryDesk extends AsyncDisposable {
  readonly server: RemovalDesk;
  readonly accounts: AccountsAdmin;
  /** What the secret store holds. */
  readonly secrets: ReadonlySet<SecretRef>;
  /** What is typed when a password is asked for. */
  password: string;
  run(...args: readonly string[]): Promise<Ran>;
  /** The sentence of a command that must fail. */
  errorOf(...args: readonly string[]): Promise<string>;
}

export async function openDirectoryDesk(): Promise<DirectoryDesk> {
  const onDisk = await temporaryDirectory();
  const remains = newRemains(onDisk.path);
  const server = await openRemovalDesk(remains);
  await withTwoAccounts(remains, server);
  const { secrets, ports } = remains;
  const { directory, lanes, books, removal } = server;
  const store = {
    put: async () => {
      const ref = ports.random.uuid();
      secrets.add(ref);
      return ref;
    },
    get: async () => undefined,
    list: async () => [...secrets],
    remove: async (ref: SecretRef) => void secrets.delete(ref),
  };
  const accounts = new AccountsAdmin({
    directory,
    lanes,
    books,
    removal,
    eventLog: ports.log,
    secrets: store,
    logins: {
      storePassword: async (password) =>
        password.length < 8
          ? { type: 'unfit', reason: 'A password has at least 8 characters.' }
          : { type: 'stored', secret: await store.put() },
    },
  });
  const dkimKeys = new DkimKeyring(directory, store);
  const commands = new Map([
    ...dkimCommands(dkimKeys),
    ...directoryCommands({
      accounts,
      addresses: addressesAdmin({ directory, books }),
      domains: domainsAdmin({ directory, dkimKeys, accounts, clock: ports.clock }),
    }),
  ]);
  const openControl = controlOf(commands, ports.clock);
  const desk: DirectoryDesk = {
    server,
    accounts,
    secrets,
    password: '',
    run: async (...args) => runLine(args, { openControl, password: async () => desk.password }),
    async errorOf(...args) {
      const { code, out, err } = await desk.run(...args);
      if (code !== 1 || out.length > 0) throw new Error(`${args.join(' ')} gave ${code}`);
      return err.join('\n').replace(/^daybook: /, '');
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      await onDisk[Symbol.asyncDispose]();
    },
  };
  return desk;
}
