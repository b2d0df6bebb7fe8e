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
import { ControlError, type ControlCommands } from './control.ts';
import { CAUSE, granted } from './control-answers.ts';
import { commandsOf, type CommandTable, type ControlFields } from './control-fields.ts';

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

const ACCOUNT_COMMANDS: CommandTable<AdministeredAccountList> = {
  'accounts.list': (fields, accounts) => {
    fields.end();
    return accounts.accounts().map(accountRecord);
  },
  'accounts.add': async (fields, accounts) => {
    const { account, address } = addressFields(fields);
    if (address.localpart === '') throw badAddress(`@${address.domain}`);
    granted(await accounts.add(account, address, CAUSE));
    return addressRecord(address, account);
  },
  'accounts.rm': async (fields, accounts): Promise<RemovedAccountRecord> => {
    const name = accountIn(fields);
    const { state } = granted(await accounts.remove(name, CAUSE));
    return { Account: name, State: state };
  },
  'accounts.disable': async (fields, accounts) => {
    const name = fields.text('account');
    const reason = fields.text('reason');
    fields.end();
    granted(await accounts.forbidLogin(name, reason, CAUSE));
    return {};
  },
  'accounts.enable': async (fields, accounts) => {
    granted(await accounts.allowLogin(accountIn(fields), CAUSE));
    return {};
  },
  'accounts.setpassword': async (fields, accounts) => {
    const name = fields.text('account');
    const password = fields.text('password');
    fields.end();
    const done = granted(await accounts.setPassword(name, password, CAUSE));
    if ('unfit' in done) throw new ControlError('BadPassword', done.unfit);
    return {};
  },
};

const ADDRESS_COMMANDS: CommandTable<AdministeredAddresses> = {
  'address.list': (fields, addresses) => {
    const account = accountIn(fields);
    return granted(addresses.addressesOf(account)).map((one) => addressRecord(one, account));
  },
  'address.add': async (fields, addresses) => {
    const { account, address } = addressFields(fields);
    granted(await addresses.add(address, account, CAUSE));
    return addressRecord(address, account);
  },
  'address.rm': async (fields, addresses) => {
    granted(await addresses.remove(addressIn(fields), CAUSE));
    return {};
  },
  'address.account': (fields, addresses) => {
    const address = addressIn(fields);
    return ownerRecord(address, granted(addresses.ownerOf(address)));
  },
};

const DOMAIN_COMMANDS: CommandTable<AdministeredDomains> = {
  'domain.list': (fields, domains) => {
    fields.end();
    return domains.domains().map(({ domain, isDisabled }) => domainRecord(domain, isDisabled));
  },
  'domain.add': async (fields, domains) => {
    const domain = fields.domain('domain');
    const account = fields.text('account');
    const localpart = fields.optionalText('localpart');
    const isDisabled = fields.optionalBoolean('disabled') ?? false;
    fields.end();
    const first =
      localpart === undefined ? undefined : fullAddressOf(`${localpart}@${domain}`).localpart;
    granted(await domains.add({ domain, isDisabled, account, localpart: first }, CAUSE));
    return domainRecord(domain, isDisabled);
  },
  'domain.rm': async (fields, domains) => {
    const domain = fields.domain('domain');
    fields.end();
    granted(await domains.remove(domain, CAUSE));
    return {};
  },
};

export function directoryCommands({
  accounts,
  addresses,
  domains,
}: DirectoryParts): ControlCommands {
  return new Map([
    ...commandsOf(ACCOUNT_COMMANDS, accounts),
    ...commandsOf(ADDRESS_COMMANDS, addresses),
    ...commandsOf(DOMAIN_COMMANDS, domains),
  ]);
}

function accountIn(fields: ControlFields): string {
  const name = fields.text('account');
  fields.end();
  return name;
}

function addressIn(fields: ControlFields): Address {
  const address = addressOf(fields.text('address'));
  fields.end();
  return address;
}

function addressFields(fields: ControlFields): {
  readonly account: string;
  readonly address: Address;
} {
  return { account: fields.text('account'), address: addressIn(fields) };
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

function domainRecord(domain: string, isDisabled: boolean): ListedDomainRecord {
  return { Domain: domainToUnicode(domain), Disabled: isDisabled };
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
