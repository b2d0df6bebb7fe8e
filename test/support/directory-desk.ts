/**
 * `daybook config …` and `setaccountpassword` talking through a pipe to who administers accounts,
 * addresses and domains; behind it the accounts alice and bob in example.org.
 */

import { duplexPair } from 'node:stream';
import { NO_OPENERS, NO_TERMINAL } from './openers.ts';
import { newRemains, openRemovalDesk, withTwoAccounts, type RemovalDesk } from './removal-desk.ts';
import { silentLog } from './silent-log.ts';
import { temporaryDirectory } from './temporary.ts';
import type { SecretRef } from '#domain/values/ids';
import { AccountsAdmin } from '#infra/accounts-admin';
import { addressesAdmin } from '#infra/addresses-admin';
import { DkimKeyring } from '#infra/dkim-keys';
import { domainsAdmin } from '#infra/domains-admin';
import { serveControl } from '#protocols/cli/control';
import { directoryCommands } from '#protocols/cli/directory-control';
import { dkimCommands } from '#protocols/cli/dkim-control';
import { runProgram } from '#protocols/cli/program';

export interface Ran {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

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
  const desk: DirectoryDesk = {
    server,
    accounts,
    secrets,
    password: '',
    async run(...args) {
      const out: string[] = [];
      const err: string[] = [];
      const openers = {
        ...NO_OPENERS,
        async openControl() {
          const [client, end] = duplexPair();
          void serveControl(end, commands, { clock: ports.clock, log: silentLog });
          return client;
        },
      };
      const terminal = {
        ...NO_TERMINAL,
        out: (line: string | Uint8Array) => void out.push(String(line)),
        err: (line: string) => void err.push(line),
        password: async () => desk.password,
      };
      return { code: await runProgram(args, terminal, openers), out, err };
    },
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
