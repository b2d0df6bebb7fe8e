/**
 * The thread that reads large messages from beginning to end, one after the other, so that no
 * conversation waits for it.
 *
 * Diagnostics: what goes wrong with one message is told to whoever asked, and the next one is read.
 */

import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import type { ReadMessage } from '#protocols/ports-reading';
import type { FromReadingThread, ToReadingThread } from './reading-thread.ts';
import { readStoredMessage } from './stored-message.ts';

assert(parentPort !== null, 'runs as a worker thread');
const port = parentPort;
const { readMessage } = (await import(String(workerData))) as { readonly readMessage: ReadMessage };

port.on('message', (question: ToReadingThread) => {
  const answer = answerTo(question);
  port.postMessage(answer, given(answer));
});

function answerTo({ id, bodyFile, prefix, wanted }: ToReadingThread): FromReadingThread {
  try {
    const message = readStoredMessage(bodyFile, prefix);
    return { id, type: 'answer', answer: message && readMessage(message, wanted) };
  } catch (error) {
    return { id, type: 'failed', error };
  }
}

/** Octets are given away, not copied, unless others stand in the same memory. */
function given(message: FromReadingThread): ArrayBuffer[] {
  const answer = message.type === 'answer' ? message.answer : undefined;
  const isBinary = typeof answer === 'object' && 'found' in answer;
  const octets = isBinary && answer.found?.type === 'octets' ? answer.found.octets : undefined;
  const memory = octets?.buffer;
  return memory instanceof ArrayBuffer && memory.byteLength > Buffer.poolSize ? [memory] : [];
}
