/**
 * What is to be done after an older copy of the log was put in the place of a longer one: clients
 * have seen UIDs and modseqs that will be given out again, with other content.
 *
 * What was made from the log that is gone is thrown away, and every mailbox gets a new UIDVALIDITY.
 */

import { accountNamed, type DirectoryAccount, type DirectoryState } from '#domain/directory/state';
import { isRefusal } from '#domain/values/decision';
import type { Engine } from './engine.ts';

export interface RenumberedAccount {
  readonly account: string;
  readonly mailboxes: number;
}

/** The account of that name, or all of them; no server may run on the data. */
export async function* renumberMailboxes(
  { directory, lanes, texts, books }: Engine,
  name: string | undefined,
): AsyncGenerator<RenumberedAccount> {
  for (const { accountId, name: account } of accountsFor(directory.state, name)) {
    await lanes.rebuild(accountId);
    const command = { type: 'RenumberMailboxes' } as const;
    const outcome = await lanes.execute(accountId, command, { actor: 'system:restore' });
    if (isRefusal(outcome)) throw new Error(`account ${account}: ${outcome.refused}`);
    await texts?.rebuild(accountId);
    yield { account, mailboxes: outcome.answer.mailboxes };
  }
  await books.rebuild();
}

function accountsFor(
  state: Pick<DirectoryState, 'accounts'>,
  name: string | undefined,
): readonly DirectoryAccount[] {
  if (name === undefined) return [...state.accounts.values()];
  const account = accountNamed(state, name);
  if (account === undefined) throw new Error(`There is no account called ${name}.`);
  return [account];
}
