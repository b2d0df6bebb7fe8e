/**
 * What the running server does about signing keys when the command line asks it to.
 */

import type { AdministeredDkim, PublishedKey } from '../ports-dkim.ts';
import { dkimRecordName, dkimRecordText } from '../trust/dkim-record.ts';
import { ControlError, type ControlCommands } from './control.ts';
import { CAUSE, granted } from './control-answers.ts';
import { commandsOf, type CommandTable, type ControlFields } from './control-fields.ts';

/** A key as it goes over the control socket, and into `--json`. */
export interface ShownDkimKey {
  readonly selector: string;
  readonly algorithm: string;
  /** False while it only stands in DNS. */
  readonly signs: boolean;
  /** Name and text of the TXT record that others check signatures with. */
  readonly recordName: string;
  readonly record: string;
}

const COMMANDS: CommandTable<AdministeredDkim> = {
  'dkim.add': addKey,
  'dkim.use': useKeys,
  'dkim.list': listKeys,
  'dkim.rm': removeKey,
};

export function dkimCommands(keys: AdministeredDkim): ControlCommands {
  return commandsOf(COMMANDS, keys);
}

async function addKey(fields: ControlFields, keys: AdministeredDkim): Promise<ShownDkimKey> {
  const domain = fields.domain('domain');
  const name = fields.text('selector').toLowerCase();
  const algorithm = fields.optionalText('algorithm') ?? 'ed25519';
  fields.end();
  if (algorithm !== 'ed25519' && algorithm !== 'rsa') {
    throw new ControlError('BadAlgorithm', `No key can be made for the algorithm ${algorithm}.`);
  }
  return shown(domain, granted(await keys.add(domain, { name, algorithm }, CAUSE)));
}

function listKeys(fields: ControlFields, keys: AdministeredDkim): readonly ShownDkimKey[] {
  const domain = fields.domain('domain');
  fields.end();
  return granted(keys.list(domain)).map((key) => shown(domain, key));
}

async function useKeys(
  fields: ControlFields,
  keys: AdministeredDkim,
): Promise<readonly ShownDkimKey[]> {
  const domain = fields.domain('domain');
  const names = (fields.optionalTexts('selectors') ?? []).map((name) => name.toLowerCase());
  fields.end();
  return granted(await keys.use(domain, names, CAUSE)).map((key) => shown(domain, key));
}

async function removeKey(fields: ControlFields, keys: AdministeredDkim): Promise<ShownDkimKey> {
  const domain = fields.domain('domain');
  const name = fields.text('selector').toLowerCase();
  fields.end();
  return shown(domain, granted(await keys.remove(domain, name, CAUSE)));
}

function shown(domain: string, key: PublishedKey): ShownDkimKey {
  const { name: selector, algorithm } = key;
  const recordName = dkimRecordName(selector, domain);
  const signs = key.standby !== true;
  return { selector, algorithm, signs, recordName, record: dkimRecordText(key) };
}
