/**
 * What the running server does about accounts, addresses and domains when the command line asks it
 * to: which there are, and what there is to be.
 */

import { domainToASCII, domainToUnicode } from 'node:url';
import { displayAddress, parseAddress, parseDomain, type Address } from '#domain/values/address';
import type {
  AddressOwner,
  AdministeredAccountList,
  AdministeredAddresses,
  AdministeredDomains,
  ListedAccount,
  RemovedAccount,
} from '../ports-directory.ts';
import { aliasRecord, type AliasRecord } from './alias-control.ts';
import { ControlError, type ControlCommand, type ControlCommands } from './control.ts';
import { CAUSE, granted } from './control-answers.ts';
import { ControlFields } from './control-fields.ts';

/** As they go over the control socket, and into `--json`. */
export interface ListedAccountRecord {
  readonly Account: string;
  /** '' for an account that may log in. */
  readonly LoginDisabled: string;
  /** It is being removed. */
  readonly Closed: boolean;
}

export interface ListedDomainRecord {
  readonly Domain: string;
  readonly Disabled: boolean;
}

export interface RemovedAccountRecord {
  readonly Account: string;
  readonly State: RemovedAccount['state'];
}

export interface AddressRecord {
  readonly Address: string;
  readonly Account: string;
}

/** Of an address, perhaps with a tag. */
export type OwnerRecord = AddressRecord | ({ readonly Address: string } & AliasRecord);

export interface DirectoryParts {
  readonly accounts: AdministeredAccountList;
  readonly addresses: AdministeredAddresses;
  readonly domains: AdministeredDomains;
}

export function directoryCommands({
  accounts,
  addresses,
  domains,
}: DirectoryParts): ControlCommands {
  return new Map<string, ControlCommand>([
    ...accountCommands(accounts),
    ...addressCommands(addresses),
    ...domainCommands(domains),
  ]);
}

function accountCommands(accounts: AdministeredAccountList): ControlCommands {
  return new Map<string, ControlCommand>([
    [
      'accounts.list',
      async (given) => {
        new ControlFields(given).end();
        return accounts.accounts().map(accountRecord);
      },
    ],
    [
      'accounts.add',
      async (given) => {
        const { account, address } = addressFields(given);
        if (address.localpart === '') throw badAddress(`@${address.domain}`);
        granted(await accounts.add(account, address, CAUSE));
        return addressRecord(address, account);
      },
    ],
    [
      'accounts.rm',
      async (given): Promise<RemovedAccountRecord> => {
        const name = accountIn(given);
        const { state } = granted(await accounts.remove(name, CAUSE));
        return { Account: name, State: state };
      },
    ],
    [
      'accounts.disable',
      async (given) => {
        const fields = new ControlFields(given);
        const name = fields.text('account');
        const reason = fields.text('reason');
        fields.end();
        granted(await accounts.forbidLogin(name, reason, CAUSE));
        return {};
      },
    ],
    [
      'accounts.enable',
      async (given) => {
        granted(await accounts.allowLogin(accountIn(given), CAUSE));
        return {};
      },
    ],
    ['accounts.setpassword', async (given) => setPassword(new ControlFields(given), accounts)],
  ]);
}

async function setPassword(
  fields: ControlFields,
  accounts: AdministeredAccountList,
): Promise<object> {
  const name = fields.text('account');
  const password = fields.text('password');
  fields.end();
  const done = granted(await accounts.setPassword(name, password, CAUSE));
  if ('unfit' in done) throw new ControlError('BadPassword', done.unfit);
  return {};
}

