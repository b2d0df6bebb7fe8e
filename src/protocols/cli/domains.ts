/**
 * `config domain add`, `rm` and `list`: which domains are ours, asked of the running server.
 */

import { keysOfDomain, tellKey } from './dkim.ts';
import type { ListedDomainRecord } from './directory-control.ts';
import type { RunningFlags } from './flags.ts';
import { askQuietly, askServer, type Tools } from './tools.ts';

export interface DomainAddFlags extends RunningFlags {
  readonly disabled: boolean;
}

export async function listDomains(flags: RunningFlags, tools: Tools): Promise<void> {
  const domains = await askServer('domain.list', flags, tools, {});
  for (const domain of domains as readonly ListedDomainRecord[]) {
    const { Domain, Disabled } = domain;
    if (flags.json) tools.terminal.out(JSON.stringify(domain));
    else tools.terminal.out(Disabled ? `${Domain}\t(disabled)` : Domain);
  }
}

export async function addDomain(
  domain: string,
  account: string,
  localpart: string | undefined,
  flags: DomainAddFlags,
  tools: Tools,
): Promise<void> {
  const { disabled } = flags;
  const added = (await askServer('domain.add', flags, tools, {
    domain,
    account,
    disabled,
    ...(localpart === undefined ? {} : { localpart }),
  })) as ListedDomainRecord;
  const keys = await keysOfDomain(domain, flags, tools);
  if (flags.json) return tools.terminal.out(JSON.stringify({ ...added, DkimKeys: keys }));
  tools.terminal.err('Mail is signed. To be put into DNS:');
  for (const key of keys) tellKey(key, flags, tools);
}

export async function removeDomain(
  domain: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  await askQuietly('domain.rm', flags, tools, { domain });
}
