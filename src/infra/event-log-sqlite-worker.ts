/**
 * The thread that owns the log's only writing connection, so that a slow disk never stops the
 * event loop.
 *
 * It takes what has arrived, commits it as one group, answers once, and looks again: the slower
 * the disk, the larger the groups. Answers come in the order of what was asked. A state that cannot
 * be trusted ends the thread with an error, and with it the process.
 */

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import assert from 'node:assert/strict';
import { Fault } from '#domain/values/fault';
import { openLogForWriting } from './event-log-sqlite-schema.ts';
import { requireSoundHead } from './event-log-sqlite-verify.ts';
import { LogWriter, takeGroup, type Write, type WriteOutcome } from './event-log-sqlite-writer.ts';

export type ToWriter =
  { readonly type: 'write'; readonly writes: readonly Write[] } | { readonly type: 'close' };

export type FromWriter =
  | { readonly type: 'ready' }
  | { readonly type: 'refused'; readonly why: string; readonly temporary: boolean }
  | { readonly type: 'outcomes'; readonly outcomes: readonly WriteOutcome[] };

assert(parentPort !== null, 'runs as a worker thread');
const port = parentPort;
const file: string = workerData;

try {
  serve();
  tell({ type: 'ready' });
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  tell({ type: 'refused', why: error.message, temporary: error.temporary });
}

function serve(): void {
  const db = openLogForWriting(file);
  const writer = new LogWriter(db, requireSoundHead(db, file));
  const queue: Write[] = [];
  let closing = false;
  const take = (message: ToWriter): void => {
    if (message.type === 'close') closing = true;
    else for (const write of message.writes) queue.push(write);
  };
  port.on('message', (message: ToWriter) => {
    take(message);
    while (queue.length > 0) {
      for (let more = receiveMessageOnPort(port); more; more = receiveMessageOnPort(port)) {
        take(more.message);
      }
      const { outcomes, fatal } = writer.commit(takeGroup(queue));
      tell({ type: 'outcomes', outcomes });
      if (fatal !== undefined) throw new Error(fatal);
    }
    if (!closing) return;
    db.close();
    port.close();
  });
}

function tell(message: FromWriter): void {
  port.postMessage(message);
}
