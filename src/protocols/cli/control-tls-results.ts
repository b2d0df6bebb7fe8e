/**
 * `tlsresults.list` on the control socket: how TLS went with hosts of others.
 */

import type { GatheredTlsResult } from '#domain/report/decide';
import type { RecordedTlsResults } from '../ports-admin.ts';
import { ControlError, type ControlCommands } from './control.ts';
import { commandsOf, type ControlFields } from './control-fields.ts';
import { isDate } from './quantities.ts';

/** Results that are listed when nobody says how many. */
const RESULTS_LISTED = 1000;

export function tlsResultCommands(results: RecordedTlsResults): ControlCommands {
  return commandsOf({ 'tlsresults.list': list }, results);
}

async function list(
  fields: ControlFields,
  results: RecordedTlsResults,
): Promise<readonly GatheredTlsResult[]> {
  const domain = fields.optionalDomain('domain');
  const day = fields.optionalText('day');
  const limit = fields.optionalCount('limit') ?? RESULTS_LISTED;
  fields.end();
  if (day !== undefined && !isDate(day)) {
    throw new ControlError('BadRequest', 'The field day is not a date like 2026-01-31.');
  }
  return await results.list({ domain, day, limit });
}
