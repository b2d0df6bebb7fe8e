/**
 * A thread that works on full-text indexes, so that neither mail nor conversations wait for it.
 *
 * There are two: the maker reads messages and writes the indexes, with the lowest priority that
 * the system gives to a thread; the finder answers searches. What they are asked is carried out
 * one after the other.
 *
 * Diagnostics: a Fault is told; any other error ends the thread.
 */

import assert from 'node:assert/strict';
import { existsSync, readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { Fault } from '#domain/values/fault';
import { isDamage } from './read-models.ts';
import { TextFiles, type ReadTexts } from './text-files.ts';
import type { FromTextThread, TextThreadData, ToTextThread } from './text-thread.ts';

interface TextReader {
  readonly readTexts: ReadTexts;
}

assert(parentPort !== null, 'runs as a worker thread');
const port = parentPort;
const { role, reader, stop } = workerData as TextThreadData;
const stopped = new Int32Array(stop);
let reading: TextReader | undefined;
const files = new TextFiles({
  role,
  reader: async () => (reading ??= (await import(reader)) as TextReader).readTexts,
  isStopped: () => Atomics.load(stopped, 0) !== 0,
});
let busy: Promise<void> = Promise.resolve();

if (role === 'maker') becomeLeastImportant();
port.on('message', (message: ToTextThread | 'end') => {
  busy = busy.then(() => (message === 'end' ? end() : take(message)));
});

/** Linux knows priorities of threads; elsewhere all threads of a process are alike. */
function becomeLeastImportant(): void {
  const self = '/proc/thread-self';
  if (process.platform !== 'linux' || !existsSync(self)) return;
  const thread = Number(readlinkSync(self).split('/').at(-1));
  setPriority(thread, constants.priority.PRIORITY_LOW);
}

function end(): void {
  files.close();
  port.close();
}

async function take({ id, file, request }: ToTextThread): Promise<void> {
  try {
    tell({ id, type: 'answer', answer: await files.answer(file, request) });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { code, message: why } = error;
    tell({ id, type: 'failed', code, why, isDamaged: isDamage(error) });
  }
}

function tell(message: FromTextThread): void {
  port.postMessage(message, []);
}
