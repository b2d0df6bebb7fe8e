/**
 * What the running server does about aliases when the command line asks it to.
 */

import { domainToASCII, domainToUnicode } from 'node:url';
import { addressOf } from '#domain/directory/address-key';
import type { AliasPlace } from '#domain/directory/aliases';
import type { AliasOptions } from '#domain/directory/events';
import { displayAddress, parseAddress, type Address } from '#domain/values/address';
import type { AdministeredAliases } from '../ports-admin.ts';
import { ControlError, type ControlCommands } from './control.ts';
import { CAUSE, granted } from './control-answers.ts';
import { commandsOf, type CommandTable, type ControlFields } from './control-fields.ts';

/** An alias as it goes over the control socket, and into `--json`; domains are in Unicode. */
export interface AliasRecord {
  readonly Alias: string;
  /** Of its members. */
  readonly Addresses: readonly string[];
  readonly PostPublic: boolean;
  readonly ListMembers: boolean;
  readonly AllowMsgFrom: boolean;
}

/** All but the list are about one alias, which is told as it is afterwards. */
const COMMANDS: CommandTable<AdministeredAliases> = {
  'alias.list': (fields, aliases) => {
    const domain = fields.domain('domain');
    fields.end();
    return granted(aliases.list(domain)).map(aliasRecord);
  },
  'alias.print': (fields, aliases) => {
    const alias = aliasIn(fields);
    fields.end();
    return aliasRecord(granted(aliases.get(alias)));
  },
  'alias.add': async (fields, aliases) => {
    const alias = aliasIn(fields);
    return aliasRecord(granted(await aliases.add(alias, membersIn(fields), CAUSE)));
  },
  'alias.update': async (fields, aliases) => {
    const alias = aliasIn(fields);
    return aliasRecord(granted(await aliases.change(alias, optionsIn(fields), CAUSE)));
  },
  'alias.rm': async (fields, aliases) => {
    const alias = aliasIn(fields);
    fields.end();
    return aliasRecord(granted(await aliases.remove(alias, CAUSE)));
  },
  'alias.addaddr': async (fields, aliases) => {
    const alias = aliasIn(fields);
    return aliasRecord(granted(await aliases.addMembers(alias, membersIn(fields), CAUSE)));
  },
  'alias.rmaddr': async (fields, aliases) => {
    const alias = aliasIn(fields);
    return aliasRecord(granted(await aliases.removeMembers(alias, membersIn(fields), CAUSE)));
  },
};

export function aliasCommands(aliases: AdministeredAliases): ControlCommands {
  return commandsOf(COMMANDS, aliases);
}

function aliasIn(fields: ControlFields): Address {
  return addressIn(fields.text('alias'));
}

function membersIn(fields: ControlFields): readonly Address[] {
  const members = fields.texts('addresses').map(addressIn);
  fields.end();
  return members;
}

function optionsIn(fields: ControlFields): Partial<AliasOptions> {
  const postPublic = fields.optionalBoolean('postPublic');
  const listMembers = fields.optionalBoolean('listMembers');
  const allowMsgFrom = fields.optionalBoolean('allowMsgFrom');
  fields.end();
  return {
    ...(postPublic === undefined ? {} : { postPublic }),
    ...(listMembers === undefined ? {} : { listMembers }),
    ...(allowMsgFrom === undefined ? {} : { allowMsgFrom }),
  };
}

function addressIn(text: string): Address {
  const address = parseAddress(text, domainToASCII);
  if (address !== undefined) return address;
  throw new ControlError('BadAddress', `${text} cannot be an address.`);
}

export function aliasRecord({ localpart, domain, alias }: AliasPlace): AliasRecord {
  return {
    Alias: displayAddress({ localpart, domain }, domainToUnicode),
    Addresses: alias.members.map((key) => displayAddress(addressOf(key), domainToUnicode)),
    PostPublic: alias.postPublic,
    ListMembers: alias.listMembers,
    AllowMsgFrom: alias.allowMsgFrom,
  };
}
