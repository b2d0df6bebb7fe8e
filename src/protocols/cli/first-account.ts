/**
 * The account that localserve makes: it has the domain `localhost` to itself, mail to any address
 * there is its own, mail from there is signed.
 *
 * Everything may be run again: a start that was cut short is finished by the next one.
 */

import type { AccountCommand } from '#domain/account';
import type { DkimKey } from '#domain/directory/dkim-keys';
import type { DirectoryAnswers, DirectoryCommand } from '#domain/directory/decide';
import type { Cause } from '#domain/log/event';
import { isRefusal, type Refusal, type RefusalCode } from '#domain/values/decision';
import type { AccountId, SecretRef } from '#domain/values/ids';

export const LOCAL_LOGIN = 'daybook@localhost';
export const LOCAL_PASSWORD = 'daybookdaybook';

const CAUSE: Cause = { actor: 'system:localserve' };
const SELECTOR = 'localserve';
/** Whoever tries things out wants to see what became of them. */
const KEEP_RETIRED_MS: number = 72 * 3_600_000;
const [LOCALPART, DOMAIN] = LOCAL_LOGIN.split('@') as [string, string];

export interface FirstAccountPorts {
  directory<C extends DirectoryCommand>(
    command: C,
    cause: Cause,
  ): Promise<{ readonly answer: DirectoryAnswers[C['type']] } | Refusal>;
  account(accountId: AccountId, command: AccountCommand, cause: Cause): Promise<object | Refusal>;
  addDkimKey(
    domain: string,
    wanted: Pick<DkimKey, 'name' | 'algorithm'>,
    cause: Cause,
  ): Promise<object | Refusal>;
  /** The account of that name, undefined before it exists. */
  accountNamed(name: string): AccountId | undefined;
  storePassword(password: string): Promise<SecretRef>;
}

export async function makeFirstAccount(ports: FirstAccountPorts): Promise<void> {
  const ask = async (command: DirectoryCommand, unless: RefusalCode): Promise<void> => {
    const done = await ports.directory(command, CAUSE);
    if (isRefusal(done) && done.refused !== unless) throw refusalError(done);
  };
  await ask(
    { type: 'AddDomain', domain: DOMAIN, catchallSeparator: '+', caseSensitive: false },
    'DomainExists',
  );
  await ask({ type: 'AddAccount', name: LOCALPART }, 'AccountExists');
  const accountId = ports.accountNamed(LOCALPART);
  if (accountId === undefined) throw new Error(`account ${LOCALPART} was made and is not there`);
  await ask(
    { type: 'AddAddress', localpart: LOCALPART, domain: DOMAIN, accountId },
    'AddressTaken',
  );
  await ask({ type: 'AddAddress', localpart: '', domain: DOMAIN, accountId }, 'AddressTaken');
  const done = await ports.directory(
    {
      type: 'ChangeAccountSettings',
      accountId,
      changes: { keepRetiredMs: KEEP_RETIRED_MS, keepRetiredHooksMs: KEEP_RETIRED_MS },
    },
    CAUSE,
  );
  if (isRefusal(done)) throw refusalError(done);
  const key = await ports.addDkimKey(DOMAIN, { name: SELECTOR, algorithm: 'ed25519' }, CAUSE);
  if (isRefusal(key) && key.refused !== 'DkimKeyExists') throw refusalError(key);
  const secret = await ports.storePassword(LOCAL_PASSWORD);
  const commands: readonly AccountCommand[] = [
    { type: 'OpenAccount' },
    { type: 'SetPassword', secret },
  ];
  for (const command of commands) {
    const done = await ports.account(accountId, command, CAUSE);
    if (isRefusal(done)) throw refusalError(done);
  }
}

function refusalError({ refused }: Refusal): Error {
  return new Error(`the local account could not be made: ${refused}`);
}
