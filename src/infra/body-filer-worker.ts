/**
 * The thread that syncs the journal and makes the files of bodies, so that neither the event loop
 * nor the log waits for the file system.
 *
 * Files that somebody waits for come first: between two steps of settling it looks for them.
 *
 * Diagnostics: a segment that cannot be settled is told; any other error ends the thread.
 */

import assert from 'node:assert/strict';
import { parentPort, receiveMessageOnPort } from 'node:worker_threads';
import { BodyFiler } from './body-filer.ts';
import type { FromFiler, ToFiler } from './body-filer-thread.ts';
import { codeOf } from './files.ts';

assert(parentPort !== null, 'runs as a worker thread');
const port = parentPort;
const filer = new BodyFiler();
const settling: { readonly id: number; readonly steps: Generator<void> }[] = [];
let closing = false;

port.on('message', (message: ToFiler) => {
  take(message);
  for (let first = settling[0]; first !== undefined; first = settling[0]) {
    for (let more = receiveMessageOnPort(port); more; more = receiveMessageOnPort(port)) {
      take(more.message);
    }
    if (stepped(first)) settling.shift();
  }
  if (closing) port.close();
});

function take(message: ToFiler): void {
  const { id } = message;
  switch (message.type) {
    case 'file':
      return tell({ id, failures: filer.file(message.segment, message.filings) });
    case 'settle':
      settling.push({ id, steps: filer.settle(message.segment) });
      return;
    case 'close':
      closing = true;
  }
}

/** True when that was the last step. */
function stepped({ id, steps }: { readonly id: number; readonly steps: Generator<void> }): boolean {
  try {
    if (steps.next().done !== true) return false;
    tell({ id, failures: [] });
  } catch (error) {
    if (codeOf(error) === '') throw error;
    tell({ id, failures: [{ code: codeOf(error), message: String(error) }] });
  }
  return true;
}

function tell(message: FromFiler): void {
  port.postMessage(message);
}