function addressCommands(addresses: AdministeredAddresses): ControlCommands {
  return new Map<string, ControlCommand>([
    [
      'address.list',
      async (given) => {
        const account = accountIn(given);
        return granted(addresses.addressesOf(account)).map((one) => addressRecord(one, account));
      },
    ],
    [
      'address.add',
      async (given) => {
        const { account, address } = addressFields(given);
        granted(await addresses.add(address, account, CAUSE));
        return addressRecord(address, account);
      },
    ],
    [
      'address.rm',
      async (given) => {
        const fields = new ControlFields(given);
        const address = addressOf(fields.text('address'));
        fields.end();
        granted(await addresses.remove(address, CAUSE));
        return {};
      },
    ],
    [
      'address.account',
      async (given) => {
        const fields = new ControlFields(given);
        const address = addressOf(fields.text('address'));
        fields.end();
        return ownerRecord(address, granted(addresses.ownerOf(address)));
      },
    ],
  ]);
}

function domainCommands(domains: AdministeredDomains): ControlCommands {
  return new Map<string, ControlCommand>([
    [
      'domain.list',
      async (given) => {
        new ControlFields(given).end();
        return domains.domains().map(({ domain, isDisabled }): ListedDomainRecord => {
          return { Domain: domainToUnicode(domain), Disabled: isDisabled };
        });
      },
    ],
    [
      'domain.add',
      async (given) => {
        const fields = new ControlFields(given);
        const domain = domainOf(fields.text('domain'));
        const account = fields.text('account');
        const localpart = fields.optionalText('localpart');
        const isDisabled = fields.optionalBoolean('disabled') ?? false;
        fields.end();
        const first =
          localpart === undefined ? undefined : fullAddressOf(`${localpart}@${domain}`).localpart;
        granted(await domains.add({ domain, isDisabled, account, localpart: first }, CAUSE));
        return { Domain: domainToUnicode(domain), Disabled: isDisabled };
      },
    ],
    [
      'domain.rm',
      async (given) => {
        const fields = new ControlFields(given);
        const domain = domainOf(fields.text('domain'));
        fields.end();
        granted(await domains.remove(domain, CAUSE));
        return {};
      },
    ],
  ]);
}

function accountIn(given: unknown): string {
  const fields = new ControlFields(given);
  const name = fields.text('account');
  fields.end();
  return name;
}

function addressFields(given: unknown): { readonly account: string; readonly address: Address } {
  const fields = new ControlFields(given);
  const account = fields.text('account');
  const address = addressOf(fields.text('address'));
  fields.end();
  return { account, address };
}

/** `@domain` is the catchall; `""@domain` is not, and nobody's. */
function addressOf(text: string): Address {
  const domain = text.startsWith('@') ? parseDomain(text.slice(1), domainToASCII) : undefined;
  if (domain === undefined) return fullAddressOf(text);
  if (domain.startsWith('[')) throw badAddress(text);
  return { localpart: '', domain };
}

function fullAddressOf(text: string): Address {
  const address = parseAddress(text, domainToASCII);
  const isOne = address !== undefined && address.localpart !== '';
  if (!isOne || address.domain.startsWith('[')) throw badAddress(text);
  return address;
}

function badAddress(text: string): ControlError {
  return new ControlError('BadAddress', `${text} cannot be the address of an account.`);
}

function domainOf(text: string): string {
  const domain = parseDomain(text, domainToASCII);
  if (domain !== undefined && !domain.startsWith('[')) return domain;
  throw new ControlError('BadDomain', `${text} cannot be a domain.`);
}

function accountRecord({ name, forbidden, isClosed }: ListedAccount): ListedAccountRecord {
  return { Account: name, LoginDisabled: forbidden ?? '', Closed: isClosed };
}

function addressRecord(address: Address, account: string): AddressRecord {
  return { Address: shownAddress(address), Account: account };
}

function ownerRecord(address: Address, owner: AddressOwner): OwnerRecord {
  return owner.type === 'account'
    ? addressRecord(address, owner.name)
    : { Address: shownAddress(address), ...aliasRecord(owner.place) };
}

function shownAddress(address: Address): string {
  const { localpart, domain } = address;
  return localpart === ''
    ? `@${domainToUnicode(domain)}`
    : displayAddress(address, domainToUnicode);
}
