/**
 * `config routes`, `config domain disable` and `enable`: the ways of outgoing mail, asked of the
 * running server.
 */

import { asRecord } from './control.ts';
import type { RunningFlags } from './flags.ts';
import { printList } from './lists.ts';
import type { RouteRecord } from './routing-control.ts';
import { askQuietly, askServer, type Tools } from './tools.ts';

export interface RouteFlags extends RunningFlags {
  readonly account?: string;
  readonly domain?: string;
}

export async function listRoutes(flags: RouteFlags, tools: Tools): Promise<void> {
  await tell(await askServer('routes.list', flags, tools, ownerOf(flags)), flags, tools);
}

/** What the list prints in JSON is what is read here. */
export async function setRoutes(flags: RouteFlags, tools: Tools): Promise<void> {
  const lines = (await tools.terminal.input()).split('\n');
  const routes = lines.flatMap((line, i) => (line.trim() === '' ? [] : [routeOn(line, i + 1)]));
  await tell(
    await askServer('routes.set', flags, tools, { ...ownerOf(flags), routes }),
    flags,
    tools,
  );
}

export async function switchDomain(
  command: 'disable' | 'enable',
  domain: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  await askQuietly(`domain.${command}`, flags, tools, { domain });
}

function ownerOf({ account, domain }: RouteFlags): object {
  return {
    ...(account === undefined ? {} : { account }),
    ...(domain === undefined ? {} : { domain }),
  };
}

function routeOn(line: string, number: number): object {
  const wrong = `Line ${number} of standard input is no route in JSON.`;
  try {
    const route = asRecord(JSON.parse(line));
    if (route !== undefined) return route;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Error(wrong);
}

async function tell(answer: unknown, flags: RouteFlags, tools: Tools): Promise<void> {
  const columns = '# from, to, attempts before, transport';
  await printList([answer as readonly RouteRecord[]], columns, rowOf, flags, tools);
}

function rowOf(route: RouteRecord): readonly unknown[] {
  const { FromDomain, ToDomain, MinimumAttempts, Transport } = route;
  return [domainsIn(FromDomain), domainsIn(ToDomain), MinimumAttempts, Transport];
}

function domainsIn(domains: readonly string[]): string {
  return domains.length === 0 ? 'any' : domains.join(' ');
}
