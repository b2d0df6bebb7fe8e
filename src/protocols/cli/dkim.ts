/**
 * `config domain dkim`: the keys with which mail from a domain is signed, asked of the running
 * server.
 */

import { zoneLine } from '../trust/dkim-record.ts';
import type { ShownDkimKey } from './dkim-control.ts';
import type { RunningFlags } from './flags.ts';
import { askServer, type Tools } from './tools.ts';

export interface DkimAddFlags extends RunningFlags {
  readonly algorithm: string;
}

export async function addDkimKey(
  domain: string,
  selector: string,
  flags: DkimAddFlags,
  tools: Tools,
): Promise<void> {
  const { algorithm } = flags;
  const key = (await askServer('dkim.add', flags, tools, {
    domain,
    selector,
    algorithm,
  })) as ShownDkimKey;
  if (!flags.json) tools.terminal.err('Mail is signed from now on. To be put into DNS:');
  tellKey(key, flags, tools);
}

export async function listDkimKeys(
  domain: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  for (const key of await keysOfDomain(domain, flags, tools)) tellKey(key, flags, tools);
}

export async function keysOfDomain(
  domain: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<readonly ShownDkimKey[]> {
  return (await askServer('dkim.list', flags, tools, { domain })) as readonly ShownDkimKey[];
}

export async function useDkimKeys(
  domain: string,
  selectors: readonly string[],
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  const asked = await askServer('dkim.use', flags, tools, { domain, selectors });
  for (const key of asked as readonly ShownDkimKey[]) {
    const { selector, signs } = key;
    if (flags.json) tools.terminal.out(JSON.stringify(key));
    else tools.terminal.out(`${selector}\t${signs ? 'signs' : 'waits'}`);
  }
}

export async function removeDkimKey(
  domain: string,
  selector: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  const key = (await askServer('dkim.rm', flags, tools, { domain, selector })) as ShownDkimKey;
  if (!flags.json) tools.terminal.err('The key is gone. To be taken out of DNS in some days:');
  tellKey(key, flags, tools);
  const left = await keysOfDomain(domain, flags, tools);
  if (flags.json || left.some(({ signs }) => signs)) return;
  tools.terminal.err('No key signs mail from the domain now.');
}

/** A line of a zone file, or JSON. */
export function tellKey(key: ShownDkimKey, { json }: RunningFlags, { terminal }: Tools): void {
  terminal.out(json ? JSON.stringify(key) : zoneLine(key.recordName, key.record));
}
