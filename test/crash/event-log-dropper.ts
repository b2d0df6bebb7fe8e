/**
 * Fills month after month of a log and drops each, until it is killed; says on standard output what
 * was done.
 *
 * Arguments: the file and the first month.
 */

import { writeSync } from 'node:fs';
import { openSqliteEventLog } from '#infra/event-log-sqlite';
import { someEvents } from '../support/events.ts';
import { DROPPED_EVENTS, STAYING } from './event-log-events.ts';

const [file = '', first = '0'] = process.argv.slice(2);

const log = await openSqliteEventLog({
  file,
  onFatal: (fault) => {
    throw fault;
  },
});

for (let month = Number(first); ; month++) {
  const stream = `audit-${month}`;
  for (let from = 0; from < DROPPED_EVENTS; from += 500) {
    await log.append(stream, from - 1, someEvents(`${month} ${from}`, 500));
  }
  writeSync(1, `filled ${month}\n`);
  const dropping = log.drop(stream);
  await log.append(STAYING, await log.head(STAYING), someEvents(`stays ${month}`, 1));
  await dropping;
  writeSync(1, `dropped ${month}\n`);
}
