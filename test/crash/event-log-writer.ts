/**
 * Writes into a log until it is killed, and says on standard output what is durable.
 *
 * Arguments: the file and, per stream, the number of events that the parent knows to be durable.
 * Events are decided by stream and revision alone, so that beginning again from what is known
 * repeats the appends whose answers were lost.
 */

import { writeSync } from 'node:fs';
import { openSqliteEventLog } from '#infra/event-log-sqlite';
import { crashEvent } from './event-log-events.ts';

const [file = '', ...known] = process.argv.slice(2);

const log = await openSqliteEventLog({
  file,
  onFatal: (fault) => {
    throw fault;
  },
});

await Promise.all(known.map((count, index) => writeStream(`account-${index}`, Number(count))));

async function writeStream(stream: string, known: number): Promise<never> {
  let revision = known - 1;
  for (;;) {
    // Appends of one to seven events, so that an append torn apart would show.
    const count = 1 + (((revision + 1) * 31 + stream.length) % 7);
    const events = Array.from({ length: count }, (_, n) => crashEvent(stream, revision + 1 + n));
    const appended = await log.append(stream, revision, events);
    revision = appended.revision;
    writeSync(1, `${stream} ${revision}\n`);
  }
}
