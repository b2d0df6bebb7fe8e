/**
 * What the running server does about the ways of outgoing mail when the command line asks it to.
 */

import { domainToUnicode } from 'node:url';
import type { Route } from '#domain/queue/route';
import type { AdministeredRouting, RouteOwner } from '../ports-admin.ts';
import { ControlError, type ControlCommands } from './control.ts';
import { CAUSE, granted } from './control-answers.ts';
import { commandsOf, ControlFields, domainOf, type CommandTable } from './control-fields.ts';

/** A route as it goes over the control socket, and into `--json`. */
export interface RouteRecord {
  /** In Unicode; with a leading dot also what is below it; none for any. */
  readonly FromDomain: readonly string[];
  readonly ToDomain: readonly string[];
  /** Attempts that must have been made before. */
  readonly MinimumAttempts: number;
  readonly Transport: string;
}

/** Together they fit into one event. */
const ROUTES_MAX = 500;
const DOMAINS_MAX = 1000;

const COMMANDS: CommandTable<AdministeredRouting> = {
  'routes.list': (fields, routing) => {
    const whose = ownerIn(fields);
    fields.end();
    return granted(routing.routes(whose)).map(routeRecord);
  },
  'routes.set': async (fields, routing) => {
    const whose = ownerIn(fields);
    const routes = routesIn(fields);
    fields.end();
    granted(await routing.changeRoutes(whose, routes, CAUSE));
    return granted(routing.routes(whose)).map(routeRecord);
  },
  'domain.disable': (fields, routing) => switchDomain(fields, 'disabled', routing),
  'domain.enable': (fields, routing) => switchDomain(fields, 'enabled', routing),
};

export function routingCommands(routing: AdministeredRouting): ControlCommands {
  return commandsOf(COMMANDS, routing);
}

async function switchDomain(
  fields: ControlFields,
  to: 'disabled' | 'enabled',
  routing: AdministeredRouting,
): Promise<object> {
  const domain = fields.domain('domain');
  fields.end();
  granted(await routing.switchDomain(domain, to, CAUSE));
  return {};
}

function ownerIn(fields: ControlFields): RouteOwner {
  const account = fields.optionalText('account');
  const domain = fields.optionalDomain('domain');
  if (account !== undefined && domain !== undefined) {
    throw new ControlError('BadRequest', 'Routes are those of an account or those of a domain.');
  }
  return {
    ...(account === undefined ? {} : { account }),
    ...(domain === undefined ? {} : { domain }),
  };
}

function routesIn(fields: ControlFields): readonly Route[] {
  const records = fields.list('routes');
  const routes = records.map(routeIn);
  const domains = routes.reduce((sum, one) => sum + one.fromDomain.length + one.toDomain.length, 0);
  if (routes.length <= ROUTES_MAX && domains <= DOMAINS_MAX) return routes;
  const sentence = `There may be ${ROUTES_MAX} routes with ${DOMAINS_MAX} domains at most.`;
  throw new ControlError('BadRequest', sentence);
}

function routeIn(record: unknown): Route {
  const fields = new ControlFields(record);
  const route = {
    fromDomain: (fields.optionalTexts('FromDomain') ?? []).map(patternOf),
    toDomain: (fields.optionalTexts('ToDomain') ?? []).map(patternOf),
    minimumAttempts: fields.optionalCount('MinimumAttempts') ?? 0,
    transport: fields.text('Transport'),
  };
  fields.end();
  return route;
}

/** A domain, perhaps behind a dot; a dot alone is for what has no domain. */
function patternOf(text: string): string {
  if (text === '.') return text;
  return text.startsWith('.') ? `.${domainOf(text.slice(1))}` : domainOf(text);
}

function routeRecord({ fromDomain, toDomain, minimumAttempts, transport }: Route): RouteRecord {
  return {
    FromDomain: fromDomain.map(shownPattern),
    ToDomain: toDomain.map(shownPattern),
    MinimumAttempts: minimumAttempts,
    Transport: transport,
  };
}

function shownPattern(pattern: string): string {
  if (!pattern.startsWith('.')) return domainToUnicode(pattern);
  return `.${domainToUnicode(pattern.slice(1))}`;
}
